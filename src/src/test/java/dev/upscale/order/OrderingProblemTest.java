package dev.upscale.order;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class OrderingProblemTest {

    @Test
    void costsWeightTimesSizeOfWhatIsNotContiguous() {
        OrderingProblem problem = OrderingProblem.of(4, List.of(new int[] {2, 0}, new int[] {1, 2, 3}, new int[] {}),
                new double[] {10, 100, 1000});
        assertEquals(320, problem.totalValue());
        assertEquals(20, problem.cost(new int[] {0, 1, 2, 3}));
        assertEquals(300, problem.cost(new int[] {1, 2, 0, 3}));
        assertArrayEquals(new boolean[] {true, false, true}, problem.contiguous(new int[] {1, 2, 0, 3}));
    }

    @Test
    void blocksMustBeContiguous() {
        OrderingProblem problem = new OrderingProblem(4, List.of(), null, List.of(new int[] {0, 1}));
        assertTrue(problem.respectsBlocks(new int[] {2, 1, 0, 3}));
        assertFalse(problem.respectsBlocks(new int[] {0, 2, 1, 3}));
    }

    @Test
    void badInputIsNamed() {
        assertRefused("sets[1] names channel 4; there are 4 channels, counted from 0", 4, null, null, new int[] {0}, new int[] {4});
        assertRefused("sets[0] names channel -1; there are 4 channels, counted from 0", 4, null, null, new int[] {-1});
        assertRefused("sets[0] names channel 2 twice", 4, null, null, new int[] {2, 1, 2});
        assertRefused("blocks[0] names channel 9; there are 4 channels, counted from 0", 4, null, List.of(new int[] {9}));
        assertRefused("there are 1 weights for 2 sets; give one for each set", 4, new double[1], null, new int[1], new int[1]);
        assertRefused("weights[0] is NaN; a weight must be finite and not negative", 4, new double[] {Double.NaN}, null, new int[1]);
        assertRefused("weights[0] is -1.0; a weight must be finite and not negative", 4, new double[] {-1}, null, new int[1]);
        assertRefused("n is -1; the number of channels must not be negative", -1, null, null);
        assertRefused("sets[0] is missing", 4, null, null, (int[]) null);
        OrderingProblem problem = OrderingProblem.of(3, List.of());
        assertEquals("order[1] is 0; an order is a permutation of 0..2",
                assertThrows(IllegalArgumentException.class, () -> problem.cost(new int[] {0, 0, 1})).getMessage());
    }

    @Test
    void whatWasGivenIsCopied() {
        int[] set = {2, 1};
        OrderingProblem problem = OrderingProblem.of(3, List.of(set));
        set[0] = 0;
        assertArrayEquals(new int[] {1, 2}, problem.sets().getFirst());
    }

    private static void assertRefused(String message, int n, double[] weights, List<int[]> blocks, int[]... sets) {
        assertEquals(message, assertThrows(IllegalArgumentException.class,
                () -> new OrderingProblem(n, Arrays.asList(sets), weights, blocks)).getMessage());
    }
}
