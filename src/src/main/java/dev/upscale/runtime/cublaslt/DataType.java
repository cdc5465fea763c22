package dev.upscale.runtime.cublaslt;

import static dev.upscale.bindings.cublaslt.cublaslt_h.*;

/** The type of a matrix's elements ({@code cudaDataType}). */
public enum DataType {
    F32(CUDA_R_32F(), 4),
    F16(CUDA_R_16F(), 2),
    BF16(CUDA_R_16BF(), 2);

    private final int code;
    private final int bytes;

    DataType(int code, int bytes) {
        this.code = code;
        this.bytes = bytes;
    }

    /** The size of one element, in bytes. */
    public int bytes() {
        return bytes;
    }

    int code() {
        return code;
    }
}
