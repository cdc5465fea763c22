package dev.upscale.runtime.cublaslt;

import static dev.upscale.bindings.cublaslt.cublaslt_h.*;

import dev.upscale.plan.Element;
import dev.upscale.runtime.natives.LibraryReport;
import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import dev.upscale.runtime.natives.NativeLibraryMissing;
import java.lang.foreign.MemorySegment;

/** The library itself: its version, and what it says about errors. Thread-safe. */
public final class CuBlasLt {
    private CuBlasLt() {}

    /**
     * Where the library was found; loads it if it was not loaded before.
     *
     * @throws NativeLibraryMissing if it is in none of the places
     */
    public static LibraryReport.Loaded require() {
        return NativeLibraries.require(NativeLibrary.CUBLASLT);
    }

    /** Why products cannot be given to it here, or empty if they can. */
    public static String obstacle() {
        return NativeLibraries.find(NativeLibrary.CUBLASLT) instanceof LibraryReport.Missing missing
                ? NativeLibrary.CUBLASLT.title() + " is missing: " + missing.cure() : "";
    }

    /** The library's version, e.g. {@code 13.1.1}. */
    public static String version() {
        require();
        long version = cublasLtGetVersion();
        return version / 10_000 + "." + version / 100 % 100 + "." + version % 100;
    }

    /** {@code cudaDataType}. */
    static int code(Element element) {
        return switch (element) {
            case F32 -> CUDA_R_32F();
            case F16 -> CUDA_R_16F();
            case BF16 -> CUDA_R_16BF();
        };
    }

    static void check(int status, String function, String subject) {
        if (status != CUBLAS_STATUS_SUCCESS()) {
            throw new NativeError(function, words(status), subject);
        }
    }

    /** The status's name and what the library says it means. */
    static String words(int status) {
        return text(cublasLtGetStatusName(status)) + " (" + text(cublasLtGetStatusString(status)) + ")";
    }

    private static String text(MemorySegment pointer) {
        return pointer.address() == 0 ? "unknown status" : pointer.reinterpret(Long.MAX_VALUE).getString(0);
    }
}
