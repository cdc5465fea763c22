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

/** Mean, sum, maximum or minimum over some axes: a row of kept elements at a time, summed in double. */
final class Reduction implements Kernel {
    private final Op.Reduce.Kind kind;
    private final Function activation;
    private final View sourceView;
    private final View destinationView;
    private final Nest kept;
    private final Nest reduced;
    private final long elements;

    /** @param destination of the source's rank, reduced axes kept with size 1 */
    Reduction(Op.Reduce op, Function activation, View sourceView, Layout source, View destinationView, Layout destination) {
        kind = op.kind();
        this.activation = activation;
        this.sourceView = sourceView;
        this.destinationView = destinationView;
        List<Integer> others = IntStream.range(0, source.rank()).filter(axis -> !op.axes().contains(axis)).boxed()
                .sorted(Comparator.comparingLong((Integer axis) -> -destination.axis(axis).spread())).toList();
        kept = Nest.inOrder(others, destination, source);
        reduced = Nest.points(op.axes(), new Layout(0, source.axes()));
        elements = op.axes().stream().mapToLong(source::dim).reduce(1, Math::multiplyExact);
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
        private final Nest.Cursor rows = kept.cursor();
        private final Nest.Cursor cursor = reduced.cursor();
        private final float[] values = new float[kept.pieceLength()];
        private final double[] results = new double[kept.pieceLength()];

        Call(Binding binding) {
            from = binding.locate(sourceView);
            to = binding.locate(destinationView);
        }

        @Override
        public void run() {
            rows.start(0, to.address());
            rows.start(1, from.address());
            if (!rows.begin()) {
                return;
            }
            do {
                for (int start = 0; start < kept.rowLength(); start += Nest.PIECE) {
                    piece(start, Math.min(Nest.PIECE, kept.rowLength() - start));
                }
            } while (rows.next());
        }

        private void piece(int start, int count) {
            Arrays.fill(results, switch (kind) {
                case MEAN, SUM -> 0;
                case MAX -> Double.NEGATIVE_INFINITY;
                case MIN -> Double.POSITIVE_INFINITY;
            });
            cursor.start(0, rows.at(1));
            if (cursor.begin()) {
                do {
                    kept.row(1).read(cursor.at(0), start, count, values, 0);
                    include(count);
                } while (cursor.next());
            }
            double divisor = kind == Op.Reduce.Kind.MEAN ? elements : 1;
            for (int i = 0; i < count; i++) {
                values[i] = (float) (results[i] / divisor);
            }
            Functions.apply(activation, values, count);
            kept.row(0).write(values, 0, rows.at(0), start, count);
        }

        private void include(int count) {
            switch (kind) {
                case MEAN, SUM -> {
                    for (int i = 0; i < count; i++) {
                        results[i] += values[i];
                    }
                }
                case MAX -> {
                    for (int i = 0; i < count; i++) {
                        results[i] = Math.max(results[i], values[i]);
                    }
                }
                case MIN -> {
                    for (int i = 0; i < count; i++) {
                        results[i] = Math.min(results[i], values[i]);
                    }
                }
            }
        }
    }
}
