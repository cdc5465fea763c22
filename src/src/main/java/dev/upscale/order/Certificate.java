package dev.upscale.order;

import java.util.List;
import java.util.stream.Collectors;

/** Why no order makes all sets contiguous, or that one does; anyone can check it with a {@link PqTree}. */
public sealed interface Certificate {

    /** All sets can be contiguous in one order. */
    record AllContiguous() implements Certificate {
        @Override
        public String toString() {
            return "all sets can be contiguous together";
        }
    }

    /**
     * These sets and blocks cannot be contiguous together, and would if any one of them were left out.
     *
     * @param sets indices of sets, ascending, at least one
     * @param blocks indices of blocks, ascending; often empty
     */
    record Conflict(List<Integer> sets, List<Integer> blocks) implements Certificate {
        public Conflict {
            sets = List.copyOf(sets);
            blocks = List.copyOf(blocks);
        }

        @Override
        public String toString() {
            String inBlocks = blocks.isEmpty() ? "" : " within " + list("block", blocks);
            return list("set", sets) + " cannot be contiguous" + (sets.size() > 1 ? " together" : "") + inBlocks;
        }

        private static String list(String noun, List<Integer> indices) {
            return (indices.size() == 1 ? noun + " " : noun + "s ")
                    + indices.stream().map(String::valueOf).collect(Collectors.joining(", "));
        }
    }

    /** A certificate for all sets of {@code problem}: a conflict that is minimal by deletion, where there is one. */
    static Certificate of(OrderingProblem problem) {
        return new ConflictFinder(problem).smallest(List.of());
    }
}
