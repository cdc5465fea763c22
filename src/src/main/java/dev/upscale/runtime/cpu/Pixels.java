package dev.upscale.runtime.cpu;

import dev.upscale.plan.Step;
import dev.upscale.plan.View;

/**
 * A view as kernels on images see it: pixels at one distance from each other, each with channels at one distance. The rows of a
 * linear layer are the pixels of one row of an image. Strides in elements.
 *
 * @param imageStride from image to image
 */
record Pixels(int batch, int height, int width, int channels, long pixelStride, long channelStride, long imageStride) {

    /** An image [N, C, H, W]. */
    static Pixels ofImage(View view) {
        Unfit.unless(view.rank() == 4, "not an image: " + view.dims());
        int batch = view.dim(0);
        int channels = view.dim(1);
        int height = view.dim(2);
        int width = view.dim(3);
        long channel = channels > 1 ? view.stride(1) : 1;
        long pixel = width > 1 ? view.stride(3) : height > 1 ? view.stride(2) : batch > 1 ? view.stride(0) : channels * channel;
        Unfit.unless(height <= 1 || width <= 1 || view.stride(2) == pixel * width, "rows with gaps between them: " + view);
        long image = batch > 1 ? view.stride(0) : pixel * height * width;
        return new Pixels(batch, height, width, channels, pixel, channel, image);
    }

    /** Rows [..., K]. */
    static Pixels ofRows(View view) {
        int last = view.rank() - 1;
        int channels = view.dim(last);
        long channel = channels > 1 ? view.stride(last) : 1;
        int rows = 1;
        long pixel = -1;
        for (int axis = last - 1; axis >= 0; axis--) {
            int size = view.dim(axis);
            if (size > 1) {
                Unfit.unless(pixel < 0 || view.stride(axis) == pixel * rows, "rows at uneven distances: " + view);
                pixel = pixel < 0 ? view.stride(axis) : pixel;
            }
            rows *= size;
        }
        pixel = pixel < 0 ? channels * channel : pixel;
        return new Pixels(1, 1, rows, channels, pixel, channel, rows * pixel);
    }

    /** What a convolution or a linear layer reads or writes. */
    static Pixels of(Step.Convolve step, View view) {
        return step.source().view().rank() == 4 ? ofImage(view) : ofRows(view);
    }

    boolean isEmpty() {
        return batch == 0 || height == 0 || width == 0 || channels == 0;
    }

    boolean channelsAreNeighbours() {
        return channelStride == 1;
    }

    /** Whether each channel is a plane of its own, without gaps between values, planes and images (NCHW). */
    boolean isDensePlanes() {
        return pixelStride == 1 && channels > 1 && channelStride == (long) height * width
                && (batch <= 1 || imageStride == channels * channelStride);
    }

    /** Whether the first pixel of an image follows the last of the one before like any other. */
    boolean imagesFollow() {
        return batch <= 1 || imageStride == pixelStride * height * width;
    }

    long count() {
        return (long) batch * height * width;
    }

    /** Requires what is written, or read without an index list: channels side by side, pixels that do not overlap. */
    Pixels requireChannelsLast(String role) {
        Unfit.unless(channelsAreNeighbours() && imagesFollow() && (pixelStride >= channels || count() <= 1),
                "the " + role + "'s channels are not side by side: " + this);
        return pixelStride >= channels ? this
                : new Pixels(batch, height, width, channels, channels, 1, (long) channels * height * width);
    }

    Pixels requireDense(String role) {
        Pixels regular = requireChannelsLast(role);
        Unfit.unless(regular.pixelStride == channels, "the " + role + " is a slice of " + regular.pixelStride + " channels");
        return regular;
    }
}
