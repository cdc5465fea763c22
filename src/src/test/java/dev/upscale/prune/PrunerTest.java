package dev.upscale.prune;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.upscale.channels.ChannelFlow;
import dev.upscale.channels.Pattern;
import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.graph.InvalidInput;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PrunerTest {
    /** Two convolutions and a matrix product read what one convolution makes. */
    private static final Graph FORK = GraphText.parse("""
            graph fork(x: f32[1,2,1,1]) -> y, z {
              w0: f32[4,2,1,1] = ones
              wa: f32[1,4,1,1] = [3, -4, 1, 2]
              wb: f32[1,4,1,1] = [1, 1, 9, 8]
              wl: f32[1,4] = [1, 1, 1, 20]
              a = Conv(x, w0) kernel=1
              b = Conv(a, wa) kernel=1
              c = Conv(a, wb) kernel=1
              y = Binary(b, c) add
              f = Reshape(a) dims=[1,4]
              z = Linear(f, wl)
            }
            """);

    @Test
    void eachConvolutionRetainsWhatMattersToItself() {
        Pattern pattern = Pruner.prune(FORK, Heuristic.L1, 0.5, PruneOptions.Method.UNCONSTRAINED);
        assertRetained(Map.of("wa", new int[] {0, 1}, "wb", new int[] {2, 3}), pattern);
    }

    @Test
    void aSegmentRetainsWhatMattersToAllOfItsConsumers() {
        Pattern pattern = Pruner.prune(FORK, Heuristic.L1, 0.5, PruneOptions.Method.CONSTRAINED);
        assertRetained(Map.of("wa", new int[] {2, 3}, "wb", new int[] {2, 3}, "wl", new int[] {2, 3}), pattern);
    }

    @Test
    void theShareIsRoundedInFavourOfChannelsAndOneIsAlwaysRetained() {
        assertEquals(4, retained(0));
        assertEquals(4, retained(0.2));
        assertEquals(3, retained(0.25));
        assertEquals(1, retained(0.99));
        assertThrows(InvalidInput.class, () -> retained(1));
        assertThrows(InvalidInput.class, () -> retained(Double.NaN));
    }

    @Test
    void tiesAreDecidedByPosition() {
        Pattern pattern = Pruner.prune(FORK, Heuristic.L2, 0.5, PruneOptions.Method.UNCONSTRAINED);
        assertArrayEquals(new int[] {2, 3}, pattern.consumers().get("wb"));
        Graph even = GraphText.parse("""
                graph even(x: f32[1,1,1,1]) -> y {
                  w0: f32[4,1,1,1] = ones
                  w1: f32[1,4,1,1] = ones
                  a = Conv(x, w0) kernel=1
                  y = Conv(a, w1) kernel=1
                }
                """);
        assertArrayEquals(new int[] {0, 1}, Pruner.prune(even, Heuristic.L2, 0.5, PruneOptions.Method.UNCONSTRAINED).consumers().get("w1"));
    }

    @Test
    void anUnconstrainedPatternIsConstrainedByVotes() {
        Pattern unconstrained = new Pattern("fork", Map.of("wa", new int[] {0, 2}, "wb", new int[] {2}), Map.of());
        Pattern constrained = ConstrainPattern.apply(FORK, unconstrained);
        // Retained on average: (2 + 1 + 4) / 3 of 4. Channel 2 has three votes, 0 two, of 1 and 3 neither is retained.
        assertRetained(Map.of("w0", new int[] {0, 1}, "wa", new int[] {0, 2}, "wb", new int[] {0, 2}, "wl", new int[] {0, 2}), constrained);
    }

    /** Of consumer wa: |w| = 3, 4, 1, 2; of wb: 1, 1, 9, 8. */
    @Test
    void aGlobalRankingTakesTheSmallestOfAllWeights() {
        Pattern pattern = Pruner.prune(FORK, new WeightRatings(FORK, Heuristic.L1, 0), PruneOptions.of(0.5, PruneOptions.Method.UNCONSTRAINED).globally());
        assertRetained(Map.of("wa", new int[] {0, 1}, "wb", new int[] {2, 3}), pattern);
        Pattern more = Pruner.prune(FORK, new WeightRatings(FORK, Heuristic.L1, 0), PruneOptions.of(0.7, PruneOptions.Method.UNCONSTRAINED).globally());
        assertRetained(Map.of("wa", new int[] {1}, "wb", new int[] {2, 3}), more);
        Pattern all = Pruner.prune(FORK, new WeightRatings(FORK, Heuristic.L1, 0), PruneOptions.of(0.99, PruneOptions.Method.UNCONSTRAINED).globally());
        assertRetained(Map.of("wa", new int[] {1}, "wb", new int[] {2}), all);
    }

    /** Squares 9, 16, 1, 4 in ascending order 1, 4, 9, 16: over what is not smaller 1/30, 4/29, 9/25, 1. */
    @Test
    void lampComparesAChannelWithThoseThatAreNotSmaller() {
        double[] ratings = new WeightRatings(FORK, Heuristic.LAMP, 0).inputs(consumer(FORK, "wa"));
        assertArrayEquals(new double[] {9 / 25.0, 1, 1 / 30.0, 4 / 29.0}, ratings, 1e-12);
    }

    /** One number for each channel: 3, −4, 1, 2. Distances of 1: to 3, −4 and 2, in all 2 + 5 + 1. */
    @Test
    void theGeometricMedianIsWhatLiesNearest() {
        double[] ratings = new WeightRatings(FORK, Heuristic.FPGM, 0).inputs(consumer(FORK, "wa"));
        assertArrayEquals(new double[] {7 + 2 + 1, 7 + 5 + 6, 2 + 5 + 1, 1 + 6 + 1}, ratings, 1e-12);
    }

    @Test
    void chanceIsTheSameForTheSameSeed() {
        double[] once = new WeightRatings(FORK, Heuristic.RANDOM, 7).inputs(consumer(FORK, "wa"));
        assertArrayEquals(once, new WeightRatings(FORK, Heuristic.RANDOM, 7).inputs(consumer(FORK, "wa")));
        assertFalse(Arrays.equals(once, new WeightRatings(FORK, Heuristic.RANDOM, 8).inputs(consumer(FORK, "wa"))));
        assertFalse(Arrays.equals(once, new WeightRatings(FORK, Heuristic.RANDOM, 7).inputs(consumer(FORK, "wb"))));
    }

    @Test
    void theOutputSidePrunesFiltersThatNoBarrierReads() {
        Graph graph = GraphText.parse("""
                graph chain(x: f32[1,2,1,1]) -> z {
                  w0: f32[3,2,1,1] = [1, 1, 5, 0, 0, 2]
                  w1: f32[2,3,1,1] = ones
                  a = Conv(x, w0) kernel=1
                  z = Conv(a, w1) kernel=1
                }
                """);
        PruneOptions options = PruneOptions.of(0.4, PruneOptions.Method.UNCONSTRAINED).withSide(PruneOptions.Side.OUTPUT);
        // L1 norms of the filters: 2, 5, 2; of equal ones the first stays. w1 makes the network's output.
        for (PruneOptions.Method method : PruneOptions.Method.values()) {
            PruneOptions chosen = PruneOptions.of(0.4, method).withSide(PruneOptions.Side.OUTPUT);
            Pattern pattern = Pruner.prune(graph, new WeightRatings(graph, Heuristic.L1, 0), chosen);
            assertEquals(Map.of(), pattern.consumers());
            assertEquals(Set.of("w0"), pattern.producers().keySet());
            assertArrayEquals(new int[] {0, 1}, pattern.producers().get("w0"));
        }
        assertThrows(InvalidInput.class, () -> Pruner.prune(graph, new WeightRatings(graph, Heuristic.L1, 0), options.withAmounts(Map.of("w1", 0.5))));
    }

    @Test
    void aWeightMayHaveAnAmountOfItsOwn() {
        WeightRatings ratings = new WeightRatings(FORK, Heuristic.L1, 0);
        PruneOptions each = PruneOptions.of(0.5, PruneOptions.Method.UNCONSTRAINED).withAmounts(Map.of("wa", 0.0, "wb", 0.75));
        assertRetained(Map.of("wa", new int[] {0, 1, 2, 3}, "wb", new int[] {2}), Pruner.prune(FORK, ratings, each));
        PruneOptions together = PruneOptions.of(0.5, PruneOptions.Method.CONSTRAINED).withAmounts(Map.of("wa", 0.25));
        int[] three = {1, 2, 3};
        assertRetained(Map.of("wa", three, "wb", three, "wl", three), Pruner.prune(FORK, ratings, together));
        assertThrows(InvalidInput.class, () -> PruneOptions.of(0.5, PruneOptions.Method.UNCONSTRAINED).withAmounts(Map.of("wa", 0.5)).globally());
    }

    @Test
    void aHeuristicOfInputsNeedsInputs() {
        assertThrows(InvalidInput.class, () -> new WeightRatings(FORK, Heuristic.HRANK, 0));
    }

    /** A zero map has rank 0, an outer product 1, the identity 2; two images are summed. */
    @Test
    void aFeatureMapsRankIsThatOfItsMatrix() {
        FeatureRanks ranks = new FeatureRanks();
        float[] maps = {0, 0, 0, 0, 1, 2, 2, 4, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3, 4};
        ranks.add("a", maps, 2, 3, 2, 2);
        assertArrayEquals(new double[] {0, 2, 4}, ranks.inputs(consumer(FORK, "wa")));
    }

    @Test
    void ranksOfRandomMatricesAreFull() {
        Random random = new Random(1);
        double[][] matrix = new double[7][5];
        double[][] product = new double[7][5];
        for (int row = 0; row < 7; row++) {
            double[] factors = {random.nextGaussian(), random.nextGaussian(), random.nextGaussian()};
            for (int column = 0; column < 5; column++) {
                matrix[row][column] = random.nextGaussian();
                product[row][column] = factors[0] * column + factors[1] * Math.cos(column) + factors[2];
            }
        }
        assertEquals(5, FeatureRanks.rank(matrix));
        assertEquals(3, FeatureRanks.rank(product));
    }

    private static ChannelFlow.Consumer consumer(Graph graph, String weight) {
        return ChannelFlow.of(graph).consumers().stream().filter(found -> found.weight().equals(weight)).findFirst().orElseThrow();
    }

    private static int retained(double amount) {
        return Pruner.prune(FORK, Heuristic.L1, amount, PruneOptions.Method.UNCONSTRAINED).consumers().get("wa").length;
    }

    private static void assertRetained(Map<String, int[]> expected, Pattern pattern) {
        assertEquals(Set.copyOf(expected.keySet()), pattern.consumers().keySet());
        expected.forEach((weight, channels) -> assertArrayEquals(channels, pattern.consumers().get(weight), weight));
    }
}
