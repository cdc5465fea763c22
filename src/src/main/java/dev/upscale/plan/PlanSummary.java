package dev.upscale.plan;

import dev.upscale.graph.Op;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What a plan costs beside its arithmetic. Bytes are those of a whole run, of all its micro-batches. The components are the fields of the command line's JSON.
 *
 * @param copies steps of the plan that move activations without computing; see {@link #copyOf}
 * @param copyBytes what they write
 * @param hiddenCopyBytes workspaces of library kernels that are at least as large as one of the tensors they read or write:
 *     there the library moves it
 * @param foldedBytes what kernels write beyond their own output because a gather was folded into them: partial sums over some of a
 *     convolution's channels, and channels of an addition that are made a second time
 * @param consumers convolutions and matrix products with weights
 * @param views consumers that read part of a tensor where it lies: as a slice or by index
 * @param arenaBytes the size of the arena
 * @param arenaLowerBoundBytes what no arena can be smaller than
 * @param weightsBytes the size of all weights and index lists
 * @param remaining each copy, in the order of the steps
 */
public record PlanSummary(
        int copies, long copyBytes, long hiddenCopyBytes, long foldedBytes, int consumers, int views, long arenaBytes,
        long arenaLowerBoundBytes, long weightsBytes, List<Remaining> remaining) {

    /** A copy that is left: the step's name, the bytes that it writes, what for, why it is needed, and what there was to choose from. */
    public record Remaining(String name, long bytes, Step.Copy.Kind kind, String reason, List<Step.Copy.Choice> choices) {
        public Remaining {
            choices = List.copyOf(choices);
        }

        /** A copy without a choice. */
        public Remaining(String name, long bytes, Step.Copy.Kind kind, String reason) {
            this(name, bytes, kind, reason, List.of());
        }

        private Remaining times(int microBatches) {
            return new Remaining(name, microBatches * bytes, kind, reason, choices);
        }
    }

    public PlanSummary {
        remaining = List.copyOf(remaining);
    }

    /** Sums a plan up. */
    public static PlanSummary of(Plan plan) {
        List<Remaining> remaining = new ArrayList<>();
        TensorParts parts = new TensorParts(plan);
        long hidden = 0;
        Set<String> views = new HashSet<>();
        long folded = 0;
        for (Step step : plan.steps()) {
            copyOf(step).map(copy -> copy.times(plan.microBatches())).ifPresent(remaining::add);
            hidden += hiddenCopyBytes(step);
            if (step instanceof Step.Convolve convolve && parts.isPart(convolve.source())) {
                views.add(step.name());
            }
            folded += partialSumBytes(step, plan.steps()) + repeatedBytes(step, plan.steps());
            parts.write(step.destination());
        }
        return new PlanSummary(remaining.size(), remaining.stream().mapToLong(Remaining::bytes).sum(), plan.microBatches() * hidden,
                plan.microBatches() * folded,
                plan.consumers(), views.size(), plan.arenaBytes(), plan.arenaLowerBoundBytes(), plan.weightsBytes(), remaining);
    }

    /** What a step reads that another step of the same node made for it alone: a sum over some of the channels. */
    private static long partialSumBytes(Step step, List<Step> steps) {
        return step.sources().stream().map(Operand::view)
                .filter(view -> !view.equals(step.destination()))
                .filter(view -> steps.stream().anyMatch(other -> other instanceof Step.Convolve && other != step
                        && other.name().equals(step.name()) && other.destination().equals(view)))
                .mapToLong(View::bytes).sum();
    }

    /** What an operation writes that makes some channels again of what another step of the same operation makes whole. */
    private static long repeatedBytes(Step step, List<Step> steps) {
        boolean repeats = step instanceof Step.Compute part && part.op() instanceof Op.Binary && steps.stream().anyMatch(other ->
                other instanceof Step.Compute whole && other != step && whole.op().equals(part.op()) && isPart(part.sources(), whole.sources()));
        return repeats ? step.destination().bytes() : 0;
    }

    private static boolean isPart(List<Operand> parts, List<Operand> wholes) {
        return IntStream.range(0, parts.size()).allMatch(k -> isPart(parts.get(k), wholes.get(k)));
    }

    private static boolean isPart(Operand part, Operand whole) {
        View chosen = part.view();
        View all = whole.view();
        long channel = (chosen.offset() - all.offset()) / View.ELEMENT_BYTES;
        return !whole.isIndexed() && chosen.place().equals(all.place()) && chosen.strides().equals(all.strides()) && chosen.rank() == 4
                && (chosen.offset() == all.offset() && part.isIndexed() || !part.isIndexed() && chosen.dim(1) < all.dim(1)
                        && channel >= 0 && channel + chosen.dim(1) <= all.dim(1));
    }

    /**
     * A step as a copy, if it is one: a {@link Step.Copy}, or an operation of the model that only moves elements and that
     * no pass turned into a view, with no activation to compute.
     */
    public static Optional<Remaining> copyOf(Step step) {
        return switch (step) {
            case Step.Copy copy -> Optional.of(
                    new Remaining(copy.name(), copy.destination().bytes(), copy.kind(), copy.reason(),
                            copy.choices().orElse(List.of())));
            case Step.Compute compute when compute.activation().isNone() -> movement(compute.op()).map(kind ->
                    new Remaining(compute.name(), compute.destination().bytes(), kind,
                            "the model's " + compute.op().getClass().getSimpleName() + " is carried out as it stands"));
            case Step.Compute compute -> Optional.empty();
            case Step.Convolve convolve -> Optional.empty();
        };
    }

    private static Optional<Step.Copy.Kind> movement(Op op) {
        return switch (op) {
            case Op.Concat concat -> Optional.of(Step.Copy.Kind.CONCAT);
            case Op.Slice slice -> Optional.of(Step.Copy.Kind.SLICE);
            case Op.Take take -> Optional.of(Step.Copy.Kind.GATHER);
            case Op.Reshape reshape -> Optional.of(Step.Copy.Kind.LAYOUT);
            case Op.Transpose transpose -> Optional.of(Step.Copy.Kind.LAYOUT);
            case Op.Expand expand -> Optional.of(Step.Copy.Kind.LAYOUT);
            case Op.Pad pad -> Optional.of(Step.Copy.Kind.LAYOUT);
            case Op.DepthToSpace depthToSpace -> Optional.of(Step.Copy.Kind.LAYOUT);
            default -> Optional.empty();
        };
    }

    /** The workspace of a step if a library uses it and a tensor fits into it. */
    public static long hiddenCopyBytes(Step step) {
        return hiddenCopyBytes(step, step.workspace().map(View::bytes).orElse(0L));
    }

    /** What a step would count for with a workspace of that many bytes. */
    public static long hiddenCopyBytes(Step step, long bytes) {
        if (step.kernel().startsWith("upscale.") || step.kernel().startsWith("java.") || step.kernel().startsWith("cuda.")) {
            return 0;
        }
        long smallest = step.destination().bytes();
        for (Operand source : step.sources()) {
            smallest = Math.min(smallest, source.view().bytes());
        }
        return bytes >= smallest ? bytes : 0;
    }
}
