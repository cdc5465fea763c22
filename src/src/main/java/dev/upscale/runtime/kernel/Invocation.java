package dev.upscale.runtime.kernel;

/** One kernel call with all of its arguments. It allocates nothing and is used by one thread at a time. */
public interface Invocation {

    /** Runs the kernel to its end. */
    void run();

    /** Takes over the changed addresses of those of its {@link Location}s that lie in the caller's memory. */
    default void repoint() {}
}
