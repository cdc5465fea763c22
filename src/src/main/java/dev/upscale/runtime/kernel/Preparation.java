package dev.upscale.runtime.kernel;

import java.lang.foreign.Arena;
import java.util.function.Supplier;

/**
 * What kernels are prepared from and owned by: one plan being loaded. Closing it frees what was made for the plan; sessions of the
 * plan must have been closed before. Safe for use by any number of threads, except for closing.
 */
public final class Preparation implements AutoCloseable {
    private final Arena owner;
    private final Constants constants;
    private final Resources resources = new Resources();

    /** @param owner is closed with this */
    public Preparation(Arena owner, Constants constants) {
        this.owner = owner;
        this.constants = constants;
    }

    /** Whatever kernels make natively lives as long as this. */
    public Arena owner() {
        return owner;
    }

    public Constants constants() {
        return constants;
    }

    /** Something that the plan's kernels share, made when first asked for, closed after the owner. */
    public <R extends AutoCloseable> R shared(Class<R> kind, Supplier<R> maker) {
        return resources.get(kind, maker);
    }

    @Override
    public void close() {
        owner.close();
        resources.close();
    }
}
