package dev.upscale.runtime.portable;

import java.util.Arrays;

/**
 * One axis of an operand: how many positions it has and how far each is from the first, in bytes; evenly spaced, or by a table.
 */
final class Axis {
    final int size;
    /** Bytes from position to position; of no meaning with a table. */
    final long stride;
    /** The distance of each position; null if they are evenly spaced. */
    private final long[] table;

    private Axis(int size, long stride, long[] table) {
        this.size = size;
        this.stride = stride;
        this.table = table;
    }

    static Axis even(int size, long stride) {
        return new Axis(size, stride, null);
    }

    /** Positions {@code positions[0]}, {@code positions[1]}, ... of this axis. */
    Axis at(int[] positions) {
        return new Axis(positions.length, 0, Arrays.stream(positions).mapToLong(this::offset).toArray());
    }

    boolean isEven() {
        return table == null;
    }

    /** The distance of a position from the first one, or where the axis was made by {@link #at} from its memory's first. */
    long offset(int position) {
        return table == null ? position * stride : table[position];
    }

    /** The bytes from a position to the next. */
    long step(int position) {
        return table == null ? stride : table[position + 1] - table[position];
    }

    /** How far positions are apart, roughly: what axes are ordered by. */
    long spread() {
        return size < 2 ? 0 : Math.abs(step(0));
    }

    /** Whether the axis runs through the positions of {@code outer} one after the other when it is appended to it. */
    boolean continues(Axis outer) {
        return isEven() && outer.isEven() && outer.stride == size * stride;
    }

    /** Reads positions {@code from}, ..., {@code from + count - 1}; {@code address} is that of the axis's start. */
    void read(long address, int from, int count, float[] into, int at) {
        if (table != null) {
            for (int i = 0; i < count; i++) {
                into[at + i] = Floats.get(address + table[from + i]);
            }
        } else if (stride == Float.BYTES) {
            Floats.read(address + from * stride, into, at, count);
        } else if (stride == 0) {
            Arrays.fill(into, at, at + count, Floats.get(address));
        } else {
            long start = address + from * stride;
            for (int i = 0; i < count; i++) {
                into[at + i] = Floats.get(start + i * stride);
            }
        }
    }

    /** Writes positions {@code from}, ..., {@code from + count - 1}. */
    void write(float[] values, int at, long address, int from, int count) {
        if (table != null) {
            for (int i = 0; i < count; i++) {
                Floats.set(address + table[from + i], values[at + i]);
            }
        } else if (stride == Float.BYTES) {
            Floats.write(values, at, address + from * stride, count);
        } else {
            long start = address + from * stride;
            for (int i = 0; i < count; i++) {
                Floats.set(start + i * stride, values[at + i]);
            }
        }
    }
}
