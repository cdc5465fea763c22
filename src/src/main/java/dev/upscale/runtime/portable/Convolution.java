package dev.upscale.runtime.portable;

import dev.upscale.graph.Function;
import dev.upscale.graph.Window;
import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Binding;
import dev.upscale.runtime.kernel.Invocation;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.Location;

/**
 * Convolution and transposed convolution: pixel by pixel, all outputs of a tap at once. The destination may be the addend.
 */
final class Convolution implements Kernel {
    private final Window window;
    private final boolean transposed;
    private final TapWeights weights;
    private final float[] bias;
    private final Function activation;
    private final View sourceView;
    private final Layout source;
    private final View addendView;
    private final Layout addend;
    private final View destinationView;
    private final Layout destination;

    /**
     * @param source      [N, C, H, W]
     * @param addend      [N, O, H', W'], or null
     * @param destination [N, O, H', W']
     * @param bias        [O], or null
     */
    Convolution(Window window, boolean transposed, TapWeights weights, float[] bias, Function activation,
            View sourceView, Layout source, View addendView, Layout addend, View destinationView, Layout destination) {
        this.window = window;
        this.transposed = transposed;
        this.weights = weights;
        this.bias = bias == null ? new float[destination.dim(1)] : bias;
        this.activation = activation;
        this.sourceView = sourceView;
        this.source = source;
        this.addendView = addendView;
        this.addend = addend;
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

    /** The source row or column that an output position reads through a tap, or -1. */
    private static int read(boolean transposed, int output, int tap, int stride, int dilation, int pad, int size) {
        int position;
        if (transposed) {
            int scaled = output + pad - tap * dilation;
            if (scaled < 0 || scaled % stride != 0) {
                return -1;
            }
            position = scaled / stride;
        } else {
            position = output * stride - pad + tap * dilation;
        }
        return position >= 0 && position < size ? position : -1;
    }

    private final class Call implements Invocation {
        private final Location from;
        private final Location residual;
        private final Location to;
        private final int outputs = destination.dim(1);
        private final float[] values = new float[source.dim(1)];
        private final float[][] sums = weights.sums();
        private final float[] results = new float[outputs];
        private final float[] residuals = new float[outputs];

        Call(Binding binding) {
            from = binding.locate(sourceView);
            residual = addend == null ? null : binding.locate(addendView);
            to = binding.locate(destinationView);
        }

        @Override
        public void run() {
            for (int image = 0; image < destination.dim(0); image++) {
                for (int y = 0; y < destination.dim(2); y++) {
                    for (int x = 0; x < destination.dim(3); x++) {
                        begin();
                        sumTaps(image, y, x);
                        finish(image, y, x);
                    }
                }
            }
        }

        private void begin() {
            int at = 0;
            for (float[] part : sums) {
                System.arraycopy(bias, at, part, 0, part.length);
                at += part.length;
            }
        }

        private void sumTaps(int image, int y, int x) {
            for (int ky = 0; ky < window.kernelH(); ky++) {
                int row = read(transposed, y, ky, window.strideH(), window.dilationH(), window.padTop(), source.dim(2));
                if (row < 0) {
                    continue;
                }
                for (int kx = 0; kx < window.kernelW(); kx++) {
                    int column = read(transposed, x, kx, window.strideW(), window.dilationW(), window.padLeft(), source.dim(3));
                    if (column >= 0) {
                        source.axis(1).read(pixel(from, source, image, row, column), 0, values.length, values, 0);
                        weights.accumulate(ky * window.kernelW() + kx, values, sums);
                    }
                }
            }
        }

        private void finish(int image, int y, int x) {
            int at = 0;
            for (float[] part : sums) {
                System.arraycopy(part, 0, results, at, part.length);
                at += part.length;
            }
            if (addend != null) {
                addend.axis(1).read(pixel(residual, addend, image, y, x), 0, outputs, residuals, 0);
                for (int o = 0; o < outputs; o++) {
                    results[o] += residuals[o];
                }
            }
            Functions.apply(activation, results, outputs);
            destination.axis(1).write(results, 0, pixel(to, destination, image, y, x), 0, outputs);
        }

        private static long pixel(Location location, Layout layout, int image, int y, int x) {
            return location.address() + layout.origin()
                    + layout.axis(0).offset(image) + layout.axis(2).offset(y) + layout.axis(3).offset(x);
        }
    }
}
