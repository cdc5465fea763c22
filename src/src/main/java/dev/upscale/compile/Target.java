package dev.upscale.compile;

import dev.upscale.plan.Element;

/**
 * What a plan is compiled for.
 *
 * @param name as on the command line: {@code cpu}, or for a GPU {@code cuda:} and its name
 * @param element what tensors in the arena hold
 * @param rates about what work takes there
 */
public record Target(String name, Element element, Rates rates) {

    /**
     * About what work takes on a target, in nanoseconds, to weigh one way of doing something against another; measured kernel costs,
     * where there are any, come first.
     *
     * @param multiplyAdd one of a library's convolution
     * @param gatheredElement one element gathered, read and written
     * @param step what a step takes however little it does
     */
    public record Rates(double multiplyAdd, double gatheredElement, double step) {}

    /** This machine's CPU; the rates are of a library's kernels and of a gather in pure Java. */
    public static final Target CPU = new Target("cpu", Element.F32, new Rates(0.02, 1.0, 0));

    /** Whether it is a GPU: activations are read where they lie, kernels are cuDNN's and ours of {@code native/cuda}. */
    public boolean isGpu() {
        return name.startsWith("cuda:");
    }
}
