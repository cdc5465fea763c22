package dev.upscale.runtime.portable;

import dev.upscale.graph.Function;
import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Binding;
import dev.upscale.runtime.kernel.Invocation;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.Location;
import java.util.List;

/**
 * Each element of the destination from the elements at its place in the sources, then an activation. The destination may be one of
 * the sources, element for element.
 */
final class Elementwise implements Kernel {
    /** Computes on pieces of rows, one per source, and leaves the result in the first. */
    @FunctionalInterface
    interface RowFunction {
        void apply(float[][] rows, int count);
    }

    private final List<View> views;
    private final Nest nest;
    private final RowFunction function;
    private final Function activation;
    private final View destination;

    /**
     * @param views    of the sources
     * @param layouts  of the sources, of the shape of {@code target}
     * @param function of the sources' rows
     * @param target   the destination's layout
     */
    Elementwise(List<View> views, List<Layout> layouts, RowFunction function, Function activation, View destination, Layout target) {
        Layout[] operands = new Layout[layouts.size() + 1];
        operands[0] = target;
        for (int source = 0; source < layouts.size(); source++) {
            operands[source + 1] = layouts.get(source);
        }
        this.views = views;
        this.nest = Nest.over(operands);
        this.function = function;
        this.activation = activation;
        this.destination = destination;
    }

    /** Moves elements from place to place. */
    static Elementwise copy(View source, Layout layout, Function activation, View destination, Layout target) {
        return new Elementwise(List.of(source), List.of(layout), (rows, count) -> { }, activation, destination, target);
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
        private final Location target;
        private final Location[] sources;
        private final Nest.Cursor cursor = nest.cursor();
        private final float[][] rows;

        Call(Binding binding) {
            target = binding.locate(destination);
            sources = views.stream().map(binding::locate).toArray(Location[]::new);
            rows = new float[sources.length][nest.pieceLength()];
        }

        @Override
        public void run() {
            cursor.start(0, target.address());
            for (int source = 0; source < sources.length; source++) {
                cursor.start(source + 1, sources[source].address());
            }
            if (!cursor.begin()) {
                return;
            }
            int length = nest.rowLength();
            do {
                for (int from = 0; from < length; from += Nest.PIECE) {
                    piece(from, Math.min(Nest.PIECE, length - from));
                }
            } while (cursor.next());
        }

        private void piece(int from, int count) {
            for (int source = 0; source < sources.length; source++) {
                nest.row(source + 1).read(cursor.at(source + 1), from, count, rows[source], 0);
            }
            function.apply(rows, count);
            Functions.apply(activation, rows[0], count);
            nest.row(0).write(rows[0], 0, cursor.at(0), from, count);
        }
    }
}
