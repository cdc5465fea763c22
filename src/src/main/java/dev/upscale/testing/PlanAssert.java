package dev.upscale.testing;

import dev.upscale.Upscale;
import dev.upscale.graph.Graph;
import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanSummary;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Asserts how many copies a network compiles to, how many bytes they write, and what memory it needs, so that a change of a model or a
 * pattern that costs copies fails a build. A failure lists each copy that is left, with its reason.
 *
 * <pre>{@code
 * @Test
 * void theDetectorRunsWithoutCopies() {
 *     PlanAssert.assertCompiled(Path.of("detector.onnx"), Path.of("pattern.json")).hasNoCopies().hasArenaOfAtMost(32_000_000);
 * }
 * }</pre>
 *
 * Networks are compiled without measured costs: the same files give the same plan wherever the same kernels are available. Immutable.
 */
public final class PlanAssert {
    private final Plan plan;
    private final PlanSummary summary;

    private PlanAssert(Plan plan) {
        this.plan = plan;
        this.summary = PlanSummary.of(plan);
    }

    /**
     * Asserts on a plan.
     *
     * @param plan compiled, or loaded with {@link Upscale#load}
     * @return assertions on it
     */
    public static PlanAssert assertThat(Plan plan) {
        return new PlanAssert(plan);
    }

    /**
     * Compiles a network for this machine's CPU and asserts on its plan.
     *
     * @param model an ONNX file; channels whose weights are all zero are pruned
     * @return assertions on its plan
     * @throws dev.upscale.graph.InvalidInput if the file cannot be used
     */
    public static PlanAssert assertCompiled(Path model) {
        return assertCompiled(Upscale.read(model));
    }

    /**
     * Prunes and compiles a network for this machine's CPU and asserts on its plan.
     *
     * @param model an ONNX file
     * @param pattern a pattern file
     * @return assertions on its plan
     * @throws dev.upscale.graph.InvalidInput if a file cannot be used
     */
    public static PlanAssert assertCompiled(Path model, Path pattern) {
        return assertCompiled(Upscale.prune(Upscale.read(model), pattern));
    }

    /**
     * Compiles a network for this machine's CPU and asserts on its plan.
     *
     * @param masked a network, weights of pruned channels set to zero
     * @return assertions on its plan
     */
    public static PlanAssert assertCompiled(Graph masked) {
        return assertThat(Upscale.compile(masked));
    }

    /**
     * No step moves activations without computing, in our steps or within a library.
     *
     * @return this
     */
    public PlanAssert hasNoCopies() {
        return hasAtMostCopies(0).hasHiddenCopiesOfAtMost(0);
    }

    /**
     * At most so many steps move activations without computing.
     *
     * @param copies a number of steps
     * @return this
     */
    public PlanAssert hasAtMostCopies(int copies) {
        return require(summary.copies() <= copies, summary.copies() + " copies, where at most " + copies + " are allowed");
    }

    /**
     * What these steps write in one run is at most so many bytes.
     *
     * @param bytes a size in bytes
     * @return this
     */
    public PlanAssert copiesAtMost(long bytes) {
        return require(summary.copyBytes() <= bytes, number(summary.copyBytes()) + " bytes copied, where at most " + number(bytes) + " are allowed");
    }

    /**
     * What libraries are given to repack tensors in, in one run, is at most so many bytes.
     *
     * @param bytes a size in bytes
     * @return this
     */
    public PlanAssert hasHiddenCopiesOfAtMost(long bytes) {
        return require(summary.hiddenCopyBytes() <= bytes,
                number(summary.hiddenCopyBytes()) + " bytes copied within libraries, where at most " + number(bytes) + " are allowed");
    }

    /**
     * The memory that activations and workspaces share is at most so large.
     *
     * @param bytes a size in bytes
     * @return this
     */
    public PlanAssert hasArenaOfAtMost(long bytes) {
        return require(summary.arenaBytes() <= bytes, "an arena of " + number(summary.arenaBytes()) + " bytes, where at most " + number(bytes)
                + " are allowed (no arena can be smaller than " + number(summary.arenaLowerBoundBytes()) + ")");
    }

    /**
     * Weights and index lists take at most so much.
     *
     * @param bytes a size in bytes
     * @return this
     */
    public PlanAssert hasWeightsOfAtMost(long bytes) {
        return require(summary.weightsBytes() <= bytes, number(summary.weightsBytes()) + " bytes of weights, where at most " + number(bytes) + " are allowed");
    }

    /**
     * One run takes at most so many multiply-adds.
     *
     * @param count a number of multiply-adds
     * @return this
     */
    public PlanAssert hasAtMostMultiplyAdds(long count) {
        return require(plan.multiplyAdds() <= count, number(plan.multiplyAdds()) + " multiply-adds, where at most " + number(count) + " are allowed");
    }

    /**
     * What is asserted on.
     *
     * @return the plan
     */
    public Plan plan() {
        return plan;
    }

    private PlanAssert require(boolean holds, String found) {
        if (holds) {
            return this;
        }
        StringBuilder message = new StringBuilder(plan.model()).append(" (").append(plan.variant()).append(") has ").append(found);
        for (PlanSummary.Remaining copy : summary.remaining()) {
            message.append("\n  ").append(copy.kind().name().toLowerCase(Locale.ROOT)).append(" of ").append(number(copy.bytes())).append(" bytes: ")
                    .append(copy.name()).append("\n    ").append(copy.reason());
        }
        throw new AssertionError(message.toString());
    }

    private static String number(long value) {
        return String.format(Locale.ROOT, "%,d", value);
    }
}
