package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.graph.GraphText;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import dev.upscale.onnx.OnnxExporter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** {@code copies}, and {@code --input-layout} of the commands. */
class CopiesCommandTest {
    @TempDir
    private Path folder;

    private Path network() {
        Path file = folder.resolve("net.onnx");
        OnnxExporter.write(GraphText.parse("""
                graph net(x: f32[2,3,6,5]) -> y {
                  w0: f32[8,3,3,3] = random(1)
                  a = Conv(x, w0) kernel=3x3 pad=1
                  r = Apply(a) relu
                  w1: f32[4,8,1,1] = random(2)
                  b = Conv(r, w1) kernel=1x1
                  w2: f32[4,8,1,1] = random(3)
                  c = Conv(r, w2) kernel=1x1
                  s = Binary(b, c) add
                  y = Reduce(s) mean axes=[2,3]
                }
                """), file);
        return file;
    }

    @Test
    void imagesInNhwcOrderNeedNoCopyAndComputeTheSame() {
        Path model = network();
        Path image = folder.resolve("x.npy");
        NpyFile.write(image, Tensor.random(TensorType.f32(2, 3, 6, 5), 4));
        float[][] results = new float[2][];
        for (String layout : new String[] {"model", "channels-last"}) {
            Path plan = folder.resolve(layout + ".plan");
            JsonNode compiled = CommandLineRun.of("compile", model, "-o", plan, "--engines", "xnnpack", "--costs", "builtin",
                    "--input-layout", layout, "--json").json();
            assertEquals(layout.equals("model") ? 4 * 2 * 3 * 6 * 5 : 0, compiled.get("copyBytes").asLong(), layout);
            Path output = folder.resolve("y.npy");
            CommandLineRun.of("run", plan, "--input", image, "--output", output, "--json").json();
            results[layout.equals("model") ? 0 : 1] = NpyFile.read(output).floats();
            assertTrue(CommandLineRun.of("verify", model, "--input-layout", layout, "--costs", "builtin", "--json").json()
                    .get("passed").asBoolean(), layout);
        }
        assertArrayEquals(results[0], results[1], 1e-5f);
        assertEquals(0, CommandLineRun.of("compile", model, "-o", folder.resolve("planes.plan"), "--engines", "onednn", "--costs", "builtin",
                "--json").json().get("copyBytes").asLong(), "oneDNN reads planes");
        CommandLineRun.of("compile", model, "-o", folder.resolve("p"), "--input-layout", "NHWC").refused("NHWC", "channels-last");
    }

    @Test
    void whatIsLeftIsExplainedWithTheCostOfTheOtherChoices() throws IOException {
        Path pattern = folder.resolve("p.json");
        Files.writeString(pattern, "{\"consumers\": {\"w1\": [0, 2, 5, 6], \"w2\": [1, 2, 3, 7]}}");
        Path plan = folder.resolve("paper.plan");
        CommandLineRun.of("compile", network(), "--pattern", pattern, "-o", plan, "--engines", "onednn,xnnpack", "--costs", "builtin",
                "--variant", "baseline", "--input-layout", "channels-last", "--json").json();
        JsonNode copy = CommandLineRun.of("explain", plan, "--json").json().get("remaining").get(0);
        assertTrue(copy.get("nanos").asLong() > 0 && copy.get("bytes").asLong() > 0, copy.toString());
        assertTrue(copy.get("alternatives").get(0).has("what") && copy.get("alternatives").get(0).has("nanos"), copy.toString());
        assertTrue(copy.get("reason").asString().contains("cannot be folded into a Conv"), copy.toString());
        assertTrue(CommandLineRun.of("explain", plan).out().contains("a kernel that reads by index"));
    }

    @Test
    void tellsForEachPatternWhatIsCopied() throws IOException {
        Path model = network();
        Path patterns = folder.resolve("net.masks.json");
        CommandLineRun.of("copies", model).refused("net.masks.json", "--patterns");
        Files.writeString(patterns, """
                [{"mask": "half", "consumers": {"w1": [0, 2, 4, 6]}}, {"mask": "whole", "consumers": {}}]
                """);
        JsonNode report = CommandLineRun.of("copies", model, "--engines", "xnnpack", "--costs", "builtin",
                "--variants", "baseline,upscale", "--json").json();
        JsonNode half = report.get("networks").get("net").get("half");
        assertEquals(4 * 2 * 3 * 6 * 5, half.get("upscale").get("copyBytes").asLong());
        assertTrue(half.get("baseline").has("foldedBytes") && report.get("networks").get("net").has("whole"), report.toString());
        assertEquals(3 * 4 * 2 * 3 * 6 * 5, CommandLineRun.of("copies", model, "--engines", "xnnpack", "--costs", "builtin", "--batch", 6,
                "--json").json().get("networks").get("net").get("half").get("upscale").get("copyBytes").asLong());
        CommandLineRun.of("copies", model, "--batch", 0).refused("--batch 0");
        assertTrue(CommandLineRun.of("copies", model, "--costs", "builtin").out().contains("net, half"));
        CommandLineRun.of("copies", model, model, "--patterns", patterns).refused("one model");
        Files.writeString(patterns, "[{\"consumers\": {\"w1\": [9]}}]");
        CommandLineRun.of("copies", model).refused("w1");
    }
}
