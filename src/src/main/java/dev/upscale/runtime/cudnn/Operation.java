package dev.upscale.runtime.cudnn;

import static dev.upscale.bindings.cudnn.cudnn_h.*;
import static dev.upscale.runtime.cudnn.TensorDescription.require;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One operation of an operation graph, over described tensors. */
public sealed interface Operation {

    /** The tensors that it reads and writes. */
    List<TensorDescription> tensors();

    /** The operation's descriptor, from those of its tensors by their ids. */
    Descriptor make(Map<Long, Descriptor> tensors);

    /**
     * A forward convolution (cross-correlation), {@code y = conv(x, w)}; the number of groups follows from the channels.
     *
     * @param x [N, C, H, W]
     * @param w [O, C/groups, kernelH, kernelW]
     * @param y [N, O, outH, outW]
     * @param prePadding rows above, columns to the left
     * @param postPadding rows below, columns to the right
     */
    record ConvolutionForward(TensorDescription x, TensorDescription w, TensorDescription y, List<Long> strides, List<Long> dilations,
            List<Long> prePadding, List<Long> postPadding) implements Operation {

        /** @throws IllegalArgumentException if the sizes do not fit each other */
        public ConvolutionForward {
            require(x.dims().size() == 4 && w.dims().size() == 4 && y.dims().size() == 4, "convolution", "of " + x.dims() + " by " + w.dims());
            require(x.dims().get(1) % w.dims().get(1) == 0, "convolution", "reads " + x.dims() + " with weights " + w.dims());
            require(y.dims().get(1).equals(w.dims().get(0)), "convolution", "writes " + y.dims() + " with weights " + w.dims());
            for (int axis = 0; axis < 2; axis++) {
                long reach = (w.dims().get(2 + axis) - 1) * dilations.get(axis) + 1;
                long out = (x.dims().get(2 + axis) + prePadding.get(axis) + postPadding.get(axis) - reach) / strides.get(axis) + 1;
                require(out == y.dims().get(2 + axis), "convolution", "gives " + out + " along axis " + (2 + axis) + ", its result is " + y.dims());
            }
        }

        @Override
        public List<TensorDescription> tensors() {
            return List.of(x, w, y);
        }

        @Override
        public Descriptor make(Map<Long, Descriptor> tensors) {
            try (Descriptor convolution = Descriptor.make(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR(), "convolution", made -> made
                    .setType(CUDNN_ATTR_CONVOLUTION_COMP_TYPE(), CUDNN_TYPE_DATA_TYPE(), CUDNN_DATA_FLOAT())
                    .setType(CUDNN_ATTR_CONVOLUTION_CONV_MODE(), CUDNN_TYPE_CONVOLUTION_MODE(), CUDNN_CROSS_CORRELATION())
                    .setLongs(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS(), List.of(2L))
                    .setLongs(CUDNN_ATTR_CONVOLUTION_DILATIONS(), dilations)
                    .setLongs(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES(), strides)
                    .setLongs(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS(), prePadding)
                    .setLongs(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS(), postPadding))) {
                return Descriptor.make(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR(), "convolution", made -> made
                        .setDescriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC(), List.of(convolution))
                        .setDescriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X(), List.of(tensors.get(x.id())))
                        .setDescriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W(), List.of(tensors.get(w.id())))
                        .setDescriptors(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y(), List.of(tensors.get(y.id())))
                        .setFloat(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA(), 1)
                        .setFloat(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA(), 0));
            }
        }
    }

    /**
     * An elementwise operation, {@code y = mode(x)} or {@code y = mode(x, b)}; sizes of 1 in {@code b} are repeated.
     */
    record Pointwise(Mode mode, TensorDescription x, Optional<TensorDescription> b, TensorDescription y) implements Operation {

        /** @throws IllegalArgumentException if the sizes do not fit each other */
        public Pointwise {
            require(b.isPresent() == mode.isBinary(), mode.toString(), "has " + (b.isPresent() ? "two operands" : "one operand"));
            require(x.dims().equals(y.dims()), mode.toString(), "reads " + x.dims() + " and writes " + y.dims());
            b.ifPresent(other -> {
                for (int axis = 0; axis < y.dims().size(); axis++) {
                    long size = other.dims().size() == y.dims().size() ? other.dims().get(axis) : -1;
                    require(size == 1 || size == y.dims().get(axis), mode.toString(), "reads " + x.dims() + " and " + other.dims());
                }
            });
        }

        @Override
        public List<TensorDescription> tensors() {
            return b.map(other -> List.of(x, other, y)).orElse(List.of(x, y));
        }

        @Override
        public Descriptor make(Map<Long, Descriptor> tensors) {
            try (Descriptor pointwise = mode.make()) {
                return Descriptor.make(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR(), mode.toString(), made -> {
                    made.setDescriptors(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR(), List.of(pointwise))
                            .setDescriptors(CUDNN_ATTR_OPERATION_POINTWISE_XDESC(), List.of(tensors.get(x.id())))
                            .setDescriptors(CUDNN_ATTR_OPERATION_POINTWISE_YDESC(), List.of(tensors.get(y.id())));
                    b.ifPresent(other -> made.setDescriptors(CUDNN_ATTR_OPERATION_POINTWISE_BDESC(), List.of(tensors.get(other.id()))));
                });
            }
        }
    }
}
