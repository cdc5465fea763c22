package dev.upscale.runtime.portable;

/**
 * The weights of a convolution as [tap][group][channel][output], so that one channel's value meets its outputs side by side.
 * Immutable.
 */
final class TapWeights {
    private final int groups;
    private final int channels;
    private final int outputs;
    private final float[] packed;

    private TapWeights(int groups, int channels, int outputs, float[] packed) {
        this.groups = groups;
        this.channels = channels;
        this.outputs = outputs;
        this.packed = packed;
    }

    /**
     * @param weights [O, C/groups, taps]
     * @param outputs O
     */
    static TapWeights ofConvolution(float[] weights, int groups, int outputs, int taps) {
        int perGroup = outputs / groups;
        int channels = outputs == 0 ? 0 : weights.length / outputs / taps;
        float[] packed = new float[weights.length];
        for (int o = 0; o < outputs; o++) {
            for (int c = 0; c < channels; c++) {
                for (int tap = 0; tap < taps; tap++) {
                    packed[((tap * groups + o / perGroup) * channels + c) * perGroup + o % perGroup]
                            = weights[(o * channels + c) * taps + tap];
                }
            }
        }
        return new TapWeights(groups, channels, perGroup, packed);
    }

    /**
     * @param weights [C, O/groups, taps]
     * @param inputs  C
     */
    static TapWeights ofTransposed(float[] weights, int groups, int inputs, int taps) {
        int channels = inputs / groups;
        int perGroup = weights.length / inputs / taps;
        float[] packed = new float[weights.length];
        for (int input = 0; input < inputs; input++) {
            for (int o = 0; o < perGroup; o++) {
                for (int tap = 0; tap < taps; tap++) {
                    packed[((tap * groups + input / channels) * channels + input % channels) * perGroup + o]
                            = weights[(input * perGroup + o) * taps + tap];
                }
            }
        }
        return new TapWeights(groups, channels, perGroup, packed);
    }

    /** Adds what one tap gives to all outputs, from the values of all channels. */
    void accumulate(int tap, float[] values, float[] sums) {
        int base = tap * groups * channels * outputs;
        if (groups == 1) {
            Product.accumulate(sums, 0, outputs, values, 0, channels, packed, base);
        } else if (channels == 1) {
            Product.accumulateDepthwise(sums, groups * outputs, values, outputs, packed, base);
        } else {
            for (int group = 0; group < groups; group++) {
                Product.accumulate(sums, group * outputs, outputs, values, group * channels, channels, packed,
                        base + group * channels * outputs);
            }
        }
    }
}
