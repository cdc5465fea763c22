package dev.upscale.graph;

/**
 * The error function and its complement to about 1e-15: the power series of erf times exp(x²), whose terms all have the
 * same sign, for small arguments, and the continued fraction of erfc for large ones (Abramowitz and Stegun 7.1.6, 7.1.14).
 */
final class ErrorFunction {
    private static final double SPLIT = 2.5;
    private static final double ROOT_OF_PI = Math.sqrt(Math.PI);

    private ErrorFunction() {}

    static double erf(double x) {
        if (Math.abs(x) < SPLIT) {
            return series(x);
        }
        return x < 0 ? fraction(-x) - 1 : 1 - fraction(x);
    }

    /** 1 − erf(x), without its loss of digits for large x. */
    static double erfc(double x) {
        if (x >= 1) {
            return fraction(x);
        }
        return x <= -SPLIT ? 2 - fraction(-x) : 1 - series(x);
    }

    private static double series(double x) {
        double term = x;
        double sum = x;
        for (int n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return 2 / ROOT_OF_PI * Math.exp(-x * x) * sum;
    }

    /** erfc of an argument of at least 1. */
    private static double fraction(double x) {
        if (Double.isNaN(x) || x > 28) {
            return Double.isNaN(x) ? x : 0;
        }
        int terms = (int) (20 + 150 / (x * x));
        double tail = x;
        for (int n = terms; n >= 1; n--) {
            tail = x + n / 2.0 / tail;
        }
        return Math.exp(-x * x) / (ROOT_OF_PI * tail);
    }
}
