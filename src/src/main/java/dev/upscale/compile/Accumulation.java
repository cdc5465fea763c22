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
 * A convolution as the sum of several, each over one run of its source's channels. Where kernels add by themselves, each adds what the
 * one before it made, which lies in turns in the destination and in scratch memory (a library that adds in place may do so in a copy of
 * its own); elsewhere an addition follows each. The last step activates.
 */
final class Accumulation {
    private final KernelChoice kernels;
    private final Step.Convolve exact;
    private final List<Step.Convolve> parts;
    private final Supplier<View> scratch;

    private Accumulation(KernelChoice kernels, Step.Convolve exact, List<Step.Convolve> parts, Supplier<View> scratch) {
        this.kernels = kernels;
        this.exact = exact;
        this.parts = parts;
        this.scratch = scratch;
    }

    /**
     * The steps, if native kernels carry all convolutions out.
     *
     * @param parts the convolution of each run, without addend and activation; the bias is the first one's
     * @param scratch makes memory of the destination's shape
     */
    static Optional<List<Chosen>> of(KernelChoice kernels, Step.Convolve exact, List<Step.Convolve> parts, Supplier<View> scratch) {
        Accumulation sum = new Accumulation(kernels, exact, parts, scratch);
        return sum.chained().or(sum::withAdditions);
    }

    /** Each convolution adds the one before. */
    private Optional<List<Chosen>> chained() {
        View[] targets = targets();
        List<Chosen> steps = new ArrayList<>();
        Optional<Operand> addend = exact.addend();
        for (int k = 0; k < targets.length; k++) {
            boolean last = k == targets.length - 1;
            Optional<Chosen> step = kernels.convolution(
                    with(parts.get(k), addend, last ? exact.activation() : Function.NONE, targets[k]));
            if (step.isEmpty()) {
                return Optional.empty();
            }
            steps.add(step.get());
            addend = Optional.of(Operand.of(targets[k]));
        }
        return Optional.of(steps);
    }

    /** Where each part writes: the last one the destination, each other not where the one after it writes. */
    private View[] targets() {
        View[] targets = new View[parts.size()];
        View other = parts.size() == 1 ? null : scratch.get();
        for (int k = targets.length - 1; k >= 0; k--) {
            targets[k] = (targets.length - 1 - k) % 2 == 0 ? exact.destination() : other;
        }
        if (isBegun() && targets.length > 2 && targets[0] == exact.destination()) {
            targets[0] = scratch.get();
        }
        return targets;
    }

    /** Whether the destination holds the addend. */
    private boolean isBegun() {
        return exact.addend().filter(addend -> addend.view().equals(exact.destination())).isPresent();
    }

    /** Each convolution but the first writes scratch memory, from which an addition takes it; a residual comes last. */
    private Optional<List<Chosen>> withAdditions() {
        Operand sum = Operand.of(exact.destination());
        Optional<Operand> residual = isBegun() ? Optional.empty() : exact.addend();
        int additions = parts.size() - (isBegun() ? 0 : 1) + (residual.isPresent() ? 1 : 0);
        View apart = parts.size() > 1 || isBegun() ? scratch.get() : exact.destination();
        List<Chosen> steps = new ArrayList<>();
        for (int k = 0; k < parts.size(); k++) {
            boolean adds = k > 0 || isBegun();
            View result = adds ? apart : exact.destination();
            Optional<Chosen> convolution = kernels.convolution(with(parts.get(k), Optional.empty(), Function.NONE, result));
            if (convolution.isEmpty()) {
                return Optional.empty();
            }
            steps.add(convolution.get());
            if (adds) {
                steps.add(kernels.simple(addition(sum, Operand.of(result), --additions == 0)));
            }
        }
        residual.ifPresent(addend -> steps.add(kernels.simple(addition(sum, addend, true))));
        if (parts.size() == 1 && exact.addend().isEmpty() && !exact.activation().isNone()) {
            steps.add(kernels.simple(compute(new Op.Apply(exact.activation()), List.of(sum), Function.NONE)));
        }
        return Optional.of(steps);
    }

    private Step.Compute addition(Operand sum, Operand part, boolean last) {
        return compute(new Op.Binary(Op.Binary.Kind.ADD), List.of(sum, part), last ? exact.activation() : Function.NONE);
    }

    private Step.Compute compute(Op op, List<Operand> sources, Function activation) {
        return new Step.Compute(exact.name(), "", op, sources, activation, exact.destination(), Optional.empty());
    }

    private static Step.Convolve with(Step.Convolve part, Optional<Operand> addend, Function activation, View destination) {
        return new Step.Convolve(part.name(), "", part.conv(), part.source(), part.weights(), part.bias(), addend, activation,
                destination, Optional.empty(), part.multiplyAdds());
    }
}
