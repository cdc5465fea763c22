package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.Upscale;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.Tensor;
import dev.upscale.plan.PlanFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** compile, explain and run. */
class PlanCommandsTest {
    private static final List<String> FIELDS = List.of("copies", "copyBytes", "hiddenCopyBytes", "foldedBytes", "consumers", "views",
            "arenaBytes", "arenaLowerBoundBytes", "weightsBytes");

    @TempDir
    private Path folder;

    @Test
    void aModelIsCompiledExplainedAndRun() throws IOException {
        Path model = DemoFiles.model(folder);
        Path plan = folder.resolve("densenet.plan");
        JsonNode compiled = CommandLineRun.of("compile", model, "-o", plan, "--json").json();
        JsonNode explained = CommandLineRun.of("explain", plan, "--json").json();
        for (String field : FIELDS) {
            assertTrue(compiled.get(field).isIntegralNumber(), field);
            assertEquals(compiled.get(field), explained.get(field), field);
        }
        assertTrue(compiled.get("compileMs").isNumber());
        assertEquals(40, explained.get("consumers").intValue());
        assertTrue(explained.get("remaining").isArray());
        assertTrue(CommandLineRun.of("explain", plan, "--steps").out().contains("layers.1"));

        Tensor image = image();
        NpyFile.write(folder.resolve("x.npy"), image);
        JsonNode run = CommandLineRun.of("run", plan, "--input", folder.resolve("x.npy"), "--output", folder.resolve("y.npy"), "--json").json();
        assertTrue(run.get("loadMs").asDouble() > 0 && run.get("prepareMs").asDouble() > 0);
        assertEquals("output", run.get("outputs").get(0).get("name").stringValue());
        Graph graph = Upscale.read(model);
        double[] expected = Interpreter.run(graph, Map.of("input", image)).get("output").values();
        float[] actual = NpyFile.read(folder.resolve("y.npy")).floats();
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], 1e-4);
        }
    }

    @Test
    void whatIsMergedIsExplainedWithWhatItWouldTakeOtherwise() {
        Graph graph = GraphText.parse("""
                graph siblings(x: f32[1,8,4,4]) -> y {
                  wa: f32[3,8,1,1] = random(1)
                  a = Conv(x, wa) kernel=1x1
                  wb: f32[4,8,1,1] = random(2)
                  b = Conv(x, wb) kernel=1x1
                  va: f32[2,3,3,3] = random(3)
                  p = Conv(a, va) kernel=3x3
                  vb: f32[2,4,3,3] = random(4)
                  q = Conv(b, vb) kernel=3x3
                  y = Concat(p, q) axis=1
                }
                """);
        Path plan = folder.resolve("siblings.plan");
        PlanFile.write(Upscale.compile(graph, new CompileOptions(Variant.UPSCALE, List.of())), plan);
        JsonNode merged = CommandLineRun.of("explain", plan, "--json").json().get("merged");
        assertEquals(1, merged.size());
        assertEquals("a + b", merged.get(0).get("name").stringValue());
        JsonNode alternative = merged.get(0).get("alternatives").get(0);
        assertEquals("a and b, each by itself", alternative.get("what").stringValue());
        assertTrue(merged.get(0).get("nanos").longValue() < alternative.get("nanos").longValue(), merged.toString());
        assertTrue(CommandLineRun.of("explain", plan).out().contains("merged: a + b"));
    }

    @Test
    void compiledTwiceAPlanIsTheSameFile() throws IOException {
        Path model = DemoFiles.model(folder);
        CommandLineRun.of("compile", model, "-o", folder.resolve("a.plan"), "--costs", "builtin", "--json").json();
        CommandLineRun.of("compile", model, "-o", folder.resolve("b.plan"), "--costs", "builtin", "--json").json();
        assertArrayEquals(Files.readAllBytes(folder.resolve("a.plan")), Files.readAllBytes(folder.resolve("b.plan")));
    }

    @Test
    void badInputIsRefusedAndNothingIsWritten() throws IOException {
        Path model = DemoFiles.model(folder);
        Path plan = folder.resolve("p.plan");
        CommandLineRun.of("compile", model).refused("--output");
        CommandLineRun.of("compile", model, "-o", folder.resolve("absent").resolve("p.plan")).refused("absent");
        CommandLineRun.of("compile", model, "-o", folder).refused(folder.toString());
        CommandLineRun.of("compile", model, "-o", plan, "--variant", "best").refused("best", "upscale");
        CommandLineRun.of("compile", model, "-o", plan, "--target", "cuda:none").refused("cuda:none", "h100");
        CommandLineRun.of("compile", model, "-o", plan, "--precision", "f8").refused("f8");
        CommandLineRun.of("compile", model, "-o", plan, "--engines", "magic").refused("magic", "onednn");
        CommandLineRun.of("explain", plan).refused("p.plan");
        CommandLineRun.of("explain", model).refused("densenet.onnx");
        CommandLineRun.of("compile", model, "-o", plan, "--engines", "java");
        NpyFile.write(folder.resolve("x.npy"), image());
        NpyFile.write(folder.resolve("small.npy"), Tensor.f32(new float[3], 1, 3));
        Path output = folder.resolve("y.npy");
        CommandLineRun.of("run", plan, "--input", folder.resolve("small.npy"), "--output", output).refused("small.npy", "[1, 3]");
        CommandLineRun.of("run", plan, "--input", folder.resolve("absent.npy"), "--output", output).refused("absent.npy");
        CommandLineRun.of("run", plan, "--input", folder.resolve("x.npy"), folder.resolve("x.npy"), "--output", output).refused("2 files");
        CommandLineRun.of("run", plan, "--input", folder.resolve("x.npy"), "--output", output, folder.resolve("z.npy")).refused("2 files");
        CommandLineRun.of("run", plan, "--input", folder.resolve("x.npy"), "--output", output, "--threads", 0).refused("--threads");
        CommandLineRun.of("run", plan, "--input", folder.resolve("x.npy"), "--output", folder.resolve("absent/y.npy")).refused("absent");
        assertFalse(Files.exists(output));
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of("densenet.onnx", "p.plan", "small.npy", "x.npy"), left.map(path -> path.getFileName().toString()).sorted().toList());
        }
    }

    @Test
    void damagedPlansAreRefused() throws IOException {
        Path plan = folder.resolve("p.plan");
        CommandLineRun.of("compile", DemoFiles.model(folder), "-o", plan, "--engines", "java");
        byte[] good = Files.readAllBytes(plan);
        Random random = new Random(5);
        for (int round = 0; round < 60; round++) {
            byte[] damaged = round % 2 == 0 ? Arrays.copyOf(good, random.nextInt(good.length)) : good.clone();
            if (round % 2 == 1) {
                damaged[random.nextInt(round % 4 == 1 ? good.length : 20_000)] ^= (byte) (1 << random.nextInt(8));
            }
            CommandLineRun.of("explain", Files.write(folder.resolve("damaged.plan"), damaged)).refused("damaged.plan");
        }
    }

    @Test
    void damagedInputsAreRefusedAndLeaveNoOutput() throws IOException {
        Path plan = folder.resolve("p.plan");
        CommandLineRun.of("compile", DemoFiles.model(folder), "-o", plan, "--costs", "builtin");
        NpyFile.write(folder.resolve("x.npy"), image());
        byte[] good = Files.readAllBytes(folder.resolve("x.npy"));
        Path output = folder.resolve("y.npy");
        Random random = new Random(7);
        for (int round = 0; round < 40; round++) {
            byte[] damaged = round % 2 == 0 ? Arrays.copyOf(good, random.nextInt(good.length)) : good.clone();
            if (round % 2 == 1) {
                damaged[random.nextInt(100)] ^= (byte) (1 << random.nextInt(8));
            }
            CommandLineRun run = CommandLineRun.of("run", plan, "--input", Files.write(folder.resolve("damaged.npy"), damaged), "--output", output);
            if (run.exitCode() == 0) {
                Files.delete(output);
            } else {
                run.refused("damaged.npy");
                assertFalse(Files.exists(output));
            }
        }
    }

    private static Tensor image() {
        Random random = new Random(6);
        float[] pixels = new float[28 * 28];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (float) random.nextGaussian();
        }
        return Tensor.f32(pixels, 1, 1, 28, 28);
    }
}
