package dev.upscale.runtime.onednn;

import static dev.upscale.bindings.onednn.dnnl_h.dnnl_sgemm;

import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import java.lang.foreign.MemorySegment;

/** oneDNN's product of two matrices of f32 ({@code dnnl_sgemm}), on the calling thread's number of threads. */
public final class MatrixProducts {
    private MatrixProducts() {}

    /**
     * {@code c[m × n] = a[m × k] · b[n × k]ᵀ}; all row-major.
     *
     * @param a its rows {@code lda} elements apart
     * @param b its rows {@code ldb} elements apart
     * @param c overwritten, its rows {@code ldc} elements apart
     * @throws dev.upscale.runtime.natives.NativeLibraryMissing if oneDNN is in none of the places
     */
    public static void timesTransposed(int m, int n, int k, MemorySegment a, int lda, MemorySegment b, int ldb, MemorySegment c, int ldc) {
        NativeLibraries.require(NativeLibrary.ONEDNN);
        if (a.byteSize() < 4L * ((m - 1L) * lda + k) || b.byteSize() < 4L * ((n - 1L) * ldb + k) || c.byteSize() < 4L * ((m - 1L) * ldc + n)) {
            throw new IllegalArgumentException("a matrix of [" + m + ", " + n + ", " + k + "] leaves its memory");
        }
        OneDnn.check(dnnl_sgemm((byte) 'N', (byte) 'T', m, n, k, 1, a, lda, b, ldb, 0, c, ldc), "dnnl_sgemm",
                "product of " + m + "x" + k + " and " + k + "x" + n);
    }
}
