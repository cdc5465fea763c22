package dev.upscale.order;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Families of problems for tests. */
final class Problems {

    private Problems() {
    }

    /** Sets in layers; each shares one channel with every set of the next layer and has one of its own. */
    static OrderingProblem layered(int layers, int width) {
        int count = layers * width;
        List<List<Integer>> sets = new ArrayList<>();
        int n = 0;
        for (int i = 0; i < count; i++) {
            sets.add(new ArrayList<>(List.of(n++)));
        }
        for (int layer = 0; layer + 1 < layers; layer++) {
            for (int a = 0; a < width; a++) {
                for (int b = 0; b < width; b++) {
                    sets.get(layer * width + a).add(n);
                    sets.get((layer + 1) * width + b).add(n++);
                }
            }
        }
        return OrderingProblem.of(n, sets.stream().map(Problems::ints).toList());
    }

    /** Intervals of a shuffled order: all can be contiguous. */
    static OrderingProblem hiddenIntervals(Random random, int n, int count, double density) {
        int[] hidden = PqTreeTest.shuffled(random, n);
        List<int[]> sets = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int length = Math.max(2, (int) Math.round(n * density * (0.6 + 0.8 * random.nextDouble())));
            int from = random.nextInt(Math.max(1, n - length + 1));
            sets.add(Arrays.copyOfRange(hidden, from, Math.min(n, from + length)));
        }
        return OrderingProblem.of(n, sets);
    }

    /** Every channel in every set with a probability. */
    static OrderingProblem generic(Random random, int n, int count, double density, double[] weights) {
        List<int[]> sets = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            sets.add(IntStream.range(0, n).filter(c -> random.nextDouble() < density).toArray());
        }
        return OrderingProblem.of(n, sets, weights);
    }

    /** Random sets over producers in a concat, some of which grow out of others. */
    static OrderingProblem randomWithBlocks(Random random, int n, int count) {
        int[] hidden = PqTreeTest.shuffled(random, n);
        List<int[]> blocks = new ArrayList<>();
        int to = 0;
        while (to < n) {
            int from = to;
            to = Math.min(n, to + 1 + random.nextInt(6));
            blocks.add(Arrays.copyOfRange(hidden, from, to));
            if (random.nextInt(3) > 0) {
                blocks.add(Arrays.copyOfRange(hidden, 0, to));
            }
        }
        List<int[]> sets = new ArrayList<>();
        double[] weights = new double[count];
        for (int i = 0; i < count; i++) {
            int limit = 1 + random.nextInt(n);
            sets.add(Arrays.stream(hidden, 0, limit).filter(c -> random.nextInt(3) > 0).toArray());
            weights[i] = 1 + random.nextInt(9);
        }
        return new OrderingProblem(n, sets, weights, blocks);
    }

    static int[] ints(List<Integer> values) {
        return values.stream().mapToInt(Integer::intValue).toArray();
    }
}
