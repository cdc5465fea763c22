package dev.upscale.order;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ExactOrderingTest {

    @Test
    void optimalOnEveryInstanceOfTheOracle() {
        List<OracleInstance> instances = OracleInstance.all();
        assertEquals(400, instances.size());
        for (OracleInstance instance : instances) {
            assertOptimal(instance.bestUnweighted(), instance.unweighted(), instance.toString());
            assertOptimal(instance.bestWeighted(), instance.weighted(), instance.toString());
        }
    }

    @Test
    void optimalAmongAllPermutationsWithBlocks() {
        Random random = new Random(11);
        for (int round = 0; round < 400; round++) {
            OrderingProblem problem = Problems.randomWithBlocks(random, 3 + random.nextInt(5), 1 + random.nextInt(7));
            double best = PqTreeTest.permutations(problem.n()).stream().filter(problem::respectsBlocks)
                    .mapToDouble(problem::cost).min().orElseThrow();
            assertOptimal(best, problem, "round " + round);
        }
    }

    /** More sets than a window of the search holds, against every family. */
    @Test
    void optimalAmongAllFamilies() {
        Random random = new Random(12);
        for (int round = 0; round < 60; round++) {
            int n = 10 + random.nextInt(12);
            double[] weights = IntStream.range(0, 12).mapToDouble(i -> 1 + random.nextInt(9)).toArray();
            OrderingProblem problem = Problems.generic(random, n, 12, 0.15 + 0.1 * random.nextDouble(), weights);
            double most = mostValuable(problem, 0, PqTree.of(n));
            assertOptimal(problem.totalValue() - most, problem, "round " + round);
        }
    }

    @Test
    void optimalAmongAllFamiliesWithinBlocks() {
        Random random = new Random(18);
        for (int round = 0; round < 150; round++) {
            OrderingProblem problem = Problems.randomWithBlocks(random, 8 + random.nextInt(10), 11);
            double most = mostValuable(problem, 0, PqTreeTest.reduceAll(problem.n(), problem.blocks()));
            assertOptimal(problem.totalValue() - most, problem, "round " + round);
        }
    }

    @Test
    void hiddenIntervalsCostNothing() {
        Random random = new Random(13);
        for (int n : new int[] {64, 256, 2048}) {
            for (int round = 0; round < 20; round++) {
                OrderingProblem problem = Problems.hiddenIntervals(random, n, 12, 0.5);
                Ordering ordering = ExactOrdering.solve(problem);
                assertEquals(0, ordering.cost());
                assertInstanceOf(Certificate.AllContiguous.class, ordering.certificate());
                assertTrue(ordering.obstacles().isEmpty());
            }
        }
    }

    /** Graphs on which the published path search is exponential: proven optimal, at 40 sets and at 200. */
    @Test
    void layeredGraphsTakeSeconds() {
        for (int[] size : new int[][] {{20, 2}, {10, 4}, {5, 8}, {50, 4}}) {
            Ordering ordering = ExactOrdering.solve(Problems.layered(size[0], size[1]));
            assertTrue(ordering.optimal(), size[0] + " layers of " + size[1]);
            assertTrue(ordering.nanos() < 60e9, size[0] + " layers of " + size[1]);
        }
    }

    @Test
    void ofGenericSetsTwoAreKept() {
        Random random = new Random(14);
        double[] weights = IntStream.range(0, 30).mapToDouble(i -> new int[] {1, 4, 16, 49}[i % 4]).toArray();
        OrderingProblem problem = Problems.generic(random, 512, 30, 0.5, weights);
        double[] worth = IntStream.range(0, 30).mapToDouble(problem::value).sorted().toArray();
        assertOptimal(problem.totalValue() - worth[29] - worth[28], problem, "the two most valuable");
    }

    @Test
    void nestedSetsStandInsideTheirParent() {
        List<int[]> sets = List.of(new int[] {0, 2, 4, 6, 8}, new int[] {2, 6}, new int[] {6, 8}, new int[] {8, 1, 3});
        OrderingProblem problem = OrderingProblem.of(9, sets);
        assertOptimal(0, problem, "nested");
    }

    @Test
    void aTensorInTwoConcatsLiesBetweenItsPartners() {
        List<int[]> blocks = List.of(new int[] {0, 1, 2}, new int[] {3, 4}, new int[] {5, 6, 7},
                new int[] {0, 1, 2, 3, 4}, new int[] {0, 1, 2, 5, 6, 7});
        OrderingProblem problem = new OrderingProblem(8, List.of(new int[] {1, 4}, new int[] {2, 6}), null, blocks);
        assertOptimal(0, problem, "4 beside 1, and 2 beside 6 at the other end");
        OrderingProblem three = OrderingProblem.of(4, List.of(new int[] {0, 1}, new int[] {0, 2}, new int[] {0, 3}),
                new double[] {1, 3, 2});
        assertArrayEquals(new boolean[] {false, true, true}, ExactOrdering.solve(three).contiguous());
    }

    @Test
    void beyondTheBudgetTheBoundsStillHold() {
        Random random = new Random(15);
        OrderingProblem problem = Problems.generic(random, 60, 30, 0.07, null);
        Ordering exact = ExactOrdering.solve(problem);
        assertTrue(exact.optimal());
        for (long budget : new long[] {0, 1_000, 100_000, 1_000_000}) {
            Ordering ordering = ExactOrdering.solve(problem, budget);
            assertTrue(ordering.cost() >= exact.cost());
            assertTrue(ordering.lowerBound() <= exact.cost(), "bound " + ordering.lowerBound() + " of " + exact.cost());
            assertEquals(ordering.optimal(), ordering.lowerBound() == ordering.cost());
        }
    }

    @Test
    void theSameProblemGetsTheSameOrder() {
        Random random = new Random(16);
        OrderingProblem problem = Problems.generic(random, 100, 25, 0.1, null);
        assertArrayEquals(ExactOrdering.solve(problem).order(), ExactOrdering.solve(problem).order());
    }

    @Test
    void setsThatFailFallIntoFewRuns() {
        Random random = new Random(17);
        OrderingProblem problem = Problems.generic(random, 256, 4, 0.5, null);
        Ordering ordering = ExactOrdering.solve(problem);
        assertEquals(2, ordering.contiguousCount());
        // Each of the two that fail meets the three parts that the two others cut the channels into, and what is outside.
        assertTrue(Objective.runs().cost(problem, ordering.order()) <= 6);
    }

    @Test
    void degenerateProblems() {
        assertEquals(0, ExactOrdering.solve(OrderingProblem.of(0, List.of())).cost());
        assertEquals(0, ExactOrdering.solve(OrderingProblem.of(0, List.of(new int[0]))).cost());
        assertArrayEquals(new int[] {0, 1, 2}, ExactOrdering.solve(OrderingProblem.of(3, List.of())).order());
        Ordering ordering = ExactOrdering.solve(OrderingProblem.of(3, List.of(new int[] {}, new int[] {1}, new int[] {2, 0, 1})));
        assertEquals(3, ordering.contiguousCount());
        double[] worthless = {0, 0, 0};
        assertEquals(0, ExactOrdering.solve(OrderingProblem.of(3,
                List.of(new int[] {0, 1}, new int[] {1, 2}, new int[] {0, 2}), worthless)).cost());
    }

    @Test
    void blocksThatConflictAreNamed() {
        OrderingProblem problem = new OrderingProblem(5, List.of(new int[] {0, 3}), null, List.of(new int[] {3, 4},
                new int[] {0, 1}, new int[] {1, 2}, new int[] {0, 2}));
        String message = assertThrows(IllegalArgumentException.class, () -> ExactOrdering.solve(problem)).getMessage();
        assertTrue(message.contains("blocks [1, 2, 3] cannot be contiguous together"), message);
    }

    static void assertOptimal(double expected, OrderingProblem problem, String what) {
        Ordering ordering = ExactOrdering.solve(problem);
        assertEquals(expected, problem.cost(ordering.order()), 1e-9, what);
        assertEquals(expected, ordering.cost(), 1e-9, what);
        assertEquals(expected, ordering.lowerBound(), 1e-9, what);
        assertTrue(ordering.optimal(), what);
        assertTrue(problem.respectsBlocks(ordering.order()), what);
        assertArrayEquals(problem.contiguous(ordering.order()), ordering.contiguous(), what);
        CertificateTest.assertHolds(problem, ordering);
    }

    private static double mostValuable(OrderingProblem problem, int next, PqTree tree) {
        if (next == problem.sets().size()) {
            return 0;
        }
        double without = mostValuable(problem, next + 1, tree);
        PqTree with = tree.reduce(problem.sets().get(next));
        return with == null ? without : Math.max(without, problem.value(next) + mostValuable(problem, next + 1, with));
    }
}
