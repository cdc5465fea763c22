package dev.upscale.runtime.portable;

import dev.upscale.graph.Function;

/** The graph's functions over arrays, computed in double where a library function is involved. */
final class Functions {
    private Functions() {}

    /** {@code row[i] = function(row[i])} for the first {@code count} elements. */
    static void apply(Function function, float[] row, int count) {
        float a = function.a();
        float b = function.b();
        switch (function.kind()) {
            case NONE -> { }
            case RELU -> {
                for (int i = 0; i < count; i++) {
                    row[i] = Math.max(row[i], 0);
                }
            }
            case CLIP -> {
                for (int i = 0; i < count; i++) {
                    row[i] = Math.min(Math.max(row[i], a), b);
                }
            }
            case HARD_SIGMOID -> {
                for (int i = 0; i < count; i++) {
                    row[i] = Math.min(Math.max(a * row[i] + b, 0), 1);
                }
            }
            case HARD_SWISH -> {
                for (int i = 0; i < count; i++) {
                    row[i] = row[i] * Math.min(Math.max(row[i] / 6 + 0.5f, 0), 1);
                }
            }
            case LEAKY_RELU -> {
                for (int i = 0; i < count; i++) {
                    row[i] = row[i] < 0 ? a * row[i] : row[i];
                }
            }
            default -> {
                for (int i = 0; i < count; i++) {
                    row[i] = (float) of(function.kind(), row[i], a, b);
                }
            }
        }
    }

    private static double of(Function.Kind kind, double x, double a, double b) {
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
            case GELU -> 0.5 * x * (1 + erf(x * Math.sqrt(0.5)));
            case GELU_TANH -> 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
            case ELU -> x < 0 ? a * Math.expm1(x) : x;
            case SELU -> b * (x < 0 ? a * Math.expm1(x) : x);
            case MISH -> x * Math.tanh(softplus(x));
            case SOFTPLUS -> softplus(x);
            case ERF -> erf(x);
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
        return x > 30 ? x : Math.log1p(Math.exp(x));
    }

    /** Where the series of erf needs too many terms and the continued fraction of its complement few. */
    private static final double FAR = 2.5;

    /** The error function: its Maclaurin series near 0, the continued fraction of its complement (Lentz) far from it. */
    static double erf(double x) {
        double z = Math.abs(x);
        if (!(z < FAR)) {
            return Double.isNaN(x) ? x : Math.copySign(1 - (z > 6 ? 0 : complement(z)), x);
        }
        double square = z * z;
        double term = z;
        double sum = z;
        for (int n = 1; term > 1e-17 * sum; n++) {
            term *= 2 * square / (2 * n + 1);
            sum += term;
        }
        return Math.copySign(2 / Math.sqrt(Math.PI) * Math.exp(-square) * sum, x);
    }

    private static double complement(double z) {
        double fraction = 0;
        for (int n = 40; n > 0; n--) {
            fraction = n / 2.0 / (z + fraction);
        }
        return Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + fraction);
    }
}
