package dev.upscale.order;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ObjectiveTest {

    private static final OrderingProblem PROBLEM = OrderingProblem.of(8,
            List.of(new int[] {0, 1, 4, 7}, new int[] {2, 3}, new int[] {}), new double[] {1, 10, 100});
    private static final int[] IDENTITY = {0, 1, 2, 3, 4, 5, 6, 7};

    @Test
    void eachCountsWhatItsNameSays() {
        assertEquals(4, Objective.contiguous().cost(PROBLEM, IDENTITY));
        assertEquals(2, Objective.runs().cost(PROBLEM, IDENTITY));
        assertEquals(4, Objective.gaps().cost(PROBLEM, IDENTITY));
        assertEquals(2, Objective.splitPairs().cost(PROBLEM, IDENTITY));
        assertEquals(2 + 10, Objective.blocksTouched(4).cost(PROBLEM, IDENTITY));
        assertEquals(3 + 10, Objective.blocksTouched(2).cost(PROBLEM, IDENTITY));
    }

    @Test
    void localSearchNeverLosesAndKeepsBlocks() {
        Random random = new Random(31);
        for (Objective objective : List.of(Objective.runs(), Objective.gaps(), Objective.splitPairs(),
                Objective.blocksTouched(4), Objective.contiguous())) {
            double before = 0;
            double after = 0;
            for (int round = 0; round < 20; round++) {
                OrderingProblem problem = Problems.randomWithBlocks(random, 10 + random.nextInt(30), 8);
                int[] start = new ConflictFinder(problem).anyOrder();
                int[] order = LocalSearch.improve(problem, start, objective, 500);
                assertTrue(problem.respectsBlocks(order));
                assertTrue(objective.cost(problem, order) <= objective.cost(problem, start));
                assertArrayEquals(order, LocalSearch.improve(problem, start, objective, 500));
                before += objective.cost(problem, start);
                after += objective.cost(problem, order);
            }
            assertTrue(after < before);
        }
    }

    @Test
    void pairsAreMadeWhereTheyCanBe() {
        OrderingProblem problem = OrderingProblem.of(8, List.of(new int[] {0, 2, 4, 6}, new int[] {0, 4, 3, 5}));
        int[] order = Orderings.solve(problem, Objective.splitPairs());
        assertEquals(0, Objective.splitPairs().cost(problem, order));
    }
}
