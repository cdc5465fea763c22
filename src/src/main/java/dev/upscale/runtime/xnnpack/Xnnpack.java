package dev.upscale.runtime.xnnpack;

import static dev.upscale.bindings.xnnpack.xnnpack_h.*;

import dev.upscale.runtime.natives.LibraryReport;
import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import dev.upscale.runtime.natives.NativeLibraryMissing;
import java.lang.foreign.MemorySegment;
import java.util.Map;

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
        return Statuses.NAMES.getOrDefault(status, "status " + status);
    }

    private static final class Statuses {
        static final Map<Integer, String> NAMES = Map.of(
                xnn_status_uninitialized(), "uninitialized",
                xnn_status_invalid_parameter(), "invalid_parameter",
                xnn_status_invalid_state(), "invalid_state",
                xnn_status_unsupported_parameter(), "unsupported_parameter",
                xnn_status_unsupported_hardware(), "unsupported_hardware",
                xnn_status_out_of_memory(), "out_of_memory",
                xnn_status_reallocation_required(), "reallocation_required",
                xnn_status_deprecated(), "deprecated");
    }
}
