package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.channels.Masking;
import dev.upscale.channels.Pattern;
import dev.upscale.channels.PatternFile;
import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.graph.Tensor;
import dev.upscale.onnx.ImportOptions;
import dev.upscale.onnx.OnnxExporter;
import dev.upscale.onnx.OnnxImporter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class TuneCommandTest {
    /** Of the 64 channels of a, all that c and d need is in two: the rest repeats them. */
    private static final Graph REDUNDANT = GraphText.parse("""
            graph redundant(x: f32[1,2,24,24]) -> z {
              w0: f32[64,2,1,1] = random(1)
              w1: f32[48,64,3,3] = random(2)
              w2: f32[48,64,3,3] = random(3)
              w3: f32[5,48,1,1] = random(4)
              a = Conv(x, w0) kernel=1
              b = Conv(a, w1) kernel=3 pad=1
              c = Conv(a, w2) kernel=3 pad=1
              d = Binary(b, c) add
              e = Apply(d) relu
              f = Conv(e, w3) kernel=1
              g = Reduce(f) mean axes=[2,3]
              z = Reshape(g) dims=[1,5]
            }
            """);

    @TempDir
    private Path folder;

    private Path model;
    private Path images;

    @BeforeEach
    void writeModel() {
        model = folder.resolve("redundant.onnx");
        OnnxExporter.write(REDUNDANT, model);
        images = folder.resolve("images.npy");
        float[] values = new float[64 * 2 * 24 * 24];
        Random random = new Random(5);
        for (int k = 0; k < values.length; k++) {
            values[k] = (float) random.nextGaussian();
        }
        NpyFile.write(images, Tensor.f32(values, 64, 2, 24, 24));
    }

    @Test
    void aBudgetOfTimeIsMetByWhatIsNotNeeded() throws IOException {
        Path pattern = folder.resolve("tuned.json");
        Path solved = folder.resolve("tuned.onnx");
        JsonNode report = CommandLineRun.of("tune", model, "--data", images, "--latency-ratio", "0.6", "--probes", "32", "--seconds", "0.1",
                "-o", pattern, "--weights", solved, "--json").json();
        assertTrue(report.get("measuredRatio").doubleValue() <= 0.6, report.toString());
        Pattern found = PatternFile.read(pattern.toString());
        assertTrue(found.consumers().get("w1").length < 64 && found.consumers().get("w2").length < 64, report.toString());
        Graph network = OnnxImporter.read(solved, ImportOptions.defaults());
        found.consumers().forEach((weight, retained) -> {
            int[] read = Masking.read(network).consumers().get(weight);
            if (read != null) {
                assertArrayEquals(retained, read, "compile reads the pattern from the zeros of " + weight);
            }
        });
        assertTrue(Files.size(folder.resolve("tuned.json.curves.json")) > 100);
        JsonNode again = CommandLineRun.of("tune", model, "--data", images, "--latency-ratio", "0.8", "--seconds", "0.1", "-o", pattern, "--json").json();
        assertTrue(again.get("retainedChannels").intValue() >= report.get("retainedChannels").intValue(), "more time, more channels");
    }

    @Test
    void whatCannotBeIsRefused() {
        Path pattern = folder.resolve("p.json");
        CommandLineRun.of("tune", model, "--data", images, "--latency-ratio", "1.5", "-o", pattern).refused("--latency-ratio 1.5");
        CommandLineRun.of("tune", model, "--data", images, "--latency-ratio", "0.5", "--costs", "builtin", "-o", pattern).refused("--costs measured");
        assertEquals(false, Files.exists(pattern));
    }
}
