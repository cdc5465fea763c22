package dev.upscale.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.order.OrderingProblem;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

class OrderingTableTest {

    @Test
    void allOrdersAndAllFamiliesHaveTheSameLeastCost() {
        Random random = new Random(5);
        double most = 0;
        for (int round = 0; round < 40; round++) {
            OrderingProblem problem = OrderingProblems.generic(random, 6, 5, 0.5, round % 2 == 0);
            double least = OrderingProblems.leastOfAllOrders(problem);
            assertEquals(least, OrderingProblems.leastOfAllFamilies(problem), 1e-9, "round " + round);
            most = Math.max(most, least);
        }
        assertTrue(most > 0, "some problems have no order for all");
    }

    @Test
    void ofThreeSetsThatOverlapInAStarTheLeastIsPaidFor() {
        OrderingProblem star = OrderingProblem.of(4, List.of(new int[] {0, 1}, new int[] {0, 2}, new int[] {0, 3}), new double[] {1, 3, 2});
        assertEquals(2, OrderingProblems.leastOfAllOrders(star));
        assertEquals(2, OrderingProblems.leastOfAllFamilies(star));
    }

    @Test
    void hiddenIntervalsCanAllBeContiguous() {
        for (int seed = 0; seed < 20; seed++) {
            assertEquals(0, OrderingProblems.leastOfAllFamilies(OrderingProblems.hiddenIntervals(new Random(seed), 32, 8)));
        }
    }

    @Test
    void whatIsNotKnownOtherwiseIsHeldAgainstTheLowerBound() {
        String table = OrderingResults.table(JsonMapper.shared().readTree("""
                {"seed": 7, "date": "2026-01-02", "commit": "abc1234", "machine": {"processor": "Example CPU"}, "versions": {"JDK": "25"}, "rows": [
                  {"family": "small", "problems": 9, "mostSets": 3, "optimumBy": "all orders", "total": 9000, "cost": 12, "lowerBound": 11, "proven": 8,
                   "medianMs": 0.5, "worstMs": 2},
                  {"family": "large", "problems": 9, "mostSets": 300, "optimumBy": "", "total": 9000, "cost": 12, "lowerBound": 11, "proven": 8,
                   "medianMs": 0.5, "worstMs": 2}]}"""));
        assertTrue(table.contains("| small | 9 | 3 | 9,000 | 12 | 11 | all orders | 9 | 0.50 ms | 2.00 ms |"), table);
        assertTrue(table.contains("| large | 9 | 300 | 9,000 | 12 | 11 | its lower bound | 8 | 0.50 ms | 2.00 ms |"), table);
        assertTrue(table.contains("Example CPU; JDK 25, one thread, a cold process; seed 7"), table);
    }
}
