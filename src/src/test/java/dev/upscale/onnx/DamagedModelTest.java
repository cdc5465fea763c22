package dev.upscale.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A model cut short or with bits flipped gives one clear error, or imports where the flip does no harm (inside of a weight,
 * a name); never another exception, and never much memory, whatever a damaged length or shape says.
 */
class DamagedModelTest {
    private static final long MOST_BYTES = 512L << 20;

    @TempDir
    Path folder;

    private final byte[] model = TestModel.opset(13).input("x", "N", 3, 8, 8).weight("w1", 4, 3, 3, 3).weight("b1", 4)
            .weight("scale", 4).weight("w2", 6, 2, 1, 1).weight("fc", 96, 5).wholes("two", 2).wholes("one", 1)
            .wholes("rest", -1)
            .node("c1", "Conv", List.of("x", "w1", "b1"), "pads", new int[] {1, 1, 1, 1}, "strides", new int[] {2, 2})
            .node("n1", "BatchNormalization", List.of("c1", "scale", "b1", "b1", "scale"), "epsilon", 0.001f)
            .node("r1", "Relu", List.of("n1"))
            .node("c2", "Conv", List.of("r1", "w2"), "group", 2)
            .node("p2", "MaxPool", List.of("c2"), "kernel_shape", new int[] {2, 2}, "auto_pad", "SAME_UPPER")
            .node("s", "Shape", List.of("p2")).node("n", "Gather", List.of("s", "two"))
            .node("t", "Concat", List.of("one", "rest"), "axis", 0)
            .node("u", "Pad", List.of("p2", "pads")).wholes("pads", 0, 0, 0, 0, 0, 0, 0, 0)
            .node("k", "ConstantOfShape", List.of("n"), "value", TestModel.iota(1))
            .node("m", "Add", List.of("u", "k"))
            .node("f", "Reshape", List.of("m", "t"))
            .node("y", "MatMul", List.of("f", "fc")).output("y").bytes();

    @Test
    void theModelIsSoundWhileItIsWhole() throws IOException {
        Graph graph = OnnxImporter.read(Files.write(folder.resolve("whole.onnx"), model));
        assertTrue(graph.nodes().size() >= 7, graph.toString());
    }

    @Test
    void everyTruncationIsTold() throws IOException {
        Random random = new Random(1);
        for (int i = 0; i < 200; i++) {
            int length = i < 60 ? i : random.nextInt(model.length);
            byte[] cut = Arrays.copyOf(model, length);
            String outcome = outcome(cut, "cut after " + length + " bytes");
            assertTrue(outcome.startsWith("refused"), "cut after " + length + " of " + model.length + " bytes: " + outcome);
        }
    }

    @Test
    void flippedBitsNeverDoWorse() throws IOException {
        Random random = new Random(2);
        int refused = 0;
        for (int i = 0; i < 2000; i++) {
            byte[] flipped = model.clone();
            for (int flips = random.nextInt(3); flips >= 0; flips--) {
                flipped[random.nextInt(model.length)] ^= (byte) (1 << random.nextInt(8));
            }
            refused += outcome(flipped, "flip " + i).startsWith("refused") ? 1 : 0;
        }
        assertTrue(refused >= 200, refused + " of 2000 refused");
    }

    @Test
    void damagedGzip() throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream stream = new GZIPOutputStream(packed)) {
            stream.write(model);
        }
        Random random = new Random(3);
        for (int i = 0; i < 200; i++) {
            byte[] damaged = i % 2 == 0 ? Arrays.copyOf(packed.toByteArray(), random.nextInt(packed.size()))
                    : packed.toByteArray();
            damaged[random.nextInt(Math.max(1, damaged.length - 1))] ^= (byte) (1 << random.nextInt(8));
            outcome(damaged, "packed " + i, "damaged.onnx.gz");
        }
    }

    /** The size at a gzip file's end is that of its last member alone. */
    @Test
    void unpacksFilesOfSeveralMembers() throws IOException {
        ByteArrayOutputStream members = new ByteArrayOutputStream();
        for (String member : List.of("first and long", "last")) {
            try (GZIPOutputStream stream = new GZIPOutputStream(members)) {
                stream.write(member.getBytes(StandardCharsets.UTF_8));
            }
        }
        Path file = Files.write(folder.resolve("members.gz"), members.toByteArray());
        assertEquals("first and longlast", new String(OnnxFile.readBytes(file), StandardCharsets.UTF_8));
    }

    private String outcome(byte[] bytes, String what) throws IOException {
        return outcome(bytes, what, "damaged.onnx");
    }

    /** Imports, and fails for anything but a graph or a clear refusal within little memory and time. */
    private String outcome(byte[] bytes, String what, String name) throws IOException {
        Path file = Files.write(folder.resolve(name), bytes);
        long allocated = allocatedBytes();
        long start = System.nanoTime();
        String outcome;
        try {
            OnnxImporter.read(file);
            outcome = "imported";
        } catch (InvalidInput e) {
            outcome = "refused: " + e.getMessage();
            assertTrue(e.getMessage().startsWith(file + ": "), what + ": " + e.getMessage());
        } catch (RuntimeException | Error e) {
            throw new AssertionError(what + ": " + e, e);
        }
        long used = allocatedBytes() - allocated;
        assertTrue(used < MOST_BYTES, what + " allocates " + used + " bytes; " + outcome);
        assertTrue(System.nanoTime() - start < 5_000_000_000L, what + " takes long; " + outcome);
        return outcome;
    }

    private static long allocatedBytes() {
        return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
    }
}
