package dev.upscale.runtime.kernel;

import dev.upscale.graph.Op;
import java.util.Optional;

/**
 * Which positions of a source axis each position of a resized axis is made of, as ONNX's Resize says: {@code first} with weight
 * {@code 1 - weight}, {@code second} with {@code weight}. Immutable by agreement.
 */
public final class Interpolation {
    private final int[] first;
    private final int[] second;
    private final float[] weight;

    private Interpolation(int[] first, int[] second, float[] weight) {
        this.first = first;
        this.second = second;
        this.weight = weight;
    }

    /** Of the rows of a source of that height. */
    public static Interpolation ofRows(Op.Resize resize, int height) {
        return of(resize, height, resize.height(), resize.scaleH());
    }

    /** Of the columns of a source of that width. */
    public static Interpolation ofColumns(Op.Resize resize, int width) {
        return of(resize, width, resize.width(), resize.scaleW());
    }

    private static Interpolation of(Op.Resize resize, int size, int resized, float scale) {
        int[] first = new int[resized];
        int[] second = new int[resized];
        float[] weight = new float[resized];
        for (int i = 0; i < resized; i++) {
            double at = resize.sourcePosition(i, size, resized, scale);
            if (resize.mode() == Op.Resize.Mode.NEAREST) {
                first[i] = resize.nearestSource(at, size);
                second[i] = first[i];
            } else {
                double inside = Math.clamp(at, 0, size - 1);
                first[i] = (int) Math.floor(inside);
                second[i] = Math.min(first[i] + 1, size - 1);
                weight[i] = (float) (inside - first[i]);
            }
        }
        return new Interpolation(first, second, resize.mode() == Op.Resize.Mode.NEAREST ? null : weight);
    }

    public int first(int position) {
        return first[position];
    }

    public int second(int position) {
        return second[position];
    }

    /** The weight of {@link #second}; 0 for nearest. */
    public float weight(int position) {
        return weight == null ? 0 : weight[position];
    }

    /** All of {@link #first}; not to be written to. */
    public int[] firsts() {
        return first;
    }

    /** All of {@link #second}; none for nearest. */
    public Optional<int[]> seconds() {
        return weight == null ? Optional.empty() : Optional.of(second);
    }

    /** All of {@link #weight}; none for nearest. */
    public Optional<float[]> weights() {
        return Optional.ofNullable(weight);
    }
}
