package dev.upscale.runtime.portable;

/**
 * The weights of a convolution as rows [tap][group][channel] of outputs, so that one channel's value meets its outputs side by side;
 * of a depthwise convolution without multiplier as one row of channels per tap. Immutable.
 */
final class TapWeights {
    private final int groups;
    private final int channels;
    private final int outputs;
    private final float[][] rows;

    private TapWeights(int groups, int channels, int outputs, float[][] rows) {
        this.groups = groups;
        this.channels = channels;
        this.outputs = outputs;
        this.rows = rows;
    }

    /**
     * @param weights [O, C/groups, taps]
     * @param outputs O
     */
    static TapWeights ofConvolution(float[] weights, int groups, int outputs, int taps) {
        int channels = weights.length / outputs / taps;
        TapWeights packed = empty(groups, channels, outputs / groups, taps);
        for (int o = 0; o < outputs; o++) {
            for (int c = 0; c < channels; c++) {
                for (int tap = 0; tap < taps; tap++) {
                    packed.set(tap, o / packed.outputs, c, o % packed.outputs, weights[(o * channels + c) * taps + tap]);
                }
            }
        }
        return packed;
    }

    /**
     * @param weights [C, O/groups, taps]
     * @param inputs  C
     */
    static TapWeights ofTransposed(float[] weights, int groups, int inputs, int taps) {
        int outputs = weights.length / inputs / taps;
        TapWeights packed = empty(groups, inputs / groups, outputs, taps);
        for (int input = 0; input < inputs; input++) {
            for (int o = 0; o < outputs; o++) {
                for (int tap = 0; tap < taps; tap++) {
                    packed.set(tap, input / packed.channels, input % packed.channels, o, weights[(input * outputs + o) * taps + tap]);
                }
            }
        }
        return packed;
    }

    private static TapWeights empty(int groups, int channels, int outputs, int taps) {
        boolean isDepthwise = channels == 1 && outputs == 1;
        return new TapWeights(groups, channels, outputs, isDepthwise ? new float[taps][groups] : new float[taps * groups * channels][outputs]);
    }

    private boolean isDepthwise() {
        return channels == 1 && outputs == 1;
    }

    private void set(int tap, int group, int channel, int output, float weight) {
        if (isDepthwise()) {
            rows[tap][group] = weight;
        } else {
            rows[(tap * groups + group) * channels + channel][output] = weight;
        }
    }

    /** Where the sums of a pixel's outputs are kept: one part per group, or one for all channels of a depthwise convolution. */
    float[][] sums() {
        return isDepthwise() ? new float[1][groups] : new float[groups][outputs];
    }

    /** Adds what one tap gives to all outputs, from the values of all channels. */
    void accumulate(int tap, float[] values, float[][] sums) {
        if (isDepthwise()) {
            Product.accumulateEach(sums[0], values, rows[tap]);
            return;
        }
        for (int group = 0; group < groups; group++) {
            Product.accumulate(sums[group], values, group * channels, channels, rows, (tap * groups + group) * channels);
        }
    }
}
