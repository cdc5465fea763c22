package dev.upscale.runtime.kernel;

/** A kernel prepared for one step, weights included. Immutable: sessions share it. */
public interface Kernel {

    /** The library's own name for the code that runs. */
    String implementation();

    /** Makes the call of this kernel on one session's memory. What it makes natively lives as long as the binding's owner. */
    Invocation bind(Binding binding);
}
