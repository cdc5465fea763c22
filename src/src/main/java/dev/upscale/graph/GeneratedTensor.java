package dev.upscale.graph;

import java.util.Optional;

/**
 * Contents made from a seed. The seed is written into the first two elements, so that {@link #seed} finds out whether
 * and from which seed a tensor was made.
 */
final class GeneratedTensor {
    private static final int MULTIPLIER = 0x9E3779B1;
    private static final int INVERSE = inverse(MULTIPLIER);

    private GeneratedTensor() {}

    /** Values spread evenly over [centre − 0.5, centre + 0.5). */
    static Tensor random(TensorType type, int seed, float centre) {
        float[] values = new float[Math.toIntExact(type.elements())];
        int mixed = seed * MULTIPLIER;
        long state = mixed * 0x9E3779B97F4A7C15L;
        for (int i = 0; i < values.length; i++) {
            state += 0x9E3779B97F4A7C15L;
            long bits = (state ^ (state >>> 30)) * 0xBF58476D1CE4E5B9L;
            bits = (bits ^ (bits >>> 27)) * 0x94D049BB133111EBL;
            values[i] = centre + (((bits ^ (bits >>> 31)) >>> 40) - 0x800000) * 0x1p-24f;
        }
        if (values.length > 1) {
            values[0] = centre + ((mixed >>> 16) - 0x8000) * 0x1p-16f;
            values[1] = centre + ((mixed & 0xFFFF) - 0x8000) * 0x1p-16f;
        }
        return Tensor.of(type, values);
    }

    /** The seed that gives exactly this tensor around {@code centre}, if there is one. */
    static Optional<Integer> seed(Tensor tensor, float centre) {
        float[] values = tensor.floats();
        if (values.length < 2) {
            return Optional.empty();
        }
        float high = (values[0] - centre) * 0x1p16f + 0x8000;
        float low = (values[1] - centre) * 0x1p16f + 0x8000;
        if (!isHalf(high) || !isHalf(low)) {
            return Optional.empty();
        }
        int seed = ((int) high << 16 | (int) low) * INVERSE;
        return random(tensor.type(), seed, centre).equals(tensor) ? Optional.of(seed) : Optional.empty();
    }

    private static boolean isHalf(float value) {
        return value >= 0 && value <= 0xFFFF && value == (int) value;
    }

    /** The inverse of an odd number modulo 2^32, by Newton's iteration. */
    private static int inverse(int odd) {
        int inverse = odd;
        for (int i = 0; i < 5; i++) {
            inverse *= 2 - odd * inverse;
        }
        return inverse;
    }
}
