package dev.upscale.compile;

import dev.upscale.plan.Accelerator;
import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * What the machine's kernels can do: asked by lowering for each candidate step, answered by the engines. An offer is a
 * promise that the same step, with a workspace of the size asked for, can be prepared and run on this machine. Safe for use
 * by any number of threads.
 */
public interface KernelCatalog {

    /** The engines that are there: on a CPU of {@code upscale}, {@code onednn}, {@code xnnpack} and {@code java} (always). */
    Set<String> engines();

    /**
     * Whether a kernel can run a step. The step counts with its operation, views, operands and activation; its own kernel
     * name and workspace do not.
     *
     * @param kernel for example {@code upscale.conv}, {@code onednn.matmul}, or {@link #fallback} of the step
     */
    Answer offer(String kernel, Step step);

    /**
     * Adds to a plan what it needs beside its steps: for a GPU the libraries' plans that its steps name, and code of kernels.
     *
     * @throws dev.upscale.graph.InvalidInput if something cannot be made here
     */
    default Plan complete(Plan plan, List<Accelerator.LibraryPlan> named) {
        return plan;
    }

    /** An engine's answer. */
    sealed interface Answer {}

    /**
     * The kernel can run the step.
     *
     * @param workspaceBytes memory that it needs while it runs, to be given as the step's workspace; aligned to 64 bytes
     * @param implementation the library's own name for the code that will run, for example {@code brgconv:avx2}
     * @param libraryPlan the library's own plan, which the step then names
     * @param isCompiledForStep whether the library has no code for it yet and compiles some when the plan is loaded
     */
    record Offer(long workspaceBytes, String implementation, Optional<Accelerator.LibraryPlan> libraryPlan, boolean isCompiledForStep)
            implements Answer {

        /** An offer that needs no library's plan. */
        public Offer(long workspaceBytes, String implementation) {
            this(workspaceBytes, implementation, Optional.empty(), false);
        }
    }

    /** The kernel cannot run the step, and why, in words. */
    record Refusal(String reason) implements Answer {}

    /**
     * The name of the pure-Java kernel for a step, which runs on any layout: {@code java.copy} for a copy, otherwise the
     * operation's name in lower case, for example {@code java.conv} and {@code java.layernorm}.
     */
    static String fallback(Step step) {
        return switch (step) {
            case Step.Convolve convolve -> "java.conv";
            case Step.Compute compute -> "java." + compute.op().getClass().getSimpleName().toLowerCase(Locale.ROOT);
            case Step.Copy copy -> "java.copy";
        };
    }
}
