package dev.upscale.runtime.portable;

import dev.upscale.graph.Function;
import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Binding;
import dev.upscale.runtime.kernel.Interpolation;
import dev.upscale.runtime.kernel.Invocation;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.Location;
import java.util.Arrays;

/** Resize of [N, C, H, W] in height and width by tables: all channels of a pixel at once. */
final class Resizing implements Kernel {
    private final Interpolation rows;
    private final Interpolation columns;
    private final Function activation;
    private final View sourceView;
    private final Layout source;
    private final View destinationView;
    private final Layout destination;

    Resizing(Interpolation rows, Interpolation columns, Function activation, View sourceView, Layout source, View destinationView,
            Layout destination) {
        this.rows = rows;
        this.columns = columns;
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
                long target = to.address() + destination.origin() + destination.axis(0).offset(image);
                for (int y = 0; y < destination.dim(2); y++) {
                    for (int x = 0; x < destination.dim(3); x++) {
                        pixel(images, y, x);
                        Functions.apply(activation, results, channels);
                        destination.axis(1).write(results, 0, target + destination.axis(2).offset(y) + destination.axis(3).offset(x),
                                0, channels);
                    }
                }
            }
        }

        private void pixel(long images, int y, int x) {
            Arrays.fill(results, 0);
            float lower = rows.weight(y);
            float right = columns.weight(x);
            add(images, rows.first(y), columns.first(x), (1 - lower) * (1 - right));
            if (right != 0) {
                add(images, rows.first(y), columns.second(x), (1 - lower) * right);
            }
            if (lower != 0) {
                add(images, rows.second(y), columns.first(x), lower * (1 - right));
            }
            if (lower != 0 && right != 0) {
                add(images, rows.second(y), columns.second(x), lower * right);
            }
        }

        private void add(long images, int row, int column, float weight) {
            source.axis(1).read(images + source.axis(2).offset(row) + source.axis(3).offset(column), 0, channels, values, 0);
            for (int c = 0; c < channels; c++) {
                results[c] += weight * values[c];
            }
        }
    }
}
