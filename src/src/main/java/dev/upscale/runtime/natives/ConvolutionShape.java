package dev.upscale.runtime.natives;

import dev.upscale.graph.Window;

/**
 * The sizes of a 2-D convolution, as all libraries here take them. Source [batch, inHeight, inWidth, inChannels], weights
 * [outChannels, inChannels/groups, kernelH, kernelW], destination [batch, outHeight, outWidth, outChannels].
 */
public record ConvolutionShape(int batch, int inHeight, int inWidth, int inChannels, int outChannels, Window window, int groups) {

    /** @throws IllegalArgumentException if a size is impossible */
    public ConvolutionShape {
        require(batch >= 1 && inHeight >= 1 && inWidth >= 1 && inChannels >= 1 && outChannels >= 1, "sizes must be positive");
        require(groups >= 1 && inChannels % groups == 0 && outChannels % groups == 0, "groups must divide both channel counts");
        require(window.outputH(inHeight) >= 1 && window.outputW(inWidth) >= 1, "the kernel must fit into the padded image");
    }

    public int outHeight() {
        return window.outputH(inHeight);
    }

    public int outWidth() {
        return window.outputW(inWidth);
    }

    /** Input channels of one group. */
    public int groupInChannels() {
        return inChannels / groups;
    }

    /** Output channels of one group. */
    public int groupOutChannels() {
        return outChannels / groups;
    }

    /** Whether each group reads one channel. */
    public boolean isDepthwise() {
        return groups == inChannels && groups > 1;
    }

    /** Number of weights. */
    public long weights() {
        return (long) outChannels * groupInChannels() * window.kernelH() * window.kernelW();
    }

    /** For messages, e.g. {@code 8x56x56x64 -> 8x56x56x128, 3x3}. */
    @Override
    public String toString() {
        return batch + "x" + inHeight + "x" + inWidth + "x" + inChannels + " -> " + batch + "x" + outHeight() + "x" + outWidth() + "x"
                + outChannels + ", " + window.kernelH() + "x" + window.kernelW() + (groups > 1 ? ", " + groups + " groups" : "");
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new IllegalArgumentException("convolution: " + what);
        }
    }
}
