package dev.upscale.onnx;

import dev.upscale.graph.ElementType;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A tensor as an ONNX file states it (TensorProto). Its elements are in exactly one place: the raw bytes, one of the typed
 * lists, or another file.
 *
 * @param dataType ONNX's number of the element type
 * @param raw little-endian elements, or null; a view of the file's bytes
 * @param ints elements of the types of up to 32 bits, f16 and bf16 as bit patterns
 * @param external where the elements lie, as key and value, or empty
 */
record OnnxTensor(String name, long[] dims, int dataType, ByteBuffer raw, float[] floats, double[] doubles, long[] ints,
                  long[] longs, Map<String, String> external) {

    /**
     * The elements: reals as f32, whole numbers and truth values as i64.
     *
     * @param model the model's file, in whose folder external data lie
     * @throws InvalidInput if elements are missing, do not fit the shape, or are of a type that is not supported; the message
     *     names the tensor
     */
    Tensor decode(Path model) {
        ElementKind kind = ElementKind.of(dataType).orElseThrow(() -> new InvalidInput("tensor " + name
                + " has element type " + dataType + " of ONNX, which is not supported: convert it to float32"));
        TensorType type = type(kind.isReal() ? ElementType.F32 : ElementType.I64);
        int count = (int) type.elements();
        return type.element() == ElementType.F32
                ? Tensor.of(type, decodeReals(kind, count, model))
                : Tensor.of(type, decodeWholes(kind, count, model));
    }

    private TensorType type(ElementType element) {
        List<Integer> shape = new ArrayList<>();
        long count = 1;
        for (long dim : dims) {
            if (dim < 0 || dim > Integer.MAX_VALUE || (count *= dim) > Integer.MAX_VALUE - 8) {
                throw new InvalidInput("tensor " + name + " has shape " + shapeText()
                        + ", which no tensor can have: the file is damaged, get it again");
            }
            shape.add((int) dim);
        }
        return new TensorType(element, shape);
    }

    private float[] decodeReals(ElementKind kind, int count, Path model) {
        Optional<ByteBuffer> bytes = bytes(kind, count, model);
        if (bytes.isPresent()) {
            ByteBuffer buffer = bytes.get();
            float[] values = new float[count];
            switch (kind) {
                case FLOAT -> buffer.asFloatBuffer().get(values);
                case DOUBLE -> {
                    for (int i = 0; i < count; i++) {
                        values[i] = (float) buffer.getDouble(i * 8);
                    }
                }
                default -> {
                    for (int i = 0; i < count; i++) {
                        values[i] = half(kind, buffer.getShort(i * 2));
                    }
                }
            }
            return values;
        }
        float[] values = new float[checkCount(kind, switch (kind) {
            case FLOAT -> floats.length;
            case DOUBLE -> doubles.length;
            default -> ints.length;
        }, count)];
        for (int i = 0; i < count; i++) {
            values[i] = switch (kind) {
                case FLOAT -> floats[i];
                case DOUBLE -> (float) doubles[i];
                default -> half(kind, (short) ints[i]);
            };
        }
        return values;
    }

    private long[] decodeWholes(ElementKind kind, int count, Path model) {
        Optional<ByteBuffer> bytes = bytes(kind, count, model);
        if (bytes.isPresent()) {
            ByteBuffer buffer = bytes.get();
            long[] values = new long[count];
            for (int i = 0; i < count; i++) {
                values[i] = switch (kind) {
                    case UINT8, BOOL -> Byte.toUnsignedLong(buffer.get(i));
                    case INT8 -> buffer.get(i);
                    case UINT16 -> Short.toUnsignedLong(buffer.getShort(i * 2));
                    case INT16 -> buffer.getShort(i * 2);
                    case UINT32 -> Integer.toUnsignedLong(buffer.getInt(i * 4));
                    case INT32 -> buffer.getInt(i * 4);
                    default -> buffer.getLong(i * 8);
                };
            }
            return values;
        }
        long[] stated = switch (kind) {
            case INT64, UINT32, UINT64 -> longs;
            default -> ints;
        };
        checkCount(kind, stated.length, count);
        return stated;
    }

    private static float half(ElementKind kind, short bits) {
        return kind == ElementKind.BFLOAT16 ? Float.intBitsToFloat(bits << 16) : Float.float16ToFloat(bits);
    }

    /** The raw bytes, from this file or another; none if the elements are in a typed list. */
    private Optional<ByteBuffer> bytes(ElementKind kind, int count, Path model) {
        ByteBuffer bytes;
        if (!external.isEmpty()) {
            bytes = ExternalData.read(name, external, (long) count * kind.bytes(), model);
        } else if (raw != null) {
            bytes = raw.duplicate();
        } else {
            return Optional.empty();
        }
        if (bytes.remaining() != (long) count * kind.bytes()) {
            throw new InvalidInput("tensor " + name + " has " + bytes.remaining() + " bytes of data for " + kind + " "
                    + shapeText() + ", which needs " + (long) count * kind.bytes() + ": the file is damaged, get it again");
        }
        return Optional.of(bytes.slice().order(ByteOrder.LITTLE_ENDIAN));
    }

    private int checkCount(ElementKind kind, int stated, int count) {
        if (stated != count) {
            throw new InvalidInput("tensor " + name + " has " + stated + " elements for " + kind + " " + shapeText()
                    + ", which needs " + count + ": the file is damaged or its data were left out, get it again");
        }
        return count;
    }

    private String shapeText() {
        return java.util.Arrays.toString(dims);
    }
}
