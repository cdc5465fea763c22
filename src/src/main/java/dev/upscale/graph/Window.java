package dev.upscale.graph;

/**
 * The sliding window of a convolution or a pooling over [N, C, H, W]: sizes, strides, dilations and zero padding, in
 * pixels. One-dimensional operations have a height of 1.
 */
public record Window(
        int kernelH, int kernelW,
        int strideH, int strideW,
        int dilationH, int dilationW,
        int padTop, int padLeft, int padBottom, int padRight) {

    public Window {
        if (kernelH < 1 || kernelW < 1 || strideH < 1 || strideW < 1 || dilationH < 1 || dilationW < 1) {
            throw new IllegalArgumentException("kernel, strides and dilations are at least 1");
        }
    }

    /** A window without dilation, with the same stride and padding on all sides. */
    public static Window square(int kernel, int stride, int pad) {
        return new Window(kernel, kernel, stride, stride, 1, 1, pad, pad, pad, pad);
    }

    /** The rows of the image that one window spans. */
    public int spanH() {
        return (kernelH - 1) * dilationH + 1;
    }

    /** The columns of the image that one window spans. */
    public int spanW() {
        return (kernelW - 1) * dilationW + 1;
    }

    /** The output height for an input of {@code height} rows: windows that fit into the padded image. */
    public int outputH(int height) {
        return Math.floorDiv(height + padTop + padBottom - spanH(), strideH) + 1;
    }

    /** The output width for an input of {@code width} columns. */
    public int outputW(int width) {
        return Math.floorDiv(width + padLeft + padRight - spanW(), strideW) + 1;
    }

    public boolean hasPadding() {
        return padTop != 0 || padLeft != 0 || padBottom != 0 || padRight != 0;
    }

    /** Whether each output pixel reads exactly the input pixel at its place. */
    public boolean isPointwise() {
        return kernelH == 1 && kernelW == 1 && strideH == 1 && strideW == 1 && !hasPadding();
    }
}
