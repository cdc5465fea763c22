package dev.upscale.order;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CertificateTest {

    @Test
    void namesTheSetsThatCannotBeContiguousTogether() {
        OrderingProblem triangle = OrderingProblem.of(5,
                List.of(new int[] {3, 4}, new int[] {0, 1}, new int[] {1, 2}, new int[] {0, 2}));
        assertEquals("sets 1, 2, 3 cannot be contiguous together", Certificate.of(triangle).toString());
        assertEquals("sets 1, 2, 3 cannot be contiguous together", Orderings.solve(triangle).certificate().toString());
        OrderingProblem path = OrderingProblem.of(3, List.of(new int[] {0, 1}, new int[] {1, 2}));
        assertEquals("all sets can be contiguous together", Certificate.of(path).toString());
    }

    @Test
    void namesTheBlocksThatTakePart() {
        OrderingProblem concat = new OrderingProblem(6, List.of(new int[] {1, 3, 5}), null,
                List.of(new int[] {0, 1}, new int[] {2, 3}, new int[] {4, 5}));
        assertEquals("set 0 cannot be contiguous within blocks 0, 1, 2", Certificate.of(concat).toString());
    }

    @Test
    void everyFailingSetHasAnObstacleAndEachIsMinimal() {
        Random random = new Random(21);
        for (int round = 0; round < 300; round++) {
            OrderingProblem problem = Problems.randomWithBlocks(random, 4 + random.nextInt(20), 2 + random.nextInt(8));
            assertHolds(problem, Orderings.solve(problem));
        }
    }

    /** Also for an order that is not optimal: what it misses without need has no obstacle, but the rest is right. */
    @Test
    void thePapersOrderIsExplainedToo() {
        Random random = new Random(22);
        for (int round = 0; round < 200; round++) {
            OrderingProblem problem = Problems.randomWithBlocks(random, 4 + random.nextInt(20), 2 + random.nextInt(8));
            Ordering paper = PaperOrdering.solve(problem);
            paper.obstacles().forEach((set, conflict) -> assertConflict(problem, conflict));
            assertEquals(Certificate.of(problem) instanceof Certificate.AllContiguous,
                    paper.certificate() instanceof Certificate.AllContiguous);
        }
    }

    static void assertHolds(OrderingProblem problem, Ordering ordering) {
        for (int i = 0; i < ordering.contiguous().length; i++) {
            Certificate.Conflict conflict = ordering.obstacles().get(i);
            if (ordering.contiguous()[i]) {
                assertNull(conflict);
            } else if (problem.value(i) > 0) {
                assertNotNull(conflict);
                assertTrue(conflict.sets().contains(i));
                assertTrue(conflict.sets().stream().filter(k -> !ordering.contiguous()[k]).count() == 1);
            }
        }
        ordering.obstacles().values().forEach(conflict -> assertConflict(problem, conflict));
        switch (ordering.certificate()) {
            case Certificate.AllContiguous all -> assertEquals(0, ordering.cost());
            case Certificate.Conflict conflict -> assertConflict(problem, conflict);
        }
    }

    /** The sets and blocks conflict, and no longer do when any one of them is left out. */
    private static void assertConflict(OrderingProblem problem, Certificate.Conflict conflict) {
        List<int[]> members = new ArrayList<>();
        conflict.sets().forEach(i -> members.add(problem.sets().get(i)));
        conflict.blocks().forEach(i -> members.add(problem.blocks().get(i)));
        assertNull(PqTreeTest.reduceAll(problem.n(), members), conflict::toString);
        for (int without = 0; without < members.size(); without++) {
            List<int[]> rest = new ArrayList<>(members);
            rest.remove(without);
            assertNotNull(PqTreeTest.reduceAll(problem.n(), rest), conflict::toString);
        }
    }
}
