package dev.upscale.onnx;

import java.util.Arrays;
import java.util.Optional;

/** ONNX's element types (TensorProto.DataType), and what becomes of them: reals become f32, the others i64. */
enum ElementKind {
    FLOAT(1, 4, true),
    UINT8(2, 1, false),
    INT8(3, 1, false),
    UINT16(4, 2, false),
    INT16(5, 2, false),
    INT32(6, 4, false),
    INT64(7, 8, false),
    BOOL(9, 1, false),
    FLOAT16(10, 2, true),
    DOUBLE(11, 8, true),
    UINT32(12, 4, false),
    UINT64(13, 8, false),
    BFLOAT16(16, 2, true);

    private final int number;
    private final int bytes;
    private final boolean real;

    ElementKind(int number, int bytes, boolean real) {
        this.number = number;
        this.bytes = bytes;
        this.real = real;
    }

    /** The kind of that number in ONNX's schema; none for strings, complex numbers, 4-bit and 8-bit floats. */
    static Optional<ElementKind> of(long number) {
        return Arrays.stream(values()).filter(kind -> kind.number == number).findFirst();
    }

    int number() {
        return number;
    }

    /** The size of one element in raw data, in bytes. */
    int bytes() {
        return bytes;
    }

    boolean isReal() {
        return real;
    }
}
