package dev.upscale.order;

/**
 * What an order costs. The exact solver minimises {@link #contiguous}; {@link LocalSearch} minimises any of them. Each sums
 * over the sets, by weight.
 */
@FunctionalInterface
public interface Objective {

    /** The cost of {@code order}, a permutation of the problem's channels: {@code order[position] = channel}. */
    double cost(OrderingProblem problem, int[] order);

    /** Weight times size of each set that is not contiguous: what gathers write. The problem's own cost. */
    static Objective contiguous() {
        return OrderingProblem::cost;
    }

    /** Runs of adjacent channels beyond the first: for kernels that take several slices. */
    static Objective runs() {
        return perSet((in, size) -> {
            int runs = 0;
            for (int p = 0; p < in.length; p++) {
                runs += in[p] && (p == 0 || !in[p - 1]) ? 1 : 0;
            }
            return Math.max(0, runs - 1);
        });
    }

    /** Blocks of {@code channels} adjacent positions, counted from 0, that hold a channel of the set: cache lines, say. */
    static Objective blocksTouched(int channels) {
        if (channels < 1) {
            throw new IllegalArgumentException("a block of " + channels + " channels; it must hold at least one");
        }
        return perSet((in, size) -> {
            int blocks = 0;
            int last = -1;
            for (int p = 0; p < in.length; p++) {
                if (in[p] && p / channels != last) {
                    last = p / channels;
                    blocks++;
                }
            }
            return blocks;
        });
    }

    /** Channels between the first and the last of the set that are not in it: what a superset slice reads in vain. */
    static Objective gaps() {
        return perSet((in, size) -> {
            int first = -1;
            int last = -1;
            for (int p = 0; p < in.length; p++) {
                if (in[p]) {
                    first = first < 0 ? p : first;
                    last = p;
                }
            }
            return first < 0 ? 0 : last - first + 1 - size;
        });
    }

    /** Aligned pairs of positions of which the set holds one alone: for bf16 kernels, which take channels in pairs. */
    static Objective splitPairs() {
        return perSet((in, size) -> {
            int split = 0;
            for (int p = 0; p < in.length; p += 2) {
                split += in[p] != (p + 1 < in.length && in[p + 1]) ? 1 : 0;
            }
            return split;
        });
    }

    private static Objective perSet(Measure measure) {
        return (problem, order) -> {
            int[] position = problem.positions(order);
            double[] weights = problem.weights();
            double cost = 0;
            for (int i = 0; i < weights.length; i++) {
                boolean[] in = new boolean[order.length];
                for (int channel : problem.sets().get(i)) {
                    in[position[channel]] = true;
                }
                cost += weights[i] * measure.of(in, problem.sets().get(i).length);
            }
            return cost;
        };
    }

    /** What a set costs that holds the positions whose flags are set, {@code size} of them. */
    @FunctionalInterface
    interface Measure {
        double of(boolean[] in, int size);
    }
}
