package dev.upscale.bench;

import dev.upscale.order.OrderingProblem;
import dev.upscale.order.PqTree;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Random ordering problems, and the optima of small ones by trying everything. */
final class OrderingProblems {
    private static final int LARGEST_WEIGHT = 49;

    private OrderingProblems() {}

    /** Intervals of a shuffled order, half of the channels long at the mean: all can be contiguous. */
    static OrderingProblem hiddenIntervals(Random random, int n, int count) {
        int[] hidden = shuffled(random, n);
        List<int[]> sets = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int length = Math.max(2, (int) (n * (0.3 + 0.4 * random.nextDouble())));
            int from = random.nextInt(n - length + 1);
            sets.add(Arrays.copyOfRange(hidden, from, from + length));
        }
        return OrderingProblem.of(n, sets, weights(random, count));
    }

    /** Sets in layers: each shares some channels with every set of the next layer, and has some of its own. */
    static OrderingProblem layered(Random random, int layers, int width) {
        int count = layers * width;
        List<List<Integer>> sets = new ArrayList<>();
        int n = 0;
        for (int i = 0; i < count; i++) {
            sets.add(new ArrayList<>());
            for (int own = 1 + random.nextInt(4); own > 0; own--) {
                sets.get(i).add(n++);
            }
        }
        for (int first = 0; first + width < count; first += width) {
            for (int pair = 0; pair < width * width; pair++) {
                for (int shared = 1 + random.nextInt(4); shared > 0; shared--) {
                    sets.get(first + pair / width).add(n);
                    sets.get(first + width + pair % width).add(n++);
                }
            }
        }
        return OrderingProblem.of(n, sets.stream().map(set -> set.stream().mapToInt(Integer::intValue).toArray()).toList(), weights(random, count));
    }

    /** Every channel in every set with a probability; with blocks, the parts of a concat. */
    static OrderingProblem generic(Random random, int n, int count, double density, boolean blocks) {
        List<int[]> sets = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            sets.add(IntStream.range(0, n).filter(channel -> random.nextDouble() < density).toArray());
        }
        List<int[]> parts = new ArrayList<>();
        int[] hidden = shuffled(random, n);
        for (int from = 0; blocks && from < n;) {
            int to = Math.min(n, from + 1 + random.nextInt(4));
            parts.add(Arrays.copyOfRange(hidden, from, to));
            from = to;
        }
        return new OrderingProblem(n, sets, weights(random, count), parts);
    }

    /** The least cost of all orders: n! of them, so for few channels. */
    static double leastOfAllOrders(OrderingProblem problem) {
        return leastFrom(problem, IntStream.range(0, problem.n()).toArray(), 0);
    }

    private static double leastFrom(OrderingProblem problem, int[] order, int next) {
        if (next == order.length) {
            return problem.respectsBlocks(order) ? problem.cost(order) : Double.POSITIVE_INFINITY;
        }
        double least = Double.POSITIVE_INFINITY;
        for (int i = next; i < order.length; i++) {
            swap(order, next, i);
            least = Math.min(least, leastFrom(problem, order, next + 1));
            swap(order, next, i);
        }
        return least;
    }

    /** The least cost of all families of sets that can be contiguous together: up to 2 to the number of sets. */
    static double leastOfAllFamilies(OrderingProblem problem) {
        PqTree tree = PqTree.of(problem.n());
        for (int[] block : problem.blocks()) {
            tree = tree.reduce(block);
        }
        return problem.totalValue() - mostValuable(problem, 0, tree);
    }

    private static double mostValuable(OrderingProblem problem, int next, PqTree tree) {
        if (next == problem.sets().size()) {
            return 0;
        }
        double without = mostValuable(problem, next + 1, tree);
        PqTree with = tree.reduce(problem.sets().get(next));
        return with == null ? without : Math.max(without, problem.value(next) + mostValuable(problem, next + 1, with));
    }

    private static double[] weights(Random random, int count) {
        return random.doubles(count).map(x -> 1 + Math.floor(x * LARGEST_WEIGHT)).toArray();
    }

    private static int[] shuffled(Random random, int n) {
        int[] order = IntStream.range(0, n).toArray();
        for (int i = n - 1; i > 0; i--) {
            swap(order, i, random.nextInt(i + 1));
        }
        return order;
    }

    private static void swap(int[] order, int a, int b) {
        int kept = order[a];
        order[a] = order[b];
        order[b] = kept;
    }
}
