package dev.upscale.bench;

/** A kernel with its memory, ready to run; its output has been checked. One thread at a time, and for oneDNN the one that made it. */
interface Contender extends AutoCloseable {
    /** For example {@code upscale-dense}. */
    String name();

    /** The code that runs: oneDNN's name for it, or the instruction set of our kernels. */
    String implementation();

    /** How far the output was from plain loops, relative. */
    double relL2();

    void run();

    @Override
    void close();
}
