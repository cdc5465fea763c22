package dev.upscale.compress;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.channels.Masking;
import dev.upscale.channels.Pattern;
import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Tensor;
import dev.upscale.prune.PruneOptions;
import dev.upscale.prune.Pruner;
import dev.upscale.prune.Ratings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompensationTest {
    /** Channel 2 of a is the sum of 0 and 1, so that a consumer needs only two of the three. */
    private static final Graph REDUNDANT = GraphText.parse("""
            graph redundant(x: f32[4,2,7,9]) -> z {
              w0: f32[3,2,1,1] = [1, 0.5, -1, 2, 0, 2.5]
              w1: f32[5,3,3,3] = random(1)
              b1: f32[5] = random(2)
              w2: f32[4,5,3,2] = random(3)
              wl: f32[3,80] = random(4)
              a = Conv(x, w0) kernel=1
              b = Conv(a, w1, b1) kernel=3 pad=1
              c = Apply(b) relu
              d = Conv(c, w2) kernel=3x2 stride=2 pad=1,0,1,1
              f = Reshape(d) dims=[4,80]
              z = Linear(f, wl)
            }
            """);

    @TempDir
    private Path folder;

    @Test
    void whatALayerCanDoWithoutIsMadeGoodExactly() {
        Pattern pattern = new Pattern("redundant", Map.of("w1", new int[] {0, 1}), Map.of());
        Map<String, Solution> solutions = Compensation.solve(REDUNDANT, pattern, images(400), options(), Checkpoint.none(), Progress.NONE);
        Graph solved = Compensation.apply(REDUNDANT, pattern, solutions);
        assertEquals(List.of("w1", "w2", "wl"), List.copyOf(solutions.keySet()), "w0 reads what nothing has changed");
        assertTrue(difference(Masking.apply(REDUNDANT, pattern), 100) > 0.1, "the masked model is another network");
        assertEquals(0, difference(solved, 100), 1e-3);
        assertArrayEquals(new int[] {0, 1}, Masking.read(solved).consumers().get("w1"));
        assertTrue(solutions.get("w1").errorBefore() > 0.01 && solutions.get("w1").errorAfter() < 1e-5, solutions.get("w1").toString());
    }

    @Test
    void errorsBeforeItAreMadeUpForWhereTheyCanBe() {
        Pattern pattern = new Pattern("redundant", Map.of("w1", new int[] {0}, "w2", new int[] {0, 1, 3}), Map.of());
        Map<String, Solution> solutions = Compensation.solve(REDUNDANT, pattern, images(400), options(), Checkpoint.none(), Progress.NONE);
        Graph solved = Compensation.apply(REDUNDANT, pattern, solutions);
        assertTrue(difference(solved, 100) < 0.95 * difference(Masking.apply(REDUNDANT, pattern), 100));
        solutions.values().forEach(solution -> assertTrue(solution.errorAfter() <= solution.errorBefore() + 1e-5, solution.weight()));
    }

    @Test
    void filtersThatAreNotRetainedStayZero() {
        Pattern pattern = new Pattern("redundant", Map.of(), Map.of("w1", new int[] {0, 2, 3, 4}));
        Graph solved = Compensation.apply(REDUNDANT, pattern,
                Compensation.solve(REDUNDANT, pattern, images(400), options(), Checkpoint.none(), Progress.NONE));
        assertArrayEquals(new int[] {0, 2, 3, 4}, Masking.read(solved).producers().get("w1"));
        assertEquals(REDUNDANT.weight("b1").floats()[1], solved.weight("b1").floats()[1]);
    }

    @Test
    void activationsBeyondTheHeapAreTheSame() {
        Pattern pattern = new Pattern("redundant", Map.of("w1", new int[] {0, 2}), Map.of());
        Map<String, Solution> inHeap = Compensation.solve(REDUNDANT, pattern, images(400), options(), Checkpoint.none(), Progress.NONE);
        Map<String, Solution> onDisk = Compensation.solve(REDUNDANT, pattern, images(400), new Compensation.Options(1e-5, 1, 5000),
                Checkpoint.none(), Progress.NONE);
        inHeap.forEach((weight, solution) -> assertArrayEquals(solution.values(), onDisk.get(weight).values(), 1e-4f));
    }

    @Test
    void workThatWasStoppedGoesOn() {
        Pattern pattern = new Pattern("redundant", Map.of("w1", new int[] {0, 1}), Map.of());
        Images images = images(400);
        Checkpoint checkpoint = Checkpoint.in(folder.resolve("work"), REDUNDANT, pattern, images, 1e-6);
        Assertions.assertThrows(IllegalStateException.class, () -> Compensation.solve(REDUNDANT, pattern, images, options(), checkpoint,
                (done, total, what) -> {
                    if (done == 3) {
                        throw new IllegalStateException("stopped");
                    }
                }));
        assertTrue(checkpoint.read(1, "w1").isPresent());
        assertFalse(checkpoint.read(3, "w2").isPresent());
        Map<String, Solution> resumed = Compensation.solve(REDUNDANT, pattern, images, options(), checkpoint, Progress.NONE);
        assertEquals(0, difference(Compensation.apply(REDUNDANT, pattern, resumed), 100), 1e-3);
        Checkpoint other = Checkpoint.in(folder.resolve("work"), REDUNDANT, Pattern.WHOLE, images, 1e-6);
        assertFalse(other.read(1, "w1").isPresent(), "of another pattern");
        checkpoint.discard();
        assertFalse(folder.resolve("work").toFile().exists());
    }

    @Test
    void theErrorLeftSaysWhichChannelIsNotNeeded() {
        Graph graph = GraphText.parse("""
                graph triple(x: f32[4,2,5,5]) -> z {
                  w0: f32[4,2,1,1] = [1, 0.5, -1, 2, 0, 0.00001, 1, 3]
                  w1: f32[5,4,3,3] = random(1)
                  w2: f32[2,4,1,1] = random(2)
                  a = Conv(x, w0) kernel=1
                  b = Conv(a, w1) kernel=3 pad=1
                  c = Conv(a, w2) kernel=1
                  z = Concat(b, c) axis=1
                }
                """);
        for (PruneOptions.Method method : PruneOptions.Method.values()) {
            Ratings ratings = Criteria.residuals(graph, images(40, 50), method, options(), Progress.NONE);
            Pattern pattern = Pruner.prune(graph, ratings, PruneOptions.of(0.5, method));
            // Two of the four channels hold all there is to know of two inputs, but not with channel 2, which is next to nothing.
            for (int[] retained : pattern.consumers().values()) {
                assertEquals(2, retained.length);
                assertTrue(retained[0] != 2 && retained[1] != 2, "channel 2 says nothing");
            }
            if (method == PruneOptions.Method.CONSTRAINED) {
                assertArrayEquals(pattern.consumers().get("w1"), pattern.consumers().get("w2"));
            }
        }
    }

    @Test
    void tooFewImagesAreRefused() {
        Assertions.assertThrows(InvalidInput.class,
                () -> Compensation.solve(REDUNDANT, Pattern.WHOLE, images(3), options(), Checkpoint.none(), Progress.NONE));
    }

    private static Compensation.Options options() {
        return new Compensation.Options(1e-5, 2, 1 << 24);
    }

    private static Images images(int count) {
        return images(count, 2 * 7 * 9);
    }

    private static Images images(int count, int elements) {
        float[] values = new float[count * elements];
        Random random = new Random(3);
        for (int k = 0; k < values.length; k++) {
            values[k] = (float) random.nextGaussian();
        }
        return new Images() {
            @Override
            public int count() {
                return count;
            }

            @Override
            public void fill(int first, int images, float[] into) {
                System.arraycopy(values, first * elements, into, 0, images * elements);
            }
        };
    }

    /** The relative error of a network's outputs on images that it was not made from, by the reference engine. */
    private static double difference(Graph graph, int seed) {
        float[] values = new float[(int) REDUNDANT.type("x").elements()];
        Random random = new Random(seed);
        for (int k = 0; k < values.length; k++) {
            values[k] = (float) random.nextGaussian();
        }
        Tensor inputs = Tensor.of(REDUNDANT.type("x"), values);
        List<double[]> outputs = new ArrayList<>();
        for (Graph network : List.of(REDUNDANT, graph)) {
            outputs.add(Interpreter.run(network, Map.of("x", inputs)).get("z").values());
        }
        double difference = 0;
        double norm = 0;
        for (int k = 0; k < outputs.getFirst().length; k++) {
            difference += Math.pow(outputs.getFirst()[k] - outputs.getLast()[k], 2);
            norm += Math.pow(outputs.getFirst()[k], 2);
        }
        return Math.sqrt(difference / norm);
    }
}
