package dev.upscale.runtime.portable;

import dev.upscale.graph.Function;
import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Binding;
import dev.upscale.runtime.kernel.Invocation;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.Location;
import java.util.stream.IntStream;

/**
 * Reshape between shapes whose boundaries do not nest, or of channels by index: element by element, each side in its own row-major
 * order.
 */
final class Renumbering implements Kernel {
    private final Function activation;
    private final View sourceView;
    private final View destinationView;
    private final Nest source;
    private final Nest destination;

    Renumbering(Function activation, View sourceView, Layout source, View destinationView, Layout destination) {
        this.activation = activation;
        this.sourceView = sourceView;
        this.destinationView = destinationView;
        this.source = rowMajor(source);
        this.destination = rowMajor(destination);
    }

    private static Nest rowMajor(Layout layout) {
        return Nest.points(IntStream.range(0, layout.rank()).boxed().toList(), layout);
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
        private final Nest.Cursor reader = source.cursor();
        private final Nest.Cursor writer = destination.cursor();
        private final float[] value = new float[1];

        Call(Binding binding) {
            from = binding.locate(sourceView);
            to = binding.locate(destinationView);
        }

        @Override
        public void run() {
            reader.start(0, from.address());
            writer.start(0, to.address());
            if (!reader.begin() || !writer.begin()) {
                return;
            }
            do {
                value[0] = Floats.get(reader.at(0));
                Functions.apply(activation, value, 1);
                Floats.set(writer.at(0), value[0]);
                reader.next();
            } while (writer.next());
        }
    }
}
