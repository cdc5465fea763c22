package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NpyFileTest {
    @TempDir
    private Path folder;

    @Test
    void whatIsWrittenIsReadAgain() {
        for (int[] dims : new int[][] {{}, {7}, {2, 3}, {1, 3, 4, 5}, {0, 4}}) {
            Tensor tensor = Tensor.f32(new float[(int) TensorType.f32(dims).elements()], dims);
            for (int i = 0; i < tensor.floats().length; i++) {
                tensor.floats()[i] = i * 0.5f - 3;
            }
            Path file = folder.resolve("array.npy");
            NpyFile.write(file, tensor);
            assertEquals(tensor, NpyFile.read(file));
        }
    }

    @Test
    void theHeaderIsWhatNumpyWrites() throws IOException {
        Path file = folder.resolve("array.npy");
        NpyFile.write(file, Tensor.f32(new float[] {1.5f}, 1));
        byte[] content = Files.readAllBytes(file);
        assertEquals(128 + 4, content.length);
        assertEquals("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }",
                new String(content, 10, 118, StandardCharsets.ISO_8859_1).strip());
        assertEquals('\n', content[127]);
    }

    @Test
    void versions1To3AndThreeElementTypesAreRead() {
        for (int version = 1; version <= 3; version++) {
            assertArrayEquals(new float[] {1, 2, 3, 4}, parse(version, "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), }",
                    doubles(1, 2, 3, 4)).floats());
        }
        Tensor bytes = parse(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", new byte[] {0, 1, (byte) 255});
        assertArrayEquals(new float[] {0, 1, 255}, bytes.floats());
        assertEquals(List.of(), parse(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (), }", doubles(5)).type().dims());
        assertEquals(List.of(1, 3), parse(1, "{'descr': '<f8', 'fortran_order': True, 'shape': (1, 3), }", doubles(1, 2, 3)).type().dims());
    }

    @Test
    void otherKindsAreRefusedWithTheCure() {
        assertRefused("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", new byte[4], "astype('<f4')");
        assertRefused("{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", new byte[8], "astype('<f4')");
        assertRefused("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 2), }", doubles(1, 2, 3, 4), "ascontiguousarray");
    }

    @Test
    void impossibleShapesAreRefused() {
        assertRefused("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,), }", new byte[4], "impossible shape");
        assertRefused("{'descr': '<f4', 'fortran_order': False, 'shape': (2147483647, 2147483647, 2147483647), }", new byte[4], "shape");
        assertRefused("{'descr': '<f4', 'fortran_order': False, 'shape': (2147483647,), }", new byte[4], "shape");
        assertRefused("{'descr': '<f4', 'fortran_order': False, 'shape': (5,), }", new byte[4], "has 20 bytes, and the file holds 4");
        assertRefused("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", new byte[5], "the file holds 5");
        assertRefused("{'descr': '<f4', 'fortran_order': False, 'shape': (1,,2), }", new byte[8], "impossible shape");
    }

    @Test
    void damagedFilesAreRefusedOrStillArrays() {
        byte[] good = file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", new byte[24]);
        for (int length = 0; length < good.length; length++) {
            byte[] truncated = Arrays.copyOf(good, length);
            assertThrows(InvalidInput.class, () -> NpyFile.parse("x.npy", truncated), "cut to " + length);
        }
        Random random = new Random(1);
        int refused = 0;
        for (int round = 0; round < 2000; round++) {
            byte[] flipped = good.clone();
            flipped[random.nextInt(good.length)] ^= (byte) (1 << random.nextInt(8));
            try {
                assertEquals(6, NpyFile.parse("x.npy", flipped).floats().length);
            } catch (InvalidInput e) {
                assertFalse(e.getMessage().contains("\n"));
                refused++;
            }
        }
        assertTrue(refused > 1000, refused + " refused");
    }

    private static void assertRefused(String header, byte[] data, String message) {
        InvalidInput refusal = assertThrows(InvalidInput.class, () -> parse(1, header, data));
        assertTrue(refusal.getMessage().startsWith("x.npy") && refusal.getMessage().contains(message), refusal.getMessage());
    }

    private static Tensor parse(int version, String header, byte[] data) {
        return NpyFile.parse("x.npy", file(version, header, data));
    }

    private static byte[] file(int version, String header, byte[] data) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', (byte) version, 0});
        ByteBuffer length = ByteBuffer.allocate(version == 1 ? 2 : 4).order(ByteOrder.LITTLE_ENDIAN);
        if (version == 1) {
            length.putShort((short) header.length());
        } else {
            length.putInt(header.length());
        }
        bytes.writeBytes(length.array());
        bytes.writeBytes(header.getBytes(StandardCharsets.ISO_8859_1));
        bytes.writeBytes(data);
        return bytes.toByteArray();
    }

    private static byte[] doubles(double... values) {
        ByteBuffer buffer = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (double value : values) {
            buffer.putDouble(value);
        }
        return buffer.array();
    }
}
