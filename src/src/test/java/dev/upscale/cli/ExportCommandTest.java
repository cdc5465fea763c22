package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.channels.Masking;
import dev.upscale.channels.PatternFile;
import dev.upscale.graph.DoubleTensor;
import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.Tensor;
import dev.upscale.onnx.OnnxExporter;
import dev.upscale.onnx.OnnxImporter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class ExportCommandTest {
    @TempDir
    private Path folder;

    private Path network() {
        Path file = folder.resolve("net.onnx");
        OnnxExporter.write(GraphText.parse("""
                graph net(x: f32[1,3,6,6]) -> y {
                  w0: f32[8,3,3,3] = random(1)
                  a = Conv(x, w0) kernel=3x3 pad=1
                  r = Apply(a) relu
                  w1: f32[8,8,1,1] = random(2)
                  b = Conv(r, w1) kernel=1x1
                  c = Binary(r, b) add
                  w2: f32[4,8,3,3] = random(3)
                  y = Conv(c, w2) kernel=3x3 pad=1
                }
                """), file);
        return file;
    }

    @Test
    void thePrunedNetworkComputesWhatTheMaskedModelComputes() {
        Path model = network();
        Path pattern = folder.resolve("pattern.json");
        JsonNode pruned = CommandLineRun.of("prune", model, "--amount", 0.5, "-o", pattern, "--json").json();
        assertEquals(2, pruned.path("consumers").asInt());
        Path output = folder.resolve("pruned.onnx");
        JsonNode exported = CommandLineRun.of("export", model, "--pattern", pattern, "-o", output, "--json").json();
        assertTrue(exported.path("parameters").asLong() < 8 * 3 * 9 + 8 * 8 + 4 * 8 * 9, exported.toString());

        Graph masked = Masking.apply(OnnxImporter.read(model), PatternFile.read(pattern.toString()));
        Map<String, Tensor> input = Map.of("x", Tensor.random(masked.type("x"), 7));
        double[] expected = Interpreter.run(masked, input).get("y").values();
        DoubleTensor actual = Interpreter.run(OnnxImporter.read(output), input).get("y");
        for (int k = 0; k < expected.length; k++) {
            assertEquals(expected[k], actual.values()[k], 1e-5);
        }
    }

    @Test
    void refusesWhatItCannotDoAndWritesNothing() {
        Path output = folder.resolve("none.json");
        CommandLineRun.of("prune", network(), "--amount", 1.5, "-o", output).refused("amount 1.5");
        CommandLineRun.of("prune", network(), "--amount", 0.5, "--heuristic", "luck", "-o", output).refused("luck", "l1, l2");
        CommandLineRun.of("export", network(), "--variant", "best", "-o", output).refused("best", "upscale");
        assertFalse(Files.exists(output));
    }
}
