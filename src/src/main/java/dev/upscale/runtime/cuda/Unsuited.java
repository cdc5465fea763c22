package dev.upscale.runtime.cuda;

/** A kernel cannot run a step, and why: becomes a refusal. */
final class Unsuited extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Unsuited(String reason) {
        super(reason, null, false, false);
    }

    static void unless(boolean fits, String reason) {
        if (!fits) {
            throw new Unsuited(reason);
        }
    }
}
