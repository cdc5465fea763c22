package dev.upscale.graph;

import java.util.function.DoubleBinaryOperator;
import java.util.stream.IntStream;

/** The interpreter's operations on each element. */
final class Elementwise {
    /** So many elements are worth a task of their own. */
    private static final int BLOCK = 1 << 14;

    private Elementwise() {}

    /** Work on the elements from {@code from} to {@code to}, exclusive. */
    interface Range {
        void work(int from, int to);
    }

    /** Splits the elements over the common pool. */
    static void parallel(int elements, Range range) {
        int blocks = Math.ceilDiv(elements, BLOCK);
        IntStream.range(0, blocks).parallel()
                .forEach(block -> range.work(block * BLOCK, Math.min(elements, (block + 1) * BLOCK)));
    }

    static double[] apply(Function function, DoubleTensor source) {
        double[] values = source.values();
        double[] result = new double[values.length];
        parallel(values.length, (from, to) -> {
            for (int i = from; i < to; i++) {
                result[i] = function.apply(values[i]);
            }
        });
        return result;
    }

    static double[] binary(Op.Binary.Kind kind, TensorType type, DoubleTensor left, DoubleTensor right) {
        return combine(type, left, right, switch (kind) {
            case ADD -> Double::sum;
            case SUB -> (a, b) -> a - b;
            case MUL -> (a, b) -> a * b;
            case DIV -> type.element() == ElementType.I64 ? Elementwise::wholeQuotient : (a, b) -> a / b;
            case POW -> Math::pow;
            case MIN -> Math::min;
            case MAX -> Math::max;
        });
    }

    private static double wholeQuotient(double dividend, double divisor) {
        if (divisor == 0) {
            throw new InvalidInput("division of the integer " + (long) dividend + " by zero");
        }
        return (long) dividend / (long) divisor;
    }

    /** The operation on all elements of the operands broadcast to {@code type}. */
    static double[] combine(TensorType type, DoubleTensor left, DoubleTensor right, DoubleBinaryOperator operator) {
        double[] a = Movement.expand(left, type.dims());
        double[] b = Movement.expand(right, type.dims());
        double[] result = new double[a.length];
        parallel(result.length, (from, to) -> {
            for (int i = from; i < to; i++) {
                result[i] = operator.applyAsDouble(a[i], b[i]);
            }
        });
        return result;
    }
}
