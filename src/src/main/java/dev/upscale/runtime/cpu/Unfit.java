package dev.upscale.runtime.cpu;

/** A kernel cannot run a step: becomes a refusal. Cheap, since lowering asks many kernels. */
final class Unfit extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Unfit(String reason) {
        super(reason, null, false, false);
    }

    static void unless(boolean fits, String reason) {
        if (!fits) {
            throw new Unfit(reason);
        }
    }
}
