package dev.upscale.runtime.cudnn;

import static dev.upscale.bindings.cudnn.cudnn_h.*;

import dev.upscale.plan.Element;
import java.util.List;

/**
 * A tensor of an operation graph ({@code CUDNN_BACKEND_TENSOR_DESCRIPTOR}).
 *
 * @param id unique in its graph; what an execution names its memory by
 * @param dims sizes, for images [N, C, H, W] whatever the layout
 * @param strides distances in elements, one per dimension
 * @param alignment of the tensor's address, in bytes: a power of two
 * @param isVirtual whether it is an intermediate result without memory of its own
 */
public record TensorDescription(long id, Element type, List<Long> dims, List<Long> strides, int alignment, boolean isVirtual) {
    private static final int MOST_DIMS = 8;

    /** @throws IllegalArgumentException if cuDNN could not take it */
    public TensorDescription {
        dims = List.copyOf(dims);
        strides = List.copyOf(strides);
        require(id > 0, "id " + id, "is not positive");
        require(!dims.isEmpty() && dims.size() <= MOST_DIMS, "tensor " + id, "has " + dims.size() + " dimensions, not 1 to " + MOST_DIMS);
        require(dims.size() == strides.size(), "tensor " + id, "has dimensions " + dims + " and strides " + strides);
        require(dims.stream().allMatch(dim -> dim > 0), "tensor " + id, "has an empty dimension in " + dims);
        require(strides.stream().allMatch(stride -> stride > 0), "tensor " + id, "has a stride that is not positive in " + strides);
        require(Integer.bitCount(alignment) == 1 && alignment >= type.bytes(), "tensor " + id, "has an alignment of " + alignment + " bytes");
    }

    /** A tensor in memory. */
    public static TensorDescription of(long id, Element type, List<Long> dims, List<Long> strides, int alignment) {
        return new TensorDescription(id, type, dims, strides, alignment, false);
    }

    /** An image [N, C, H, W], channels last, with {@code pixelStride} elements from pixel to pixel. */
    public static TensorDescription channelsLast(long id, Element type, long n, long c, long h, long w, long pixelStride, int alignment) {
        return of(id, type, List.of(n, c, h, w), List.of(h * w * pixelStride, 1L, w * pixelStride, pixelStride), alignment);
    }

    /** An intermediate result of this tensor's shape and layout: sums are f32. */
    public TensorDescription intermediate(long newId) {
        return new TensorDescription(newId, Element.F32, dims, strides, 16, true);
    }

    /** The size of the elements, in bytes, without what lies between them. */
    public long bytes() {
        return dims.stream().reduce((long) type.bytes(), Math::multiplyExact);
    }

    Descriptor make() {
        return Descriptor.make(CUDNN_BACKEND_TENSOR_DESCRIPTOR(), "tensor " + this, made -> made
                .setType(CUDNN_ATTR_TENSOR_DATA_TYPE(), CUDNN_TYPE_DATA_TYPE(), CuDnn.code(type))
                .setLongs(CUDNN_ATTR_TENSOR_DIMENSIONS(), dims)
                .setLongs(CUDNN_ATTR_TENSOR_STRIDES(), strides)
                .setLongs(CUDNN_ATTR_TENSOR_UNIQUE_ID(), List.of(id))
                .setLongs(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT(), List.of((long) alignment))
                .setBoolean(CUDNN_ATTR_TENSOR_IS_VIRTUAL(), isVirtual));
    }

    @Override
    public String toString() {
        return id + " " + type + dims + strides + (isVirtual ? " virtual" : " aligned to " + alignment);
    }

    static void require(boolean holds, String subject, String complaint) {
        if (!holds) {
            throw new IllegalArgumentException(subject + " " + complaint);
        }
    }
}
