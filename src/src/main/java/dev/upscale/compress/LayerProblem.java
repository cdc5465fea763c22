package dev.upscale.compress;

import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.prune.LeastSquares;
import dev.upscale.runtime.cpu.GramSums;

/** Gathers a layer's least-squares problem from all blocks of a data set, without storing unfolded inputs. Stateless. */
final class LayerProblem {
    /** Sums of f32 are not exact enough for less. */
    private static final double LEAST_RIDGE = 1e-5;

    private LayerProblem() {}

    /**
     * The problem to give, from a layer's inputs in one run, its outputs in another.
     *
     * @param inputs a run that stands before the node
     * @param outputs a run that stands after the node
     * @param unpruned the network whose weights the solution is drawn to
     * @param ridge see {@link LeastSquares}; at least {@value #LEAST_RIDGE} counts
     */
    static LeastSquares gather(Unfolding unfolding, Node node, StagedRun inputs, StagedRun outputs, Graph unpruned, double ridge, Workers workers) {
        GramSums total = new GramSums(unfolding.rows(), unfolding.targets(), 1);
        try (total) {
            int images = unpruned.type(node.input(0)).dim(0);
            workers.all(inputs.blocks(), () -> new Workers.Worker() {
                private final GramSums sums = new GramSums(unfolding.rows(), unfolding.targets(), unfolding.capacity());
                private final float[] columns = new float[unfolding.rows() * unfolding.capacity()];
                private final float[] targets = new float[unfolding.targets() * unfolding.capacity()];

                @Override
                public void work(int block) {
                    float[] source = inputs.block(node.input(0), block);
                    float[] wanted = outputs.block(node.output(), block);
                    for (int first = 0; first < images; first += unfolding.imagesAtOnce()) {
                        int count = Math.min(unfolding.imagesAtOnce(), images - first);
                        int used = unfolding.columns(source, first, count, columns);
                        unfolding.targets(wanted, first, count, targets);
                        sums.add(columns, targets, used);
                    }
                }

                @Override
                public void close() {
                    synchronized (total) {
                        total.add(sums);
                    }
                    sums.close();
                }
            });
            return new LeastSquares(unfolding.rows(), unfolding.targets(), total.gram(), total.products(), total.targetSquares(),
                    unfolding.weights(unpruned, node), Math.max(ridge, LEAST_RIDGE));
        }
    }
}
