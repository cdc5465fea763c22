package dev.upscale.runtime.cudnn;

import static dev.upscale.bindings.cudnn.cudnn_h.*;

import dev.upscale.graph.Function;
import java.util.Optional;

/** What a {@link Operation.Pointwise} computes. */
public sealed interface Mode {

    /** Whether it has a second operand. */
    boolean isBinary();

    /** The descriptor of the mode. */
    Descriptor make();

    /** x + b. */
    record Add() implements Mode {
        @Override
        public boolean isBinary() {
            return true;
        }

        @Override
        public Descriptor make() {
            return pointwise(CUDNN_POINTWISE_ADD(), "add", made -> { });
        }
    }

    /** x itself. It changes what engines cuDNN considers: with it, a convolution is none of the patterns that it has special engines for. */
    record Identity() implements Mode {
        @Override
        public boolean isBinary() {
            return false;
        }

        @Override
        public Descriptor make() {
            return pointwise(CUDNN_POINTWISE_IDENTITY(), "identity", made -> { });
        }
    }

    /**
     * A function of x that cuDNN knows under the same meaning.
     *
     * @param function one that {@link #of} offers
     */
    record Activate(Function function) implements Mode {
        @Override
        public boolean isBinary() {
            return false;
        }

        @Override
        public Descriptor make() {
            return switch (function.kind()) {
                case RELU -> pointwise(CUDNN_POINTWISE_RELU_FWD(), "relu", made -> { });
                case CLIP -> pointwise(CUDNN_POINTWISE_RELU_FWD(), "clip", made -> made
                        .setDouble(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP(), function.a())
                        .setDouble(CUDNN_ATTR_POINTWISE_RELU_UPPER_CLIP(), function.b()));
                case LEAKY_RELU -> pointwise(CUDNN_POINTWISE_RELU_FWD(), "leaky relu",
                        made -> made.setDouble(CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE(), function.a()));
                case SIGMOID -> pointwise(CUDNN_POINTWISE_SIGMOID_FWD(), "sigmoid", made -> { });
                case TANH -> pointwise(CUDNN_POINTWISE_TANH_FWD(), "tanh", made -> { });
                case SILU -> pointwise(CUDNN_POINTWISE_SWISH_FWD(), "swish", made -> made.setDouble(CUDNN_ATTR_POINTWISE_SWISH_BETA(), 1));
                case GELU -> pointwise(CUDNN_POINTWISE_GELU_FWD(), "gelu", made -> { });
                case GELU_TANH -> pointwise(CUDNN_POINTWISE_GELU_APPROX_TANH_FWD(), "gelu tanh", made -> { });
                case ELU -> pointwise(CUDNN_POINTWISE_ELU_FWD(), "elu", made -> made.setDouble(CUDNN_ATTR_POINTWISE_ELU_ALPHA(), function.a()));
                case SOFTPLUS -> pointwise(CUDNN_POINTWISE_SOFTPLUS_FWD(), "softplus",
                        made -> made.setDouble(CUDNN_ATTR_POINTWISE_SOFTPLUS_BETA(), 1));
                default -> throw new IllegalArgumentException("cuDNN has no " + function);
            };
        }
    }

    /** The function as a mode, if cuDNN has one of the same meaning. */
    static Optional<Mode> of(Function function) {
        return switch (function.kind()) {
            case RELU, LEAKY_RELU, SIGMOID, TANH, SILU, GELU, GELU_TANH, ELU, SOFTPLUS -> Optional.of(new Activate(function));
            case CLIP -> Float.isFinite(function.a()) ? Optional.of(new Activate(bounded(function))) : Optional.empty();
            default -> Optional.empty();
        };
    }

    private static Function bounded(Function clip) {
        return new Function(clip.kind(), clip.a(), Math.min(clip.b(), Float.MAX_VALUE));
    }

    private static Descriptor pointwise(int mode, String subject, java.util.function.Consumer<Descriptor> attributes) {
        return Descriptor.make(CUDNN_BACKEND_POINTWISE_DESCRIPTOR(), subject, made -> {
            made.setType(CUDNN_ATTR_POINTWISE_MODE(), CUDNN_TYPE_POINTWISE_MODE(), mode)
                    .setType(CUDNN_ATTR_POINTWISE_MATH_PREC(), CUDNN_TYPE_DATA_TYPE(), CUDNN_DATA_FLOAT());
            attributes.accept(made);
        });
    }
}
