package dev.upscale.runtime.kernel;

import dev.upscale.compile.KernelCatalog;
import dev.upscale.plan.Step;

/** A family of kernels, usually one library. Safe for use by any number of threads. */
public interface Engine {

    /** The first part of its kernels' names, for example {@code onednn}. */
    String name();

    /** Whether the kernel can run the step, as {@link KernelCatalog#offer}. The library is there. */
    KernelCatalog.Answer offer(String kernel, Step step);

    /**
     * Prepares the kernel that the step names: chooses code, packs weights.
     *
     * @throws RuntimeException if the step was not offered or the library refuses; the message says why
     */
    Kernel prepare(Step step, Preparation preparation);
}
