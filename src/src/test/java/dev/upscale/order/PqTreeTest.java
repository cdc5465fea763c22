package dev.upscale.order;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PqTreeTest {

    @Test
    void setsBecomeNodes() {
        PqTree tree = reduce(PqTree.of(6), new int[][] {{0, 1}, {1, 2}});
        assertEquals("(3 4 5 [0 1 2])", tree.toString());
        assertEquals("([0 1 2] (3 4 5))", reduce(tree, new int[][] {{3, 4, 5}}).toString());
        assertEquals("(4 5 [0 1 2 3])", reduce(tree, new int[][] {{2, 3}}).toString());
        assertEquals("(4 5 [2 1 0 3])", reduce(tree, new int[][] {{0, 3}}).toString());
        assertEquals("(5 [2 1 0 (3 4)])", reduce(tree, new int[][] {{0, 3, 4}}).toString());
        assertEquals("[3 0 1 2 (4 5)]", reduce(tree, new int[][] {{0, 3}, {0, 1, 2, 4, 5}}).toString());
        assertNull(tree.reduce(new int[] {1, 3}));
        assertNull(tree.reduce(new int[] {0, 2}));
    }

    @Test
    void aSetThatAlwaysHoldsChangesNothing() {
        PqTree tree = reduce(PqTree.of(5), new int[][] {{0, 1, 2}, {2, 3}});
        assertSame(tree, tree.reduce(new int[] {2}));
        assertSame(tree, tree.reduce(new int[] {}));
        assertSame(tree, tree.reduce(new int[] {4, 3, 2, 1, 0}));
        assertSame(tree, tree.reduce(new int[] {0, 1, 2}));
        assertSame(tree, tree.reduce(new int[] {3, 2}));
    }

    @Test
    void aReductionLeavesTheTreeItCameFrom() {
        PqTree tree = reduce(PqTree.of(5), new int[][] {{0, 1, 2}});
        String before = tree.toString();
        assertNotNull(tree.reduce(new int[] {2, 3}));
        assertNull(reduce(tree, new int[][] {{0, 1}, {1, 2}}).reduce(new int[] {0, 2}));
        assertEquals(before, tree.toString());
    }

    @Test
    void noLeafAndOneLeaf() {
        assertArrayEquals(new int[0], PqTree.of(0).frontier());
        assertArrayEquals(new int[] {0}, PqTree.of(1).frontier());
        assertEquals(1, PqTree.of(1).reduce(new int[] {0}).leafCount());
    }

    /** Against all permutations: the tree stands for exactly as many orders as satisfy the sets, and shows one of them. */
    @Test
    void standsForExactlyTheOrdersInWhichAllSetsAreContiguous() {
        Random random = new Random(1);
        int reducible = 0;
        for (int round = 0; round < 1500; round++) {
            int n = 2 + random.nextInt(5);
            List<int[]> permutations = permutations(n);
            PqTree tree = PqTree.of(n);
            List<int[]> sets = new ArrayList<>();
            for (int i = 0; tree != null && i < 6; i++) {
                int[] set = randomSet(random, n);
                sets.add(set);
                tree = tree.reduce(set);
                long orders = permutations.stream().filter(p -> contiguous(n, sets, p)).count();
                if (tree == null) {
                    assertEquals(0, orders, () -> describe(sets));
                } else {
                    assertEquals(BigInteger.valueOf(orders), tree.orderCount(), () -> describe(sets));
                    assertTrue(contiguous(n, sets, tree.frontier()), () -> describe(sets));
                    reducible++;
                }
            }
        }
        assertTrue(reducible > 2000, "random sets are reducible often enough to test something: " + reducible);
    }

    /** Hidden intervals, many and deep, are found again; one set across them is refused or put in its place. */
    @Test
    void findsHiddenIntervals() {
        Random random = new Random(2);
        for (int round = 0; round < 60; round++) {
            int n = 2 + random.nextInt(300);
            int[] hidden = shuffled(random, n);
            PqTree tree = PqTree.of(n);
            List<int[]> sets = new ArrayList<>();
            for (int i = 0; i < 80; i++) {
                int from = random.nextInt(n);
                int to = from + random.nextInt(n - from) + 1;
                int[] set = Arrays.copyOfRange(hidden, from, to);
                sets.add(set);
                tree = tree.reduce(set);
                assertNotNull(tree);
            }
            assertTrue(contiguous(n, sets, tree.frontier()));
        }
    }

    @Test
    void deepNestingDoesNotOverflowTheStack() {
        int n = 3000;
        PqTree tree = PqTree.of(n);
        for (int k = 2; k < n; k++) {
            tree = tree.reduce(IntStream.range(0, k).toArray());
        }
        assertEquals(BigInteger.TWO.pow(n - 1), tree.orderCount());
        PqTree path = tree.reduce(new int[] {0, n - 1});
        assertEquals(BigInteger.TWO, path.orderCount());
        assertTrue(path.reduce(new int[] {1, n - 1}) == null);
    }

    static PqTree reduce(PqTree tree, int[][] sets) {
        for (int[] set : sets) {
            tree = tree.reduce(set);
        }
        return tree;
    }

    static PqTree reduceAll(int n, List<int[]> sets) {
        PqTree tree = PqTree.of(n);
        for (int i = 0; tree != null && i < sets.size(); i++) {
            tree = tree.reduce(sets.get(i));
        }
        return tree;
    }

    static boolean contiguous(int n, List<int[]> sets, int[] order) {
        for (boolean is : OrderingProblem.of(n, sets).contiguous(order)) {
            if (!is) {
                return false;
            }
        }
        return true;
    }

    static int[] randomSet(Random random, int n) {
        return IntStream.range(0, n).filter(c -> random.nextBoolean()).toArray();
    }

    static int[] shuffled(Random random, int n) {
        List<Integer> order = new ArrayList<>(IntStream.range(0, n).boxed().toList());
        Collections.shuffle(order, random);
        return order.stream().mapToInt(Integer::intValue).toArray();
    }

    static List<int[]> permutations(int n) {
        List<int[]> all = new ArrayList<>();
        permute(new int[n], 0, 0, all);
        return all;
    }

    private static void permute(int[] order, int at, int used, List<int[]> all) {
        if (at == order.length) {
            all.add(order.clone());
            return;
        }
        for (int c = 0; c < order.length; c++) {
            if ((used >> c & 1) == 0) {
                order[at] = c;
                permute(order, at + 1, used | 1 << c, all);
            }
        }
    }

    private static String describe(List<int[]> sets) {
        return sets.stream().map(Arrays::toString).toList().toString();
    }
}
