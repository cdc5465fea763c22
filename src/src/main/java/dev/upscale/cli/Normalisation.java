package dev.upscale.cli;

import dev.upscale.compress.Images;
import dev.upscale.graph.InvalidInput;
import java.nio.file.Path;
import java.util.List;

/**
 * How pixels become a network's input.
 *
 * @param shape of one input: channels, height, width
 * @param mean subtracted from pixel/255: one for each channel, or one for all
 * @param deviation divides what is left: likewise
 */
record Normalisation(List<Integer> shape, float[] mean, float[] deviation) {
    private static final float BRIGHTEST = 255;

    Normalisation {
        int channels = shape.getFirst();
        if (mean.length != 1 && mean.length != channels || deviation.length != 1 && deviation.length != channels) {
            throw new InvalidInput("--mean has " + mean.length + " and --std " + deviation.length + " values for " + channels
                    + " channels; give one for all, or one for each");
        }
    }

    int elements() {
        return shape.stream().reduce(1, Math::multiplyExact);
    }

    void requirePixels(Path file, int pixels, String found) {
        if (pixels != elements()) {
            throw new InvalidInput(file + " holds " + found + ", and the model takes images of " + shape);
        }
    }

    private float apply(float pixel, int element) {
        int channel = element / (elements() / shape.getFirst());
        return (pixel / BRIGHTEST - mean[mean.length == 1 ? 0 : channel]) / deviation[deviation.length == 1 ? 0 : channel];
    }

    /** Images of unsigned bytes, each a channel after the other. */
    Images ofBytes(byte[] bytes, int count) {
        int elements = elements();
        float[] table = new float[shape.getFirst() * 256];
        for (int k = 0; k < table.length; k++) {
            table[k] = apply(k & 0xff, k / 256 * (elements / shape.getFirst()));
        }
        return images(count, (first, images, into) -> {
            for (int k = 0; k < images * elements; k++) {
                int channel = k % elements / (elements / shape.getFirst());
                into[k] = table[channel * 256 + (bytes[first * elements + k] & 0xff)];
            }
        });
    }

    /** Images of pixels from 0 to 255. */
    Images ofPixels(float[] pixels, int count) {
        int elements = elements();
        return images(count, (first, images, into) -> {
            for (int k = 0; k < images * elements; k++) {
                into[k] = apply(pixels[first * elements + k], k % elements);
            }
        });
    }

    /** Values that the network takes as they are. */
    Images ofValues(float[] values, int count) {
        return images(count, (first, images, into) -> System.arraycopy(values, first * elements(), into, 0, images * elements()));
    }

    /** Writes some images. */
    interface Filling {
        void fill(int first, int count, float[] into);
    }

    static Images images(int count, Filling filling) {
        return new Images() {
            @Override
            public int count() {
                return count;
            }

            @Override
            public void fill(int first, int images, float[] into) {
                filling.fill(first, images, into);
            }
        };
    }
}
