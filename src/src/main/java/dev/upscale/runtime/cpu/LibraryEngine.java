package dev.upscale.runtime.cpu;

import dev.upscale.compile.KernelCatalog;
import dev.upscale.plan.Step;
import dev.upscale.runtime.kernel.Engine;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.Preparation;
import dev.upscale.runtime.natives.NativeError;

/** An engine whose kernels are a native library's. */
abstract class LibraryEngine implements Engine {

    /**
     * How the kernel of that name runs the step.
     *
     * @throws Unfit       if it cannot
     * @throws NativeError if the library refuses
     */
    abstract Recipe recipe(String kernel, Step step);

    @Override
    public final KernelCatalog.Answer offer(String kernel, Step step) {
        try {
            Recipe recipe = recipe(kernel, step);
            return new KernelCatalog.Offer(recipe.workspaceBytes(), recipe.implementation());
        } catch (Unfit e) {
            return new KernelCatalog.Refusal(e.getMessage());
        } catch (NativeError e) {
            return new KernelCatalog.Refusal(e.function() + " says " + e.status());
        }
    }

    @Override
    public final Kernel prepare(Step step, Preparation preparation) {
        return recipe(step.kernel(), step).cook().prepare(preparation);
    }
}
