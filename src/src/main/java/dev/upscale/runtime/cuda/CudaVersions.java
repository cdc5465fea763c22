package dev.upscale.runtime.cuda;

import dev.upscale.bindings.cuda.cuda_h;
import dev.upscale.bindings.nvrtc.nvrtc_h;
import dev.upscale.runtime.cublaslt.CuBlasLt;
import dev.upscale.runtime.cudnn.CuDnn;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The versions of CUDA's libraries, as they say themselves. */
public final class CudaVersions {
    private CudaVersions() {}

    /** The version of a library that is there, e.g. {@code 13.1.1}; empty for one that has none. */
    public static String of(NativeLibrary library) {
        NativeLibraries.require(library);
        return switch (library) {
            case CUDNN -> CuDnn.version();
            case CUBLASLT -> CuBlasLt.version();
            case NVRTC -> nvrtc();
            case CUDA_DRIVER -> driver();
            default -> "";
        };
    }

    private static String nvrtc() {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment version = call.allocate(ValueLayout.JAVA_INT, 2);
            int status = nvrtc_h.nvrtcVersion(version, version.asSlice(Integer.BYTES));
            return status == nvrtc_h.NVRTC_SUCCESS() ? version.getAtIndex(ValueLayout.JAVA_INT, 0) + "." + version.getAtIndex(ValueLayout.JAVA_INT, 1)
                    : "unknown (status " + status + ")";
        }
    }

    private static String driver() {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment version = call.allocate(ValueLayout.JAVA_INT);
            int status = cuda_h.cuDriverGetVersion(version);
            int number = version.get(ValueLayout.JAVA_INT, 0);
            return status == cuda_h.CUDA_SUCCESS() ? "for CUDA " + number / 1000 + "." + number / 10 % 100 : "unknown (status " + status + ")";
        }
    }
}
