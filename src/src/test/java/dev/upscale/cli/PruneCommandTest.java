package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.upscale.channels.Pattern;
import dev.upscale.channels.PatternFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class PruneCommandTest {
    @TempDir
    private Path folder;

    @Test
    void aPatternRetainsWhatWasAskedFor() throws IOException {
        Path pattern = folder.resolve("pattern.json");
        JsonNode report = CommandLineRun.of("prune", DemoFiles.model(folder), "--amount", "0.5", "-o", pattern, "--json").json();
        Pattern read = PatternFile.read(pattern.toString());
        assertEquals(24, read.consumers().get("layers.1.c2.weight").length);
        assertFalse(read.consumers().containsKey("layers.0.weight"), "it reads the network's input");
        assertEquals(38, report.get("consumers").intValue());
        assertEquals(read.consumers().values().stream().mapToInt(channels -> channels.length).sum(), report.get("retainedChannels").intValue());
    }

    @Test
    void argumentsThatCannotBeAreRefused() throws IOException {
        Path model = DemoFiles.model(folder);
        Path pattern = folder.resolve("pattern.json");
        CommandLineRun.of("prune", model, "--amount", "1", "-o", pattern).refused("amount 1.0");
        CommandLineRun.of("prune", model, "--amount", "half", "-o", pattern).refused("half");
        CommandLineRun.of("prune", model, "--amount", "0.5").refused("--output");
        CommandLineRun.of("prune", model, "--amount", "0.5", "--heuristic", "luck", "-o", pattern).refused("luck");
        CommandLineRun.of("prune", model, "--amount", "0.5", "--method", "none", "-o", pattern).refused("none");
        assertFalse(Files.exists(pattern));
    }
}
