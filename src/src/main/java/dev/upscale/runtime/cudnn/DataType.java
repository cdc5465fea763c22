package dev.upscale.runtime.cudnn;

import static dev.upscale.bindings.cudnn.cudnn_h.*;

/** The type of a tensor's elements. */
public enum DataType {
    F32(CUDNN_DATA_FLOAT(), 4),
    F16(CUDNN_DATA_HALF(), 2),
    BF16(CUDNN_DATA_BFLOAT16(), 2);

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
