package dev.upscale.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.Upscale;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.plan.Plan;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlanAssertTest {
    /** Two consumers that want channels 0 and 2, and 1 and 2: an order exists for both, and the baseline does not look for it. */
    private static final Graph NETWORK = GraphText.parse("""
            graph forked(x: f32[1,3,4,4]) -> a, b {
              w: f32[3,3,1,1] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
              v: f32[1,3,1,1] = [1, 0, 1]
              u: f32[1,3,1,1] = [0, 1, 1]
              t = Conv(x, w) kernel=1
              a = Conv(t, v) kernel=1
              b = Conv(t, u) kernel=1
            }
            """);

    @TempDir
    private Path folder;

    @Test
    void whatHoldsPasses() {
        PlanAssert plan = PlanAssert.assertCompiled(NETWORK);
        assertEquals(plan.plan().weightsBytes(), plan.hasAtMostCopies(1).hasArenaOfAtMost(10_000).hasAtMostMultiplyAdds(3 * 9 * 16).plan().weightsBytes());
    }

    @Test
    void aFailureListsTheCopiesThatAreLeftAndWhy() {
        Plan baseline = Upscale.compile(NETWORK, CompileOptions.of(Variant.BASELINE));
        String message = assertThrows(AssertionError.class, () -> PlanAssert.assertThat(baseline).hasAtMostCopies(0)).getMessage();
        assertTrue(message.startsWith("forked (baseline) has ") && message.contains(" copies, where at most 0 are allowed\n"), message);
        assertTrue(message.contains("\n  gather of 128 bytes: t.channels") && message.lines().anyMatch(line -> line.startsWith("    ")), message);
        assertThrows(AssertionError.class, () -> PlanAssert.assertThat(baseline).copiesAtMost(127));
        PlanAssert.assertThat(baseline).hasAtMostCopies(10).copiesAtMost(10_000);
    }

    @Test
    void everyLimitCanFail() {
        PlanAssert plan = PlanAssert.assertCompiled(NETWORK);
        assertTrue(assertThrows(AssertionError.class, () -> plan.hasArenaOfAtMost(1)).getMessage().contains("no arena can be smaller"));
        assertThrows(AssertionError.class, () -> plan.hasWeightsOfAtMost(1));
        assertThrows(AssertionError.class, () -> plan.hasAtMostMultiplyAdds(1));
        assertThrows(AssertionError.class, () -> plan.hasHiddenCopiesOfAtMost(-1));
    }

    @Test
    void filesAreCompiledAsTheyAre() throws IOException {
        Path model = folder.resolve("densenet.onnx");
        try (InputStream resource = Upscale.class.getResourceAsStream("/dev/upscale/demo/densenet.onnx")) {
            Files.write(model, resource.readAllBytes());
        }
        Path pattern = Files.writeString(folder.resolve("pattern.json"), "{\"consumers\": {\"layers.1.c2.weight\": [0, 1, 7, 9]}}");
        long whole = PlanAssert.assertCompiled(model).plan().multiplyAdds();
        PlanAssert.assertCompiled(model, pattern).hasAtMostCopies(1).hasAtMostMultiplyAdds(whole - 1);
    }
}
