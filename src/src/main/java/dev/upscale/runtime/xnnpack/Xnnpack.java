package dev.upscale.runtime.xnnpack;

import static dev.upscale.bindings.xnnpack.xnnpack_h.*;

import dev.upscale.runtime.natives.LibraryReport;
import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import dev.upscale.runtime.natives.NativeLibraryMissing;
import java.lang.foreign.MemorySegment;

/** XNNPACK: whether it is there and serves this CPU, and how its refusals become exceptions. Thread-safe. */
public final class Xnnpack {
    /** Bytes past a buffer's end that kernels may read (and never write). */
    public static final int EXTRA_BYTES = XNN_EXTRA_BYTES();

    private static boolean initialised;

    private Xnnpack() {}

    /**
     * Loads and initialises the library, at most once.
     *
     * @throws NativeLibraryMissing if it is in none of the places
     * @throws NativeError          if this CPU is not supported
     */
    public static LibraryReport.Loaded load() {
        LibraryReport.Loaded report = NativeLibraries.require(NativeLibrary.XNNPACK);
        synchronized (Xnnpack.class) {
            if (!initialised) {
                check(xnn_initialize(MemorySegment.NULL), "xnn_initialize", "XNNPACK");
                initialised = true;
            }
        }
        return report;
    }

    static void check(int status, String function, String subject) {
        if (status != 0) {
            throw new NativeError(function, text(status), subject);
        }
    }

    /** The library has no text for its statuses: their names, from the header. */
    static String text(int status) {
        String[] names = {"success", "uninitialized", "invalid_parameter", "invalid_state", "unsupported_parameter",
            "unsupported_hardware", "out_of_memory", "reallocation_required", "deprecated"};
        return status >= 0 && status < names.length ? names[status] : "status " + status;
    }
}
