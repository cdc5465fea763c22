package dev.upscale.runtime.portable;

import dev.upscale.graph.Function;
import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Binding;
import dev.upscale.runtime.kernel.Invocation;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.Location;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Matrix products [..., M, K] × [..., K, N], leading dimensions broadcast, plus a bias. The right matrix is brought to rows once
 * per batch in which it changes.
 */
final class MatrixProduct implements Kernel {
    private final View leftView;
    private final View rightView;
    private final View biasView;
    private final View destinationView;
    private final Layout left;
    private final Layout right;
    private final Layout bias;
    private final Layout destination;
    private final Function activation;
    private final Nest batches;

    /**
     * @param left        [..., M, K], of as many dimensions as the destination
     * @param right       [..., K, N], likewise
     * @param bias        [N], or null
     * @param destination [..., M, N]
     */
    MatrixProduct(View leftView, Layout left, View rightView, Layout right, View biasView, Layout bias, Function activation,
            View destinationView, Layout destination) {
        this.leftView = leftView;
        this.rightView = rightView;
        this.biasView = biasView;
        this.destinationView = destinationView;
        this.left = left;
        this.right = right;
        this.bias = bias;
        this.destination = destination;
        this.activation = activation;
        int leading = destination.rank() - 2;
        List<Integer> order = IntStream.range(0, leading).boxed().toList();
        List<Integer> dims = destination.dims().subList(0, leading);
        batches = Nest.points(order, leadingOf(destination, dims), leadingOf(left, dims), leadingOf(right, dims));
    }

    private static Layout leadingOf(Layout layout, List<Integer> dims) {
        return new Layout(layout.origin(), layout.axes().subList(0, dims.size())).broadcast(dims);
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
        private final Axis rows = destination.axis(destination.rank() - 2);
        private final Axis columns = destination.axis(destination.rank() - 1);
        private final Axis leftRows = left.axis(left.rank() - 2);
        private final Axis leftColumns = left.axis(left.rank() - 1);
        private final Axis rightRows = right.axis(right.rank() - 2);
        private final Axis rightColumns = right.axis(right.rank() - 1);
        private final int outputs = columns.size;
        private final int depth = leftColumns.size;
        private final Location from;
        private final Location by;
        private final Location plus;
        private final Location to;
        private final Nest.Cursor cursor = batches.cursor();
        private final float[] values = new float[depth];
        private final float[][] matrix = new float[depth][outputs];
        private final float[] biases = new float[outputs];
        private final float[] sums = new float[outputs];

        Call(Binding binding) {
            from = binding.locate(leftView);
            by = binding.locate(rightView);
            plus = bias == null ? null : binding.locate(biasView);
            to = binding.locate(destinationView);
        }

        @Override
        public void run() {
            if (plus != null) {
                bias.axis(0).read(plus.address() + bias.origin(), 0, outputs, biases, 0);
            }
            cursor.start(0, to.address());
            cursor.start(1, from.address());
            cursor.start(2, by.address());
            if (!cursor.begin()) {
                return;
            }
            long packed = -1;
            do {
                if (cursor.at(2) != packed) {
                    packed = cursor.at(2);
                    pack(packed);
                }
                multiply(cursor.at(1), cursor.at(0));
            } while (cursor.next());
        }

        private void pack(long address) {
            for (int k = 0; k < depth; k++) {
                rightColumns.read(address + rightRows.offset(k), 0, outputs, matrix[k], 0);
            }
        }

        private void multiply(long source, long target) {
            for (int row = 0; row < rows.size; row++) {
                leftColumns.read(source + leftRows.offset(row), 0, depth, values, 0);
                System.arraycopy(biases, 0, sums, 0, outputs);
                Product.accumulate(sums, values, 0, depth, matrix, 0);
                Functions.apply(activation, sums, outputs);
                columns.write(sums, 0, target + rows.offset(row), 0, outputs);
            }
        }
    }
}
