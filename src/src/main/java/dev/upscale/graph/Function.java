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

    /** The function's value in double precision. */
    public double apply(double x) {
        return switch (kind) {
            case NONE -> x;
            case RELU -> Math.max(x, 0);
            case CLIP -> Math.min(Math.max(x, a), b);
            case SIGMOID -> sigmoid(x);
            case SILU -> x * sigmoid(x);
            case HARD_SIGMOID -> Math.min(Math.max(a * x + b, 0), 1);
            case HARD_SWISH -> x * Math.min(Math.max(x / 6 + 0.5, 0), 1);
            case LEAKY_RELU -> x < 0 ? a * x : x;
            case TANH -> Math.tanh(x);
            case GELU -> x * ErrorFunction.erfc(-x / Math.sqrt(2)) / 2;
            case GELU_TANH -> x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))) / 2;
            case ELU -> x < 0 ? a * Math.expm1(x) : x;
            case SELU -> b * (x < 0 ? a * Math.expm1(x) : x);
            case MISH -> x * Math.tanh(softplus(x));
            case SOFTPLUS -> softplus(x);
            case ERF -> ErrorFunction.erf(x);
            case EXP -> Math.exp(x);
            case LOG -> Math.log(x);
            case SQRT -> Math.sqrt(x);
            case ABS -> Math.abs(x);
            case NEG -> -x;
            case RECIPROCAL -> 1 / x;
            case FLOOR -> Math.floor(x);
            case CEIL -> Math.ceil(x);
            case ROUND -> Math.rint(x);
            case SIGN -> Math.signum(x);
        };
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    private static double softplus(double x) {
        return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    }

    public boolean isNone() {
        return kind == Kind.NONE;
    }
}
