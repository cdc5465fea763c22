package dev.upscale.runtime.portable;

/** Vector times matrix: the inner loop of convolutions and matrix products. */
final class Product {
    private Product() {}

    /**
     * {@code sums[at + o] += sum over k of x[from + k] * matrix[matrixAt + k * outputs + o]}.
     *
     * @param count number of x's
     */
    static void accumulate(float[] sums, int at, int outputs, float[] x, int from, int count, float[] matrix, int matrixAt) {
        int k = 0;
        for (; k + 4 <= count; k += 4) {
            float x0 = x[from + k];
            float x1 = x[from + k + 1];
            float x2 = x[from + k + 2];
            float x3 = x[from + k + 3];
            int m0 = matrixAt + k * outputs;
            int m1 = m0 + outputs;
            int m2 = m1 + outputs;
            int m3 = m2 + outputs;
            for (int o = 0; o < outputs; o++) {
                sums[at + o] += x0 * matrix[m0 + o] + x1 * matrix[m1 + o] + x2 * matrix[m2 + o] + x3 * matrix[m3 + o];
            }
        }
        for (; k < count; k++) {
            float value = x[from + k];
            int m = matrixAt + k * outputs;
            for (int o = 0; o < outputs; o++) {
                sums[at + o] += value * matrix[m + o];
            }
        }
    }

    /** {@code sums[o] += x[o / multiplier] * matrix[matrixAt + o]}: a tap of a depthwise convolution. */
    static void accumulateDepthwise(float[] sums, int outputs, float[] x, int multiplier, float[] matrix, int matrixAt) {
        if (multiplier == 1) {
            for (int o = 0; o < outputs; o++) {
                sums[o] += x[o] * matrix[matrixAt + o];
            }
        } else {
            for (int o = 0; o < outputs; o++) {
                sums[o] += x[o / multiplier] * matrix[matrixAt + o];
            }
        }
    }
}
