package dev.upscale.runtime.kernel;

/** A kernel could not be prepared or failed in a run. The message names step and kernel and tells what the library says. */
public final class KernelFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * @param step   the step's name
     * @param kernel for example {@code onednn.conv}
     */
    public KernelFailure(String step, String kernel, Throwable cause) {
        super("step " + step + " (" + kernel + "): " + (cause.getMessage() == null ? cause.toString() : cause.getMessage()), cause);
    }
}
