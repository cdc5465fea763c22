package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.graph.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class EvalCommandTest {
    private static final String[] NORMALISED = {"--mean", "0.2860", "--std", "0.3530"};

    @TempDir
    private Path folder;

    @Test
    void theBundledNetworkIsAsGoodAsItWasTrained() throws IOException {
        Path model = DemoFiles.model(folder);
        data();
        JsonNode whole = CommandLineRun.of("eval", model, "--data", folder, "--images", "1030", "--mean", "0.2860", "--std", "0.3530", "--json").json();
        assertEquals(1030, whole.get("images").intValue());
        assertTrue(whole.get("top1").doubleValue() > 0.88, whole.toString());
        assertTrue(whole.get("top5").doubleValue() > 0.98);
        assertEquals(1, whole.get("agreement").doubleValue());
    }

    @Test
    void compensationBringsAccuracyBack() throws IOException {
        Path model = DemoFiles.model(folder);
        Path images = data();
        Path pattern = folder.resolve("p.json");
        Path solved = folder.resolve("solved.onnx");
        // The calibration data are labelled images here, which the labels beside them must not keep from being used.
        JsonNode report = CommandLineRun.of("prune", model, "--amount", "0.4", "-o", pattern, "--compensate", images, "--images", "256", "--weights",
                solved, "--mean", "0.2860", "--std", "0.3530", "--threads", "2", "--json").json();
        assertTrue(report.get("seconds").doubleValue() > 0);
        assertTrue(report.get("layers").size() > 20);
        assertTrue(Files.exists(solved) && !Files.exists(folder.resolve("solved.onnx.work")));
        JsonNode pruned = eval(model, "--pattern", pattern);
        JsonNode compensated = eval(solved, "--reference", model);
        assertTrue(pruned.get("top1").doubleValue() < 0.7, pruned.toString());
        assertTrue(compensated.get("top1").doubleValue() > 0.86, compensated.toString());
        assertTrue(compensated.get("agreement").doubleValue() > 0.9, compensated.toString());
    }

    private JsonNode eval(Object model, Object option, Object value) {
        return CommandLineRun.of("eval", model, option, value, "--data", folder, "--images", "1000", NORMALISED[0], NORMALISED[1], NORMALISED[2],
                NORMALISED[3], "--threads", "2", "--json").json();
    }

    @Test
    void dataThatDoNotFitAreRefused() throws IOException {
        Path model = DemoFiles.model(folder);
        Path images = data();
        CommandLineRun.of("eval", model, "--data", images).refused("images and labels");
        CommandLineRun.of("eval", model, "--data", images, images).refused("labels for 2000 images");
        CommandLineRun.of("eval", model, "--data", folder.resolve("none")).refused("none");
        CommandLineRun.of("eval", model, "--data", folder, "--mean", "1,2").refused("--mean has 2");
        CommandLineRun.of("eval", model, "--data", folder, "--std", "0").refused("above 0");
        Path small = folder.resolve("small.npy");
        NpyFile.write(small, Tensor.f32(new float[2 * 27 * 28], 2, 1, 27, 28));
        CommandLineRun.of("eval", model, "--data", small, small).refused("[1, 28, 28]");
        CommandLineRun.of("prune", model, "--amount", "0.5", "-o", folder.resolve("p"), "--heuristic", "hrank").refused("--data");
        CommandLineRun.of("prune", model, "--amount", "0.5", "-o", folder.resolve("p"), "--compensate", images).refused("--weights");
    }

    /** The bundled test images and labels as files; their folder. */
    private Path data() throws IOException {
        for (String kind : new String[] {"images-idx3", "labels-idx1"}) {
            try (InputStream resource = Main.class.getResourceAsStream("/dev/upscale/demo/" + kind + "-ubyte.gz")) {
                Files.write(folder.resolve("test-" + kind + "-ubyte.gz"), resource.readAllBytes());
            }
        }
        return folder.resolve("test-images-idx3-ubyte.gz");
    }
}
