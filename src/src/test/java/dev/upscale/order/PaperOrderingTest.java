package dev.upscale.order;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PaperOrderingTest {

    @Test
    void layOutAlongThePath() {
        assertOrder("1 0 2 4 3", 5, new int[][] {{0, 1}, {1, 2}, {0, 2, 4}});
    }

    @Test
    void setsWithinAnotherOrderItsChannels() {
        assertOrder("0 2 1 3", 4, new int[][] {{0, 1, 2}, {0, 2}, {1, 2}, {3}});
        assertOrder("0 1 2", 3, new int[][] {{0}, {0, 1}, {0, 1, 2}, {0, 1, 2}});
    }

    @Test
    void ofThreeMutuallyOverlappingSetsTheThirdIsLeft() {
        OrderingProblem intervals = OrderingProblem.of(5, List.of(new int[] {3, 1, 4}, new int[] {1, 4, 0},
                new int[] {4, 0, 2}));
        assertEquals(3, PaperOrdering.solve(intervals).cost());
        assertEquals(new Certificate.AllContiguous(), PaperOrdering.solve(intervals).certificate());
    }

    @Test
    void producersKeepTheirOrder() {
        OrderingProblem problem = new OrderingProblem(8, List.of(new int[] {0, 2, 5, 7}, new int[] {1, 3}), null,
                List.of(new int[] {0, 1, 2, 3}, new int[] {4, 5, 6, 7}));
        int[] order = PaperOrdering.order(problem);
        assertTrue(problem.respectsBlocks(order));
        assertEquals("0 2 1 3 5 7 4 6", join(order));
    }

    /** The costs of the published implementation, recorded. */
    @Test
    void costsWhatThePublishedImplementationCosts() {
        for (OracleInstance instance : OracleInstance.all()) {
            int[] order = PaperOrdering.order(instance.unweighted());
            assertEquals(instance.reference(), instance.unweighted().cost(order), instance::toString);
            assertEquals(instance.referenceWeighted(), instance.weighted().cost(order), instance::toString);
        }
    }

    /** The published code needs 44 s for 40 sets in layers, each of which overlaps all sets of the next layer. */
    @Test
    void theBudgetBoundsTheSearch() {
        for (int layers : new int[] {10, 50}) {
            OrderingProblem problem = Problems.layered(layers, 4);
            long start = System.nanoTime();
            Ordering ordering = PaperOrdering.solve(problem);
            assertTrue(System.nanoTime() - start < 20e9);
            assertTrue(ordering.cost() < problem.totalValue());
        }
    }

    @Test
    void blocksAreAlwaysRespected() {
        Random random = new Random(3);
        for (int round = 0; round < 300; round++) {
            OrderingProblem problem = Problems.randomWithBlocks(random, 4 + random.nextInt(20), 1 + random.nextInt(8));
            int[] order = PaperOrdering.order(problem);
            assertTrue(problem.respectsBlocks(order));
            assertArrayEquals(order, PaperOrdering.order(problem));
        }
    }

    private static void assertOrder(String expected, int n, int[][] sets) {
        assertEquals(expected, join(PaperOrdering.order(OrderingProblem.of(n, List.of(sets)))));
    }

    private static String join(int[] order) {
        List<String> words = new ArrayList<>();
        for (int c : order) {
            words.add(Integer.toString(c));
        }
        return String.join(" ", words);
    }
}
