package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.upscale.Upscale;
import dev.upscale.graph.GraphText;
import dev.upscale.graph.Tensor;
import dev.upscale.plan.Plan;
import dev.upscale.runtime.SessionMemory;
import dev.upscale.runtime.SessionOptions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RunnerTest {
    private static final Map<String, Tensor> INPUTS = Map.of("x", Tensor.f32(new float[] {-1, 2}, 1, 2));
    private static final float[] POSITIVE = {0, 2};
    private static final float[] DOUBLED = {-2, 4};

    private static Plan plan(String operation) {
        return Upscale.compile(GraphText.parse("""
                graph g(x: f32[1,2]) -> y {
                  y = %s
                }
                """.formatted(operation)));
    }

    private static void assertOutput(float[] expected, Runner runner) {
        assertArrayEquals(expected, runner.outputs().getFirst());
    }

    @Test
    void runnersBesideEachOtherReadTheSameInputsAndWriteTheSameOutputs() {
        Plan relu = plan("Apply(x) relu");
        Plan sum = plan("Binary(x, x) add");
        try (SessionMemory memory = SessionMemory.of(1, List.of(relu, sum))) {
            SessionOptions options = SessionOptions.threads(1).withPoison().withMemory(memory);
            try (Runner positive = Runner.open(relu, options, INPUTS); Runner again = positive.beside(options);
                    Runner doubled = positive.beside(sum, options, INPUTS);
                    Runner alone = Runner.open(relu, SessionOptions.threads(1), INPUTS)) {
                takeTurns(positive, again, doubled, alone);
            }
        }
    }

    private static void takeTurns(Runner positive, Runner again, Runner doubled, Runner alone) {
        positive.run();
        alone.run();
        assertOutput(POSITIVE, doubled);
        doubled.run();
        assertOutput(DOUBLED, positive);
        assertOutput(POSITIVE, alone);
        again.run();
        assertOutput(POSITIVE, doubled);
        positive.fill(0, new float[] {0, 3});
        doubled.run();
        assertOutput(new float[] {0, 6}, doubled);
    }
}
