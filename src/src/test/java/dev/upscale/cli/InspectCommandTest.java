package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class InspectCommandTest {
    @TempDir
    private Path folder;

    @Test
    void aDenseNetIsTakenApart() throws IOException {
        JsonNode report = CommandLineRun.of("inspect", DemoFiles.model(folder), "--json").json();
        assertEquals(40, report.get("consumers").intValue());
        assertEquals(22, report.get("segments").size());
        assertEquals(55.1, report.get("multiplyAdds").longValue() / 1e6, 0.1);
        assertEquals("f32[1,1,28,28]", report.get("inputs").get("input").stringValue());
        assertEquals("it is an output of the network", report.get("barriers").get(0).get("reason").stringValue());
        JsonNode large = CommandLineRun.of("inspect", DemoFiles.model(folder), "--json", "--batch", 4).json();
        assertEquals(4 * report.get("multiplyAdds").longValue(), large.get("multiplyAdds").longValue());
    }

    @Test
    void aPatternIsCounted() throws IOException {
        Path pattern = Files.writeString(folder.resolve("pattern.json"), "{\"consumers\": {\"layers.1.c2.weight\": [0, 1]}}");
        CommandLineRun run = CommandLineRun.of("inspect", DemoFiles.model(folder), "--pattern", pattern);
        assertTrue(run.out().contains("1 consumers are pruned; all consumers retain 2499 of 2545"), run.out());
    }

    @Test
    void argumentsThatCannotBeAreRefused() throws IOException {
        Path model = DemoFiles.model(folder);
        CommandLineRun.of("inspect", folder.resolve("absent.onnx")).refused("absent.onnx");
        CommandLineRun.of("inspect", model, "--batch", 0).refused("--batch 0");
        CommandLineRun.of("inspect", model, "--input-shape", "input").refused("NAME=1x3x48x192");
        CommandLineRun.of("inspect", model, "--input-shape", "input=1xa").refused("a is not a size");
        CommandLineRun.of("inspect", model, "--input-shape", "other=1x1x28x28").refused("other");
        CommandLineRun.of("inspect", model, "--pattern", folder.resolve("absent.json")).refused("absent.json");
        Path pattern = Files.writeString(folder.resolve("pattern.json"), "{\"consumers\": {\"nobody\": [0]}}");
        CommandLineRun.of("inspect", model, "--pattern", pattern).refused("nobody");
    }

    @Test
    void damagedModelsAreRefusedOrStillNetworks() throws IOException {
        byte[] good = Files.readAllBytes(DemoFiles.model(folder));
        Random random = new Random(3);
        for (int round = 0; round < 40; round++) {
            byte[] damaged = round % 2 == 0 ? Arrays.copyOf(good, random.nextInt(good.length)) : good.clone();
            for (int flip = 0; flip < (round % 2) * 40; flip++) {
                damaged[random.nextInt(good.length)] ^= (byte) (1 << random.nextInt(8));
            }
            CommandLineRun run = CommandLineRun.of("inspect", Files.write(folder.resolve("damaged.onnx"), damaged));
            if (run.exitCode() != 0) {
                run.refused("damaged.onnx");
            }
        }
    }

    @Test
    void damagedPatternsAreRefusedOrStillPatterns() throws IOException {
        Path model = DemoFiles.model(folder);
        byte[] good = "{\"model\": \"densenet\", \"consumers\": {\"layers.1.c2.weight\": [0, 1, 5], \"layers.2.c2.weight\": [3]}}".getBytes();
        Random random = new Random(4);
        for (int round = 0; round < 60; round++) {
            byte[] damaged = round % 2 == 0 ? Arrays.copyOf(good, 1 + random.nextInt(good.length - 1)) : good.clone();
            damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
            Path pattern = Files.write(folder.resolve("damaged.json"), damaged);
            CommandLineRun run = CommandLineRun.of("inspect", model, "--pattern", pattern);
            if (run.exitCode() != 0) {
                run.refused("damaged.json");
            }
        }
    }
}
