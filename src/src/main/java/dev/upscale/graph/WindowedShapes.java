package dev.upscale.graph;

/** {@link ShapeInference} for the operations that slide a window over an image. */
final class WindowedShapes {
    /** The largest padded image, in pixels a side, so that no sum of sizes overflows. */
    private static final int MOST_PIXELS = 1 << 28;

    private WindowedShapes() {}

    static TensorType conv(Op.Conv conv, Operands in) {
        in.requireFloats(2, 3);
        in.requireRank(0, 4, "[N, C, H, W]");
        in.requireRank(1, 4, "[O, C/groups, kernelH, kernelW]");
        int channels = in.type(0).dim(1);
        int outputs = in.type(1).dim(0);
        requireKernel(conv.window(), in);
        requireGroups(conv.groups(), channels, outputs, in);
        in.require(in.type(1).dim(1) == channels / conv.groups(),
                "the weight reads " + in.type(1).dim(1) + " channels in each of " + conv.groups() + " groups, the source has "
                        + channels,
                "make the weight's second dimension " + channels / conv.groups());
        in.requireVector(2, outputs, "bias");
        requireWindow(conv.window(), false, in);
        return ShapeInference.sized(in, in.type(0).dim(0), outputs,
                conv.window().outputH(in.type(0).dim(2)), conv.window().outputW(in.type(0).dim(3)));
    }

    static TensorType convTranspose(Op.ConvTranspose conv, Operands in) {
        in.requireFloats(2, 3);
        in.requireRank(0, 4, "[N, C, H, W]");
        in.requireRank(1, 4, "[C, O/groups, kernelH, kernelW]");
        Window window = conv.window();
        int channels = in.type(0).dim(1);
        requireKernel(window, in);
        in.require(in.type(1).dim(0) == channels,
                "the weight reads " + in.type(1).dim(0) + " channels, the source has " + channels,
                "make the weight's first dimension " + channels);
        in.require(conv.groups() >= 1, conv.groups() + " groups", "give at least one group");
        in.require((long) in.type(1).dim(1) * conv.groups() <= ShapeInference.MOST_ELEMENTS, "it has too many output channels",
                "give fewer groups");
        int outputs = in.type(1).dim(1) * conv.groups();
        requireGroups(conv.groups(), channels, outputs, in);
        in.requireVector(2, outputs, "bias");
        in.require(conv.outputPadH() >= 0 && conv.outputPadW() >= 0, "its output padding is negative",
                "pad by nothing or more");
        long height = (in.type(0).dim(2) - 1L) * window.strideH() + (window.kernelH() - 1L) * window.dilationH() + 1
                + conv.outputPadH() - window.padTop() - window.padBottom();
        long width = (in.type(0).dim(3) - 1L) * window.strideW() + (window.kernelW() - 1L) * window.dilationW() + 1
                + conv.outputPadW() - window.padLeft() - window.padRight();
        in.require(in.type(0).dim(2) >= 1 && in.type(0).dim(3) >= 1 && height >= 1 && width >= 1,
                "it has no output pixel: " + height + " rows of " + width, "give a larger image or less padding");
        return ShapeInference.sized(in, in.type(0).dim(0), outputs, height, width);
    }

    private static void requireKernel(Window window, Operands in) {
        TensorType weight = in.type(1);
        in.require(weight.dim(2) == window.kernelH() && weight.dim(3) == window.kernelW(),
                "its kernel is " + window.kernelH() + "x" + window.kernelW() + ", not the weight's last two dimensions",
                "make both the same");
    }

    private static void requireGroups(int groups, int channels, int outputs, Operands in) {
        in.require(groups >= 1 && channels % groups == 0 && outputs % groups == 0,
                groups + " groups do not divide " + channels + " input and " + outputs + " output channels",
                "give a number of groups that divides both");
    }

    /** Checks that the padding is not negative and, unless {@code partly}, that at least one window fits. */
    private static void requireWindow(Window window, boolean partly, Operands in) {
        requirePadding(window, in);
        long height = (long) in.type(0).dim(2) + window.padTop() + window.padBottom();
        long width = (long) in.type(0).dim(3) + window.padLeft() + window.padRight();
        long spanH = (window.kernelH() - 1L) * window.dilationH() + 1;
        long spanW = (window.kernelW() - 1L) * window.dilationW() + 1;
        boolean fits = partly || spanH <= height && spanW <= width;
        in.require(fits && Math.max(Math.max(height, width), Math.max(spanH, spanW)) <= MOST_PIXELS,
                "its window spans " + spanH + "x" + spanW + " pixels, the padded image has " + height + "x" + width,
                fits ? "keep both below " + MOST_PIXELS + " pixels a side" : "give a larger image or more padding");
    }

    private static void requirePadding(Window window, Operands in) {
        in.require(window.padTop() >= 0 && window.padLeft() >= 0 && window.padBottom() >= 0 && window.padRight() >= 0,
                "its padding is negative: " + window, "cut with a Slice before it instead");
    }

    static TensorType pool(Op.Pool pool, Operands in) {
        in.requireFloats(1, 1);
        in.requireRank(0, 4, "[N, C, H, W]");
        Window window = pool.window();
        requireWindow(window, pool.ceil(), in);
        int height = pooled(in.type(0).dim(2), window.kernelH(), window.spanH(), window.strideH(), window.dilationH(),
                window.padTop(), window.padBottom(), pool.ceil(), in);
        int width = pooled(in.type(0).dim(3), window.kernelW(), window.spanW(), window.strideW(), window.dilationW(),
                window.padLeft(), window.padRight(), pool.ceil(), in);
        return ShapeInference.sized(in, in.type(0).dim(0), in.type(0).dim(1), height, width);
    }

    /** The number of windows along one direction; each is checked to hold at least one pixel. */
    private static int pooled(int size, int kernel, int span, int stride, int dilation, int before, int after, boolean ceil,
            Operands in) {
        int room = size + before + after - span;
        int windows = (ceil ? Math.ceilDiv(room, stride) : Math.floorDiv(room, stride)) + 1;
        if (ceil && (windows - 1L) * stride >= (long) size + before) {
            windows--;
        }
        in.require(windows >= 1, "no window fits into the padded image", "give a larger image or more padding");
        for (int position = 0; position < windows; position++) {
            int start = position * stride - before;
            // The first tap that is not in the leading padding.
            int tap = start >= 0 ? 0 : Math.ceilDiv(-start, dilation);
            in.require(tap < kernel && start + tap * dilation < size,
                    "window " + position + " lies in the padding alone", "pad by less than the window spans");
        }
        return windows;
    }
}
