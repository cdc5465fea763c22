package dev.upscale.runtime.cpu;

import dev.upscale.runtime.kernel.Binding;
import dev.upscale.runtime.onednn.OneDnn;
import java.util.function.Supplier;

/** How many OpenMP threads oneDNN uses: a property of the calling thread, so it is set when a run begins. */
final class OpenMp implements AutoCloseable {
    private OpenMp() {}

    /** Has every run of the session begin with its number of threads. */
    static OpenMp enteredBy(Binding binding, OneDnn oneDnn) {
        int threads = binding.threads();
        binding.onEntry(() -> oneDnn.setThreads(threads));
        return new OpenMp();
    }

    /** Does something with a number of threads, and puts back what was set before. */
    static <T> T with(int threads, Supplier<T> action) {
        int before = OneDnn.threads();
        OneDnn.useThreads(threads);
        try {
            return action.get();
        } finally {
            OneDnn.useThreads(before);
        }
    }

    @Override
    public void close() {}
}
