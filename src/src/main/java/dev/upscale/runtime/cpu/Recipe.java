package dev.upscale.runtime.cpu;

import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.Preparation;

/**
 * How a library runs a step: found without weights, when the compiler asks; cooked when a plan is loaded.
 *
 * @param workspaceBytes memory that it needs while it runs
 * @param implementation the library's name for the code
 */
record Recipe(long workspaceBytes, String implementation, Cook cook) {

    /** Makes the kernel, weights included. */
    @FunctionalInterface
    interface Cook {
        Kernel prepare(Preparation preparation);
    }
}
