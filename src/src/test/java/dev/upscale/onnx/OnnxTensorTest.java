package dev.upscale.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** All places and types of a tensor's elements. */
class OnnxTensorTest {
    private static final Tensor REALS = Tensor.f32(new float[] {1.5f, -2}, 2);

    @TempDir
    Path folder;

    private static OnnxTensor tensor(ElementKind kind, ByteBuffer raw, float[] floats, double[] doubles, long[] ints,
            long[] longs, Map<String, String> external) {
        return new OnnxTensor("t", new long[] {2}, kind.number(), raw, floats, doubles, ints, longs, external);
    }

    private static OnnxTensor raw(ElementKind kind, ByteBuffer bytes) {
        return tensor(kind, bytes.flip(), new float[0], new double[0], new long[0], new long[0], Map.of());
    }

    private static OnnxTensor listed(ElementKind kind, long... ints) {
        return tensor(kind, null, new float[0], new double[0], ints, new long[0], Map.of());
    }

    private static ByteBuffer bytes(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static Tensor decoded(OnnxTensor tensor) {
        return tensor.decode(Path.of("net.onnx"));
    }

    @Test
    void realsOfAnyWidthBecomeF32() {
        assertEquals(REALS, decoded(raw(ElementKind.FLOAT, bytes(8).putFloat(1.5f).putFloat(-2))));
        assertEquals(REALS, decoded(raw(ElementKind.DOUBLE, bytes(16).putDouble(1.5).putDouble(-2))));
        assertEquals(REALS, decoded(raw(ElementKind.FLOAT16, bytes(4).putShort((short) 0x3E00).putShort((short) 0xC000))));
        assertEquals(REALS, decoded(raw(ElementKind.BFLOAT16, bytes(4).putShort((short) 0x3FC0).putShort((short) 0xC000))));
    }

    @Test
    void realsInTypedLists() {
        assertEquals(REALS, decoded(tensor(ElementKind.FLOAT, null, new float[] {1.5f, -2}, new double[0], new long[0],
                new long[0], Map.of())));
        assertEquals(REALS, decoded(tensor(ElementKind.DOUBLE, null, new float[0], new double[] {1.5, -2}, new long[0],
                new long[0], Map.of())));
        assertEquals(REALS, decoded(listed(ElementKind.FLOAT16, 0x3E00, 0xC000)));
        assertEquals(REALS, decoded(listed(ElementKind.BFLOAT16, 0x3FC0, 0xC000)));
    }

    @Test
    void wholeNumbersKeepTheirSign() {
        assertEquals(TestModel.wholes(255, 1), decoded(raw(ElementKind.UINT8, bytes(2).put((byte) -1).put((byte) 1))));
        assertEquals(TestModel.wholes(-1, 1), decoded(raw(ElementKind.INT8, bytes(2).put((byte) -1).put((byte) 1))));
        assertEquals(TestModel.wholes(-1, 1), decoded(raw(ElementKind.INT32, bytes(8).putInt(-1).putInt(1))));
        assertEquals(TestModel.wholes(4294967295L, 1), decoded(raw(ElementKind.UINT32, bytes(8).putInt(-1).putInt(1))));
        assertEquals(TestModel.wholes(-1, 1), decoded(listed(ElementKind.INT32, -1, 1)));
        assertEquals(TestModel.wholes(Long.MIN_VALUE, 1), decoded(tensor(ElementKind.INT64, null, new float[0],
                new double[0], new long[0], new long[] {Long.MIN_VALUE, 1}, Map.of())));
    }

    @Test
    void missingElementsAreTold() {
        InvalidInput none = assertThrows(InvalidInput.class, () -> decoded(listed(ElementKind.FLOAT)));
        assertEquals("tensor t has 0 elements for FLOAT [2], which needs 2: the file is damaged or its data were left out,"
                + " get it again", none.getMessage());
        InvalidInput few = assertThrows(InvalidInput.class, () -> decoded(raw(ElementKind.FLOAT, bytes(4).putFloat(1))));
        assertEquals("tensor t has 4 bytes of data for FLOAT [2], which needs 8: the file is damaged, get it again",
                few.getMessage());
    }

    @Test
    void externalData() throws IOException {
        Path model = folder.resolve("net.onnx");
        Files.createDirectory(folder.resolve("data"));
        Files.write(folder.resolve("data/weights.bin"), bytes(12).putFloat(7).putFloat(1.5f).putFloat(-2).array());
        assertEquals(REALS, external(Map.of("location", "data/weights.bin", "offset", "4", "length", "8")).decode(model));

        assertTold(model, Map.of("location", "data/weights.bin", "offset", "8"), "which has 12: get that file again");
        assertTold(model, Map.of("location", "data/weights.bin", "offset", "x"), "offset x: the model is damaged");
        assertTold(model, Map.of("location", "data/weights.bin", "length", "4"), "its shape needs 8");
        assertTold(model, Map.of("location", "missing.bin"), "cannot be read");
        assertTold(model, Map.of("location", "../weights.bin"), "outside of the model's folder");
        assertTold(model, Map.of("location", "/etc/passwd"), "outside of the model's folder");
        Path outside = Files.createTempFile("upscale", ".bin");
        Files.createSymbolicLink(folder.resolve("link.bin"), outside);
        assertTold(model, Map.of("location", "link.bin"), "outside of the model's folder");
        Files.delete(outside);
    }

    private static OnnxTensor external(Map<String, String> entries) {
        return tensor(ElementKind.FLOAT, null, new float[0], new double[0], new long[0], new long[0], entries);
    }

    private static void assertTold(Path model, Map<String, String> entries, String part) {
        InvalidInput refusal = assertThrows(InvalidInput.class, () -> external(entries).decode(model));
        assertTrue(refusal.getMessage().contains(part), refusal.getMessage());
    }
}
