package dev.upscale.plan;

import java.util.Arrays;
import java.util.List;

/** Data that a plan brings with it: weights in f32, index lists in i32; row-major. Not to be written to. */
public sealed interface Constant {

    List<Integer> dims();

    /** The size of the data, in bytes. */
    long bytes();

    /** Weights, biases, scales. */
    record F32(List<Integer> dims, float[] values) implements Constant {
        public F32 {
            dims = List.copyOf(dims);
        }

        @Override
        public long bytes() {
            return (long) values.length * Float.BYTES;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof F32 that && dims.equals(that.dims) && Arrays.equals(values, that.values);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(values);
        }
    }

    /** Positions of channels. */
    record I32(List<Integer> dims, int[] values) implements Constant {
        public I32 {
            dims = List.copyOf(dims);
        }

        @Override
        public long bytes() {
            return (long) values.length * Integer.BYTES;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof I32 that && dims.equals(that.dims) && Arrays.equals(values, that.values);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(values);
        }
    }
}
