package dev.upscale.compress;

import dev.upscale.BoundSession;
import dev.upscale.Upscale;
import dev.upscale.compile.CompileOptions;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.TensorType;
import dev.upscale.runtime.Executable;
import java.util.concurrent.atomic.AtomicInteger;

/** Runs a network on a whole data set, batch by batch, on the CPU engines. Stateless. */
public final class Inference {
    private Inference() {}

    /**
     * A network's first output for every image: images × elements.
     *
     * @param graph masked; its one input's dimension 0 is the batch. The last batch is filled up with images that count twice
     * @param threads sessions that run at once, each on one thread
     */
    public static float[] scores(Graph graph, CompileOptions options, Images images, int threads, Progress progress) {
        int batch = requireBatch(graph);
        int elements = Math.toIntExact(graph.type(graph.outputs().getFirst()).elements() / batch);
        float[] scores = new float[Math.multiplyExact(images.count(), elements)];
        int blocks = Math.ceilDiv(images.count(), batch);
        AtomicInteger done = new AtomicInteger();
        try (Executable executable = Upscale.prepare(Upscale.compile(graph, options)); Workers workers = new Workers(threads)) {
            workers.all(blocks, () -> new Workers.Worker() {
                private final BoundSession session = BoundSession.open(executable, 1);
                private final float[] values = new float[session.input(0).remaining()];
                private final float[] results = new float[batch * elements];

                @Override
                public void work(int block) {
                    int first = Math.max(0, Math.min(block * batch, images.count() - batch));
                    int count = Math.min(batch, images.count());
                    images.fill(first, count, values);
                    session.input(0).put(values);
                    session.run();
                    session.output(0).get(results);
                    synchronized (progress) {
                        System.arraycopy(results, 0, scores, first * elements, count * elements);
                        progress.at(Math.min(images.count(), done.incrementAndGet() * batch), images.count(), graph.name());
                    }
                }

                @Override
                public void close() {
                    session.close();
                }
            });
        }
        return scores;
    }

    /** The batch of a network with one input. */
    static int requireBatch(Graph graph) {
        TensorType type = graph.type(graph.inputs().getFirst());
        if (graph.inputs().size() != 1 || type.rank() < 2) {
            throw new InvalidInput("model " + graph.name() + " has inputs " + graph.inputs()
                    + "; data can be given to networks with one input of images or rows");
        }
        return type.dim(0);
    }
}
