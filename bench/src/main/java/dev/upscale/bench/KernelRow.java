package dev.upscale.bench;

import dev.upscale.runtime.natives.NativeError;
import java.util.List;

/** A row of a table of kernels: who computes the same, and the memory that they share. */
interface KernelRow extends AutoCloseable {
    /**
     * Who may take part; the first is ours on a dense source.
     *
     * @param forced  whether an instruction set is forced: XNNPACK cannot be held to one, and stays out
     * @param threads that each runs on
     */
    List<String> contenders(boolean forced, int threads);

    /**
     * Prepares one and checks its output.
     *
     * @throws NativeError           if its library has no kernel for it, or an unoptimised one
     * @throws IllegalStateException if its output is wrong
     */
    Contender contender(String name, int threads);

    /** Multiply-adds of one run; 0 where they are not what it is about. */
    long multiplyAdds();

    @Override
    void close();
}
