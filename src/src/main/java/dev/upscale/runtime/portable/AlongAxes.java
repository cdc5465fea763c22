package dev.upscale.runtime.portable;

import dev.upscale.graph.Function;
import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Binding;
import dev.upscale.runtime.kernel.Invocation;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.Location;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Operations that see all elements along some axes at once and make as many: softmax and the normalisations. The destination may be
 * the source.
 */
final class AlongAxes implements Kernel {
    /** Computes on the elements along the axes, row-major, in place. */
    @FunctionalInterface
    interface Group {
        /** @param rest the other sources' elements at the same places */
        void apply(float[] values, float[][] rest, int count);
    }

    private final List<View> views;
    private final View destination;
    private final Group group;
    private final Function activation;
    private final Nest outer;
    private final Nest inner;
    private final int elements;

    /**
     * @param axes    that the group runs along, ascending
     * @param layouts of the sources, of the shape of {@code target}
     */
    AlongAxes(List<Integer> axes, List<View> views, List<Layout> layouts, Group group, Function activation, View destination,
            Layout target) {
        List<Layout> operands = new ArrayList<>(List.of(target));
        operands.addAll(layouts);
        Layout[] all = operands.toArray(Layout[]::new);
        this.views = views;
        this.destination = destination;
        this.group = group;
        this.activation = activation;
        outer = Nest.points(IntStream.range(0, target.rank()).filter(axis -> !axes.contains(axis)).boxed().toList(), all);
        Layout[] within = operands.stream().map(layout -> new Layout(0, layout.axes())).toArray(Layout[]::new);
        inner = Nest.inOrder(axes, within);
        elements = axes.stream().mapToInt(target::dim).reduce(1, Math::multiplyExact);
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
        private final Nest.Cursor groups = outer.cursor();
        private final Nest.Cursor cursor = inner.cursor();
        private final float[] values = new float[elements];
        private final float[][] rest;

        Call(Binding binding) {
            target = binding.locate(destination);
            sources = views.stream().map(binding::locate).toArray(Location[]::new);
            rest = new float[sources.length - 1][elements];
        }

        @Override
        public void run() {
            groups.start(0, target.address());
            for (int source = 0; source < sources.length; source++) {
                groups.start(source + 1, sources[source].address());
            }
            if (elements == 0 || !groups.begin()) {
                return;
            }
            do {
                move(false);
                group.apply(values, rest, elements);
                Functions.apply(activation, values, elements);
                move(true);
            } while (groups.next());
        }

        /** Between the group's elements in memory and the arrays. */
        private void move(boolean back) {
            for (int operand = 0; operand <= sources.length; operand++) {
                cursor.start(operand, groups.at(operand));
            }
            int length = inner.rowLength();
            int at = 0;
            cursor.begin();
            do {
                if (back) {
                    inner.row(0).write(values, at, cursor.at(0), 0, length);
                } else {
                    inner.row(1).read(cursor.at(1), 0, length, values, at);
                    for (int source = 1; source < sources.length; source++) {
                        inner.row(source + 1).read(cursor.at(source + 1), 0, length, rest[source - 1], at);
                    }
                }
                at += length;
            } while (cursor.next());
        }
    }
}
