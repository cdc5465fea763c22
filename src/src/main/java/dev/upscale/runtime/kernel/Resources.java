package dev.upscale.runtime.kernel;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/** One thing of each kind, made when first asked for; closed together. */
final class Resources implements AutoCloseable {
    private final Map<Class<?>, AutoCloseable> made = new LinkedHashMap<>();

    synchronized <R extends AutoCloseable> R get(Class<R> kind, Supplier<R> maker) {
        return kind.cast(made.computeIfAbsent(kind, absent -> maker.get()));
    }

    @Override
    public synchronized void close() {
        RuntimeException failure = null;
        for (AutoCloseable resource : made.values().toArray(AutoCloseable[]::new)) {
            try {
                resource.close();
            } catch (Exception e) {
                failure = new IllegalStateException(resource + " cannot be closed", e);
            }
        }
        made.clear();
        if (failure != null) {
            throw failure;
        }
    }
}
