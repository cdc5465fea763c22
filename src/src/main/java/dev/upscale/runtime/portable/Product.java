package dev.upscale.runtime.portable;

/**
 * Vector times matrix: the inner loop of convolutions and matrix products. Rows are arrays of their own and all are indexed alike,
 * since only then the just-in-time compiler knows that no store disturbs a load, and uses vector instructions.
 */
final class Product {
    private Product() {}

    /** {@code sums[o] += sum over k of x[from + k] * rows[first + k][o]}, for {@code count} values of k. */
    static void accumulate(float[] sums, float[] x, int from, int count, float[][] rows, int first) {
        int k = 0;
        for (; k + 8 <= count; k += 8) {
            accumulate8(sums, x, from + k, rows, first + k);
        }
        for (; k < count; k++) {
            accumulate1(sums, x[from + k], rows[first + k]);
        }
    }

    private static void accumulate8(float[] sums, float[] x, int k, float[][] rows, int row) {
        float x0 = x[k];
        float x1 = x[k + 1];
        float x2 = x[k + 2];
        float x3 = x[k + 3];
        float x4 = x[k + 4];
        float x5 = x[k + 5];
        float x6 = x[k + 6];
        float x7 = x[k + 7];
        float[] r0 = rows[row];
        float[] r1 = rows[row + 1];
        float[] r2 = rows[row + 2];
        float[] r3 = rows[row + 3];
        float[] r4 = rows[row + 4];
        float[] r5 = rows[row + 5];
        float[] r6 = rows[row + 6];
        float[] r7 = rows[row + 7];
        for (int o = 0; o < sums.length; o++) {
            sums[o] += (x0 * r0[o] + x1 * r1[o]) + (x2 * r2[o] + x3 * r3[o])
                    + ((x4 * r4[o] + x5 * r5[o]) + (x6 * r6[o] + x7 * r7[o]));
        }
    }

    private static void accumulate1(float[] sums, float x, float[] row) {
        for (int o = 0; o < sums.length; o++) {
            sums[o] += x * row[o];
        }
    }

    /** {@code sums[o] += x[o] * row[o]}: a tap of a depthwise convolution. */
    static void accumulateEach(float[] sums, float[] x, float[] row) {
        for (int o = 0; o < sums.length; o++) {
            sums[o] += x[o] * row[o];
        }
    }
}
