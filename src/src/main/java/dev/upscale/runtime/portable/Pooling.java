package dev.upscale.runtime.portable;

import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.graph.Window;
import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Binding;
import dev.upscale.runtime.kernel.Invocation;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.Location;
import java.util.Arrays;

/** Maximum and average pooling of [N, C, H, W]: all channels of a pixel at once. */
final class Pooling implements Kernel {
    private final Op.Pool pool;
    private final Function activation;
    private final View sourceView;
    private final Layout source;
    private final View destinationView;
    private final Layout destination;

    Pooling(Op.Pool pool, Function activation, View sourceView, Layout source, View destinationView, Layout destination) {
        this.pool = pool;
        this.activation = activation;
        this.sourceView = sourceView;
        this.source = source;
        this.destinationView = destinationView;
        this.destination = destination;
    }

    @Override
    public String implementation() {
        return PortableEngine.IMPLEMENTATION;
    }

    @Override
    public Invocation bind(Binding binding) {
        return new Call(binding);
    }

    private final class Call implements Invocation {
        private final Window window = pool.window();
        private final boolean isMaximum = pool.kind() == Op.Pool.Kind.MAX;
        private final int channels = destination.dim(1);
        private final Location from;
        private final Location to;
        private final float[] values = new float[channels];
        private final float[] results = new float[channels];

        Call(Binding binding) {
            from = binding.locate(sourceView);
            to = binding.locate(destinationView);
        }

        @Override
        public void run() {
            for (int image = 0; image < destination.dim(0); image++) {
                long images = from.address() + source.origin() + source.axis(0).offset(image);
                for (int y = 0; y < destination.dim(2); y++) {
                    for (int x = 0; x < destination.dim(3); x++) {
                        int top = y * window.strideH() - window.padTop();
                        int left = x * window.strideW() - window.padLeft();
                        int taps = taps(images, top, left);
                        finish(pool.countPadding() ? paddedTaps(top, left) : taps);
                        destination.axis(1).write(results, 0, to.address() + destination.origin() + destination.axis(0).offset(image)
                                + destination.axis(2).offset(y) + destination.axis(3).offset(x), 0, channels);
                    }
                }
            }
        }

        /** Combines the pixels of a window that are inside of the image; returns their number. */
        private int taps(long images, int top, int left) {
            Arrays.fill(results, isMaximum ? Float.NEGATIVE_INFINITY : 0);
            int taps = 0;
            for (int ky = 0; ky < window.kernelH(); ky++) {
                int row = top + ky * window.dilationH();
                if (row < 0 || row >= source.dim(2)) {
                    continue;
                }
                for (int kx = 0; kx < window.kernelW(); kx++) {
                    int column = left + kx * window.dilationW();
                    if (column >= 0 && column < source.dim(3)) {
                        source.axis(1).read(images + source.axis(2).offset(row) + source.axis(3).offset(column), 0, channels, values, 0);
                        include();
                        taps++;
                    }
                }
            }
            return taps;
        }

        private void include() {
            if (isMaximum) {
                for (int c = 0; c < channels; c++) {
                    results[c] = Math.max(results[c], values[c]);
                }
            } else {
                for (int c = 0; c < channels; c++) {
                    results[c] += values[c];
                }
            }
        }

        private int paddedTaps(int top, int left) {
            int rows = inside(top, window.kernelH(), window.dilationH(), source.dim(2) + window.padBottom());
            int columns = inside(left, window.kernelW(), window.dilationW(), source.dim(3) + window.padRight());
            return rows * columns;
        }

        /** How many of the positions start, start + step, ... are below the limit. */
        private static int inside(int start, int count, int step, int limit) {
            return Math.clamp(Math.ceilDiv(limit - start, step), 0, count);
        }

        private void finish(int divisor) {
            if (!isMaximum && divisor > 0) {
                for (int c = 0; c < channels; c++) {
                    results[c] /= divisor;
                }
            }
            Functions.apply(activation, results, channels);
        }
    }
}
