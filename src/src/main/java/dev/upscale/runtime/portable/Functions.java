package dev.upscale.runtime.portable;

import dev.upscale.graph.Function;

/** The graph's functions over arrays, the cheap ones in float. */
final class Functions {
    private Functions() {}

    /** {@code row[i] = function(row[i])} for the first {@code count} elements. */
    static void apply(Function function, float[] row, int count) {
        float a = function.a();
        float b = function.b();
        switch (function.kind()) {
            case NONE -> { }
            case RELU -> {
                for (int i = 0; i < count; i++) {
                    row[i] = Math.max(row[i], 0);
                }
            }
            case CLIP -> {
                for (int i = 0; i < count; i++) {
                    row[i] = Math.min(Math.max(row[i], a), b);
                }
            }
            case HARD_SIGMOID -> {
                for (int i = 0; i < count; i++) {
                    row[i] = Math.min(Math.max(a * row[i] + b, 0), 1);
                }
            }
            case HARD_SWISH -> {
                for (int i = 0; i < count; i++) {
                    row[i] = row[i] * Math.min(Math.max(row[i] / 6 + 0.5f, 0), 1);
                }
            }
            case LEAKY_RELU -> {
                for (int i = 0; i < count; i++) {
                    row[i] = row[i] < 0 ? a * row[i] : row[i];
                }
            }
            default -> {
                for (int i = 0; i < count; i++) {
                    row[i] = (float) function.apply(row[i]);
                }
            }
        }
    }
}
