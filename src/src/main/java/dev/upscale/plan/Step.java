package dev.upscale.plan;

import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One kernel call of a plan. */
public sealed interface Step {

    /** The nodes of the model that it computes, for errors, reports and profiles. */
    String name();

    /**
     * The engine and its kernel, for example {@code upscale.conv}, {@code onednn.conv}, {@code onednn.matmul},
     * {@code xnnpack.conv}, {@code java.apply}.
     */
    String kernel();

    /** What it reads, constants apart. */
    List<Operand> sources();

    /** What it writes. */
    View destination();

    /** Memory in the arena that it may overwrite at will while it runs. */
    Optional<View> workspace();

    /** Multiply-adds, counted as the operation asks for (a kernel that pads channels does more); 0 where there are none. */
    long multiplyAdds();

    /** The names of the constants that it reads. */
    List<String> constants();

    /**
     * A convolution or linear layer (which is a 1×1 convolution over the rows of its source), with what is fused into it:
     * {@code destination = activation(conv(source) + bias + addend)}.
     *
     * @param conv window and groups; for a linear layer a window of one pixel
     * @param weights constant [O, C/groups, kernelH, kernelW] in the order of the source's and destination's channels
     * @param bias constant [O], or ""
     * @param addend a residual of the destination's shape, which may be the destination itself
     * @param libraryPlan the library's own plan that carries it out, by its name in the plan's {@link Accelerator}
     * @param choices of several convolutions merged into one: what there was to choose from, this first, and what the steps that the choice changes are
     *     estimated to take; absent where there was no choice
     */
    record Convolve(
            String name, String kernel, Op.Conv conv, Operand source, String weights, String bias,
            Optional<Operand> addend, Function activation, View destination, Optional<View> workspace, long multiplyAdds,
            Optional<String> libraryPlan, Optional<List<Copy.Choice>> choices)
            implements Step {

        /** A convolution that needs no library's plan, without a choice. */
        public Convolve(String name, String kernel, Op.Conv conv, Operand source, String weights, String bias,
                Optional<Operand> addend, Function activation, View destination, Optional<View> workspace, long multiplyAdds) {
            this(name, kernel, conv, source, weights, bias, addend, activation, destination, workspace, multiplyAdds, Optional.empty(), Optional.empty());
        }

        /** The same, with what there was to choose from. */
        public Convolve withChoices(List<Copy.Choice> chosenFrom) {
            return new Convolve(name, kernel, conv, source, weights, bias, addend, activation, destination, workspace, multiplyAdds, libraryPlan,
                    Optional.of(chosenFrom));
        }

        @Override
        public List<Operand> sources() {
            return addend.map(residual -> List.of(source, residual)).orElse(List.of(source));
        }

        @Override
        public List<String> constants() {
            List<String> constants = new ArrayList<>(List.of(weights));
            if (!bias.isEmpty()) {
                constants.add(bias);
            }
            constants.addAll(constantsOf(sources()));
            return constants;
        }
    }

    /**
     * Any other operation of the graph, followed by an activation. Weights of the operation are among its sources, as
     * views of constants.
     *
     * @param op the operation, its sources in the operation's order
     */
    record Compute(
            String name, String kernel, Op op, List<Operand> sources, Function activation, View destination,
            Optional<View> workspace)
            implements Step {

        public Compute {
            sources = List.copyOf(sources);
        }

        @Override
        public long multiplyAdds() {
            return 0;
        }

        @Override
        public List<String> constants() {
            return constantsOf(sources);
        }
    }

    /**
     * Moves data without computing: source and destination have the same dimensions. This is what the compiler is there
     * to avoid, so each says why it is needed.
     *
     * @param reason why it is there, in words, for {@code explain}
     * @param choices what there was to choose from, this copy first; absent where there was no choice
     */
    record Copy(String name, String kernel, Kind kind, Operand source, View destination, String reason, Optional<List<Choice>> choices)
            implements Step {

        /** A copy without a choice. */
        public Copy(String name, String kernel, Kind kind, Operand source, View destination, String reason) {
            this(name, kernel, kind, source, destination, reason, Optional.empty());
        }

        /** The same, with what there was to choose from. */
        public Copy withChoices(List<Choice> chosenFrom) {
            return new Copy(name, kernel, kind, source, destination, reason, Optional.of(chosenFrom));
        }

        /**
         * A way to give a reader the channels that it retains.
         *
         * @param what in words
         * @param nanos of a copy what it is estimated to take beyond what the reader takes on a dense tensor, in nanoseconds
         */
        public record Choice(String what, long nanos) {}

        /** What a copy is there for. */
        public enum Kind {
            /** Chosen channels are laid side by side. */
            GATHER,
            /** A part of a concat that its producer could not write in place. */
            CONCAT,
            /** A slice that its reader cannot read in place. */
            SLICE,
            /** Another order of the dimensions in memory. */
            LAYOUT
        }

        @Override
        public List<Operand> sources() {
            return List.of(source);
        }

        @Override
        public Optional<View> workspace() {
            return Optional.empty();
        }

        @Override
        public long multiplyAdds() {
            return 0;
        }

        @Override
        public List<String> constants() {
            return constantsOf(sources());
        }
    }

    private static List<String> constantsOf(List<Operand> sources) {
        List<String> constants = new ArrayList<>();
        for (Operand source : sources) {
            if (source.view().place().kind() == View.Place.Kind.CONSTANT) {
                constants.add(source.view().place().name());
            }
            if (source.isIndexed()) {
                constants.add(source.index());
            }
        }
        return constants;
    }
}
