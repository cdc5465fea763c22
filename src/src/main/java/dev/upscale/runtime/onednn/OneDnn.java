package dev.upscale.runtime.onednn;

import static dev.upscale.bindings.onednn.dnnl_h.*;

import dev.upscale.bindings.onednn.dnnl_version_t;
import dev.upscale.bindings.onednn.omp_h;
import dev.upscale.runtime.natives.LibraryReport;
import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import dev.upscale.runtime.natives.NativeLibraryMissing;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * oneDNN's CPU engine. It owns everything that is made with it, and closing it frees that: primitives, descriptors, packed weights.
 * Use after close is an {@link IllegalStateException}, and so is closing it while a primitive runs. Thread-safe.
 *
 * <p>oneDNN runs on OpenMP threads, which by default idle by spinning for milliseconds after each primitive and take the cores from
 * whatever else runs. The locator therefore loads libgomp with {@code OMP_WAIT_POLICY=passive}, unless the user has set that
 * variable or some other library has loaded libgomp before. {@link #useThreads} with 1 avoids the threads altogether.
 */
public final class OneDnn implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final MemorySegment engine;

    /**
     * Opens an engine of its own.
     *
     * @throws NativeLibraryMissing if oneDNN is in none of the places
     */
    public OneDnn() {
        NativeLibraries.require(NativeLibrary.ONEDNN);
        try {
            engine = create("dnnl_engine_create", "oneDNN engine", out -> dnnl_engine_create(out, dnnl_cpu(), 0),
                    pointer -> dnnl_engine_destroy(pointer));
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    /** Where the library was found. */
    public LibraryReport.Loaded report() {
        return NativeLibraries.require(NativeLibrary.ONEDNN);
    }

    /** The library's version, e.g. {@code 3.13.0}. */
    public static String version() {
        NativeLibraries.require(NativeLibrary.ONEDNN);
        MemorySegment version = dnnl_version().reinterpret(dnnl_version_t.sizeof());
        return dnnl_version_t.major(version) + "." + dnnl_version_t.minor(version) + "." + dnnl_version_t.patch(version);
    }

    /** The instruction set that oneDNN uses here, e.g. {@code AVX2}. */
    public static String instructionSet() {
        NativeLibraries.require(NativeLibrary.ONEDNN);
        return text(dnnl_cpu_isa2str(dnnl_get_effective_cpu_isa())).replace("cpu_isa_", "");
    }

    /**
     * How many OpenMP threads primitives that the calling thread makes and runs from now on use. It belongs to the calling thread;
     * a primitive must be run with the number that it was made with.
     */
    public static void useThreads(int threads) {
        NativeLibraries.require(NativeLibrary.ONEDNN);
        if (threads < 1) {
            throw new IllegalArgumentException("threads: " + threads);
        }
        omp_h.omp_set_num_threads(threads);
    }

    /** As {@link #useThreads}, in a run: checks nothing and takes no lock. */
    public void setThreads(int threads) {
        omp_h.omp_set_num_threads(threads);
    }

    /** How many OpenMP threads the calling thread's primitives use. */
    public static int threads() {
        NativeLibraries.require(NativeLibrary.ONEDNN);
        return omp_h.omp_get_max_threads();
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    /** A native function that makes a handle: it gets where to put it, and returns a status. */
    @FunctionalInterface
    interface Maker {
        int make(MemorySegment out);
    }

    /** A native function that frees a handle. */
    @FunctionalInterface
    interface Destroyer {
        int destroy(MemorySegment handle);
    }

    /** A handle that lives as long as this engine. */
    MemorySegment create(String function, String subject, Maker maker, Destroyer destroyer) {
        return create(arena, function, subject, maker, destroyer);
    }

    /** A handle that lives as long as its owner. */
    static MemorySegment create(Arena owner, String function, String subject, Maker maker, Destroyer destroyer) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment out = call.allocate(ValueLayout.ADDRESS);
            check(maker.make(out), function, subject);
            return out.get(ValueLayout.ADDRESS, 0).reinterpret(owner, destroyer::destroy);
        } catch (IllegalStateException e) {
            throw new IllegalStateException(subject + ": oneDNN's engine is closed", e);
        }
    }

    MemorySegment engine() {
        return engine;
    }

    static void check(int status, String function, String subject) {
        if (status != 0) {
            throw new NativeError(function, text(dnnl_status2str(status)), subject);
        }
    }

    static String text(MemorySegment constant) {
        return constant.reinterpret(Long.MAX_VALUE).getString(0);
    }
}
