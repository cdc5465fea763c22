package dev.upscale.compile;

import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import java.util.Optional;
import java.util.OptionalDouble;

/** What a kernel takes for a step: by which the compiler chooses among those that offer to run it. Thread-safe. */
public interface KernelCosts {

    /**
     * The time of one run, in nanoseconds; positive infinity if the kernel fails on it.
     *
     * @param kernel one that offered to run the step; the step's own kernel name does not count
     */
    double nanos(String kernel, Step.Convolve step);

    /** The same, if it is known without measuring; of kernels that may not have offered. */
    OptionalDouble known(String kernel, Step.Convolve step);

    /**
     * The time of one run of a whole plan on {@link #threads}, in nanoseconds; by default that of its convolutions, one after the other. Positive
     * infinity if a kernel fails.
     */
    default double nanos(Plan plan) {
        int workers = plan.workers(threads());
        KernelCosts each = onThreads(threads() / workers);
        double one = plan.steps().stream().mapToDouble(step -> step instanceof Step.Convolve convolve ? each.nanos(step.kernel(), convolve) : 0).sum();
        return one * Math.ceilDiv(plan.microBatches(), workers);
    }

    /** How many threads the times are for. */
    default int threads() {
        return 1;
    }

    /** The same machine's costs on another number of threads. */
    default KernelCosts onThreads(int threads) {
        return this;
    }

    /** The same, as far as steps of other widths tell; empty if it must be measured to be known. */
    default Optional<Range> estimate(String kernel, Step.Convolve step) {
        return Optional.empty();
    }

    /**
     * Between what a time is taken to lie, in nanoseconds.
     *
     * @param least not negative
     * @param most not less
     */
    record Range(double least, double most) {}

    /** Where costs came from that have been asked for since these were made. */
    default Origins origins() {
        return new Origins(0, 0);
    }

    /**
     * How many costs did not come from earlier measurements.
     *
     * @param measured now, on this machine
     * @param estimated from measured ones of other widths, and not measured afterwards
     */
    record Origins(int measured, int estimated) {}

    /**
     * What it takes more, in nanoseconds, to run a step on a library's threads between steps on our own: those must wake and ours
     * give up their cores. 0 where there are no threads.
     */
    default double handover() {
        return 0;
    }
}
