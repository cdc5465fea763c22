package dev.upscale.compile;

import dev.upscale.compile.KernelChoice.Chosen;
import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A convolution as the sum of several, each over one run of its source's channels: the first writes the destination, each further one
 * adds to it, by itself where its kernel does that, else into scratch memory with an addition behind it. The last step activates.
 */
final class Accumulation {
    private final KernelChoice kernels;
    private final Step.Convolve exact;
    private final Supplier<View> scratch;
    private final List<Chosen> steps = new ArrayList<>();

    /** Whether the destination holds part of the sum. */
    private boolean begun;

    private Accumulation(KernelChoice kernels, Step.Convolve exact, Supplier<View> scratch) {
        this.kernels = kernels;
        this.exact = exact;
        this.scratch = scratch;
        this.begun = exact.addend().filter(addend -> addend.view().equals(exact.destination())).isPresent();
    }

    /**
     * The steps, if native kernels carry all convolutions out.
     *
     * @param parts the convolution of each run, without addend and activation; the bias is the first one's
     * @param scratch makes memory of the destination's shape
     */
    static Optional<List<Chosen>> of(KernelChoice kernels, Step.Convolve exact, List<Step.Convolve> parts, Supplier<View> scratch) {
        Accumulation sum = new Accumulation(kernels, exact, scratch);
        for (int k = 0; k < parts.size(); k++) {
            if (!sum.add(parts.get(k), k == parts.size() - 1)) {
                return Optional.empty();
            }
        }
        return Optional.of(sum.steps);
    }

    private boolean add(Step.Convolve part, boolean last) {
        Function activation = last ? exact.activation() : Function.NONE;
        Optional<Operand> addend = begun ? Optional.of(Operand.of(exact.destination())) : exact.addend();
        Optional<Chosen> fused = kernels.convolution(with(part, addend, activation, exact.destination()));
        if (fused.isPresent()) {
            steps.add(fused.get());
            begun = true;
            return true;
        }
        if (addend.isEmpty()) {
            Optional<Chosen> bare = kernels.convolution(with(part, addend, Function.NONE, exact.destination()));
            bare.ifPresent(steps::add);
            begun = true;
            if (bare.isPresent() && !activation.isNone()) {
                steps.add(kernels.simple(new Step.Compute(exact.name(), "", new Op.Apply(activation),
                        List.of(Operand.of(exact.destination())), Function.NONE, exact.destination(), Optional.empty())));
            }
            return bare.isPresent();
        }
        View result = begun ? scratch.get() : exact.destination();
        Optional<Chosen> bare = kernels.convolution(with(part, Optional.empty(), Function.NONE, result));
        if (bare.isEmpty()) {
            return false;
        }
        steps.add(bare.get());
        steps.add(kernels.simple(new Step.Compute(exact.name(), "", new Op.Binary(Op.Binary.Kind.ADD),
                List.of(Operand.of(result), addend.get()), activation, exact.destination(), Optional.empty())));
        begun = true;
        return true;
    }

    private static Step.Convolve with(Step.Convolve part, Optional<Operand> addend, Function activation, View destination) {
        return new Step.Convolve(part.name(), "", part.conv(), part.source(), part.weights(), part.bias(), addend, activation,
                destination, Optional.empty(), part.multiplyAdds());
    }
}
