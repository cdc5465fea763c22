package dev.upscale.runtime.cudnn;

import static dev.upscale.bindings.cudnn.cudnn_h.*;

import dev.upscale.plan.Element;
import dev.upscale.runtime.natives.LibraryReport;
import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import dev.upscale.runtime.natives.NativeLibraryMissing;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The library itself: its version, and what it says about errors. Thread-safe. */
public final class CuDnn {
    private static final int MESSAGE_BYTES = 4096;

    private CuDnn() {}

    /**
     * Where the library was found; loads it if it was not loaded before.
     *
     * @throws NativeLibraryMissing if it is in none of the places
     */
    public static LibraryReport.Loaded require() {
        return NativeLibraries.require(NativeLibrary.CUDNN);
    }

    /** Why execution plans cannot be built here, or empty if they can: cuDNN 9.8 or newer and cuBLASLt are needed. */
    public static String obstacle() {
        for (NativeLibrary library : new NativeLibrary[] {NativeLibrary.CUDNN, NativeLibrary.CUBLASLT}) {
            if (NativeLibraries.find(library) instanceof LibraryReport.Missing missing) {
                return library.title() + " is missing: " + missing.cure();
            }
        }
        return cudnnGetVersion() >= 90_800 ? "" : "cuDNN " + version() + " is older than 9.8, which first built plans for a described device";
    }

    /** The library's version, e.g. {@code 9.24.0}. */
    public static String version() {
        require();
        long version = cudnnGetVersion();
        return version / 10_000 + "." + version / 100 % 100 + "." + version % 100;
    }

    /** {@code cudnnDataType_t}. */
    static int code(Element element) {
        return switch (element) {
            case F32 -> CUDNN_DATA_FLOAT();
            case F16 -> CUDNN_DATA_HALF();
            case BF16 -> CUDNN_DATA_BFLOAT16();
        };
    }

    static void check(int status, String function, String subject) {
        if (status != CUDNN_STATUS_SUCCESS()) {
            throw new NativeError(function, words(status), subject);
        }
    }

    /** The status's name and the text of the last error on this thread. */
    static String words(int status) {
        String name = cudnnGetErrorString(status).reinterpret(Long.MAX_VALUE).getString(0);
        try (Arena call = Arena.ofConfined()) {
            MemorySegment message = call.allocate(MESSAGE_BYTES);
            cudnnGetLastErrorString(message, MESSAGE_BYTES);
            String text = message.getString(0).strip().replaceAll("\\s+", " ");
            return text.isEmpty() ? name : name + " (" + text + ")";
        }
    }
}
