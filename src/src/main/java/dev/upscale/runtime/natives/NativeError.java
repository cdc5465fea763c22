package dev.upscale.runtime.natives;

/** A native function returned a status other than success. The message names the function, the status and what it was about. */
public final class NativeError extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String function;
    private final String status;
    private final String subject;

    /**
     * @param function the native function, e.g. {@code dnnl_primitive_execute}
     * @param status   the status in the library's words, e.g. {@code invalid_arguments}
     * @param subject  what the call was about, e.g. a node's name and shape
     */
    public NativeError(String function, String status, String subject) {
        super(subject + ": " + function + " says " + status);
        this.function = function;
        this.status = status;
        this.subject = subject;
    }

    /** The native function that refused. */
    public String function() {
        return function;
    }

    /** The status in the library's words. */
    public String status() {
        return status;
    }

    /** What the call was about: a node, a tensor, a shape. */
    public String subject() {
        return subject;
    }
}
