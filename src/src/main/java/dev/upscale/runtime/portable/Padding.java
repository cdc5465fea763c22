package dev.upscale.runtime.portable;

import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Binding;
import dev.upscale.runtime.kernel.Invocation;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.Location;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Padding and cropping of any axes: per axis a table of the source position of each destination position, -1 outside. */
final class Padding implements Kernel {
    private final float value;
    private final Function activation;
    private final View sourceView;
    private final Layout source;
    private final View destinationView;
    private final Layout destination;
    private final int[][] positions;
    /** Axes, the innermost last. */
    private final int[] order;

    Padding(Op.Pad pad, Function activation, View sourceView, Layout source, View destinationView, Layout destination) {
        value = pad.value();
        this.activation = activation;
        this.sourceView = sourceView;
        this.source = source;
        this.destinationView = destinationView;
        this.destination = destination;
        positions = new int[source.rank()][];
        for (int axis = 0; axis < source.rank(); axis++) {
            int before = pad.before().get(axis);
            int size = source.dim(axis);
            int[] table = new int[destination.dim(axis)];
            Arrays.setAll(table, i -> position(pad.mode(), i - before, size));
            positions[axis] = table;
        }
        List<Integer> axes = IntStream.range(0, source.rank()).boxed()
                .sorted(Comparator.comparingLong((Integer axis) -> -destination.axis(axis).spread())).toList();
        order = axes.stream().mapToInt(Integer::intValue).toArray();
    }

    private static int position(Op.Pad.Mode mode, int position, int size) {
        return switch (mode) {
            case CONSTANT -> position >= 0 && position < size ? position : -1;
            case EDGE -> Math.clamp(position, 0, size - 1);
            case REFLECT -> {
                int period = Math.max(1, 2 * (size - 1));
                int phase = Math.floorMod(position, period);
                yield Math.min(phase, period - phase);
            }
        };
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
        private final Location from;
        private final Location to;
        private final int rank = source.rank();
        private final int rowAxis = rank == 0 ? 0 : order[rank - 1];
        private final float[] values = new float[rank == 0 ? 1 : source.dim(rowAxis)];
        private final float[] padded = new float[rank == 0 ? 1 : destination.dim(rowAxis)];

        Call(Binding binding) {
            from = binding.locate(sourceView);
            to = binding.locate(destinationView);
        }

        @Override
        public void run() {
            if (!destination.isEmpty()) {
                rows(0, from.address() + source.origin(), to.address() + destination.origin());
            }
        }

        /** @param address of the source at the positions so far, or -1 outside of it */
        private void rows(int depth, long address, long target) {
            if (depth >= rank - 1) {
                row(address, target);
                return;
            }
            int axis = order[depth];
            for (int i = 0; i < destination.dim(axis); i++) {
                int position = positions[axis][i];
                long next = address < 0 || position < 0 ? -1 : address + source.axis(axis).offset(position);
                rows(depth + 1, next, target + destination.axis(axis).offset(i));
            }
        }

        private void row(long address, long target) {
            if (rank == 0) {
                padded[0] = Floats.get(address);
                Functions.apply(activation, padded, 1);
                Floats.set(target, padded[0]);
                return;
            }
            if (address < 0) {
                Arrays.fill(padded, value);
            } else {
                source.axis(rowAxis).read(address, 0, values.length, values, 0);
                for (int i = 0; i < padded.length; i++) {
                    int position = positions[rowAxis][i];
                    padded[i] = position < 0 ? value : values[position];
                }
            }
            Functions.apply(activation, padded, padded.length);
            destination.axis(rowAxis).write(padded, 0, target, 0, padded.length);
        }
    }
}
