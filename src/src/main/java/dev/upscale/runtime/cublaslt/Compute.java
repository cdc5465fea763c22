package dev.upscale.runtime.cublaslt;

import static dev.upscale.bindings.cublaslt.cublaslt_h.*;

/** In what a product multiplies ({@code cublasComputeType_t}); sums are f32. */
public enum Compute {
    /** Factors as they are stored. */
    AS_STORED(CUBLAS_COMPUTE_32F()),
    /** f32 factors rounded to TF32. */
    TF32(CUBLAS_COMPUTE_32F_FAST_TF32());

    private final int code;

    Compute(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }
}
