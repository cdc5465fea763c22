package dev.upscale.graph;

/**
 * A function of one value, with its parameters {@code a} and {@code b} (0 where a kind has none).
 *
 * <p>Semantics are ONNX's operator of the same name unless stated.
 */
public record Function(Kind kind, float a, float b) {

    /** Kinds of functions; {@code a}, {@code b} as noted. */
    public enum Kind {
        /** x. */
        NONE,
        RELU,
        /** min(max(x, a), b); either bound may be infinite. */
        CLIP,
        SIGMOID,
        /** x · sigmoid(x). */
        SILU,
        /** min(max(a · x + b, 0), 1). */
        HARD_SIGMOID,
        HARD_SWISH,
        /** x &lt; 0 ? a · x : x. */
        LEAKY_RELU,
        TANH,
        /** x · (1 + erf(x / √2)) / 2. */
        GELU,
        /** The tanh approximation of {@link #GELU}. */
        GELU_TANH,
        /** x &lt; 0 ? a · (exp(x) − 1) : x. */
        ELU,
        /** b · (x &lt; 0 ? a · (exp(x) − 1) : x). */
        SELU,
        MISH,
        SOFTPLUS,
        ERF,
        EXP,
        LOG,
        SQRT,
        ABS,
        NEG,
        RECIPROCAL,
        FLOOR,
        CEIL,
        ROUND,
        SIGN
    }

    public static final Function NONE = new Function(Kind.NONE, 0, 0);
    public static final Function RELU = new Function(Kind.RELU, 0, 0);

    /** A function without parameters. */
    public static Function of(Kind kind) {
        return new Function(kind, 0, 0);
    }

    public boolean isNone() {
        return kind == Kind.NONE;
    }
}
