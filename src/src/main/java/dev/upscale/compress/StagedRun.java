package dev.upscale.compress;

import dev.upscale.BoundSession;
import dev.upscale.Upscale;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.TensorType;
import dev.upscale.runtime.Executable;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A network that runs on all blocks of a data set a few nodes at a time, so that what comes later may still change. Between the runs
 * it keeps the tensors that later nodes read. Each node runs once, on the CPU engines. To be closed.
 */
final class StagedRun implements AutoCloseable {
    private final Images images;
    private final int batch;
    private final Workers workers;
    private final Activations activations;
    private final Set<String> kept = new LinkedHashSet<>();
    private int done;

    /**
     * Before the first node.
     *
     * @param graph with one input, whose dimension 0 is the size of a block
     */
    StagedRun(Graph graph, Images images, Workers workers, long heapBytes) {
        this.images = images;
        this.workers = workers;
        TensorType type = graph.type(graph.inputs().getFirst());
        this.batch = type.dim(0);
        this.activations = new Activations(heapBytes);
        kept.add(graph.inputs().getFirst());
        int elements = Math.toIntExact(type.elements());
        for (int block = 0; block < blocks(); block++) {
            float[] values = new float[elements];
            images.fill(block * batch, batch, values);
            activations.put(graph.inputs().getFirst(), block, values);
        }
    }

    int blocks() {
        return images.count() / batch;
    }

    /** The values of a tensor that a node not yet run reads, for one block. */
    float[] block(String tensor, int block) {
        return activations.get(tensor, block);
    }

    /**
     * Runs the nodes before position {@code to} that did not run yet.
     *
     * @param graph the network as it is now: the same nodes in the same places, weights of those that ran not looked at
     */
    void advance(Graph graph, int to) {
        advance(graph, to, Set.of());
    }

    /** The same, and keeps some tensors that no later node need read until the next time. */
    void advance(Graph graph, int to, Set<String> wanted) {
        Set<String> later = new HashSet<>(graph.outputs());
        later.addAll(wanted);
        graph.nodes().subList(to, graph.nodes().size()).forEach(node -> later.addAll(node.inputs()));
        if (to > done) {
            run(stage(graph, to, later));
            done = to;
        }
        for (String tensor : List.copyOf(kept)) {
            if (!later.contains(tensor)) {
                activations.drop(tensor);
                kept.remove(tensor);
            }
        }
    }

    private Graph stage(Graph graph, int to, Set<String> later) {
        Graph.Builder stage = Graph.builder(graph.name());
        Set<String> made = new HashSet<>();
        for (Node node : graph.nodes().subList(done, to)) {
            for (String input : node.inputs()) {
                if (graph.isWeight(input)) {
                    stage.weight(input, graph.weight(input));
                } else if (!made.contains(input) && !stage.has(input)) {
                    stage.input(input, graph.type(input));
                }
            }
            stage.node(node);
            made.add(node.output());
        }
        for (Node node : graph.nodes().subList(done, to)) {
            if (later.contains(node.output())) {
                stage.output(node.output());
            }
        }
        return stage.build();
    }

    private void run(Graph stage) {
        kept.addAll(stage.outputs());
        try (Executable executable = Upscale.prepare(Upscale.compile(stage, CompileOptions.of(Variant.UPSCALE)))) {
            workers.all(blocks(), () -> new Worker(stage, BoundSession.open(executable, 1)));
        }
    }

    private final class Worker implements Workers.Worker {
        private final List<String> inputs;
        private final List<String> outputs;
        private final BoundSession session;

        Worker(Graph stage, BoundSession session) {
            this.inputs = new ArrayList<>(stage.inputs());
            this.outputs = new ArrayList<>(stage.outputs());
            this.session = session;
        }

        @Override
        public void work(int block) {
            for (int input = 0; input < inputs.size(); input++) {
                session.input(input).put(activations.get(inputs.get(input), block));
            }
            session.run();
            for (int output = 0; output < outputs.size(); output++) {
                var values = session.output(output);
                float[] copy = new float[values.remaining()];
                values.get(copy);
                activations.put(outputs.get(output), block, copy);
            }
        }

        @Override
        public void close() {
            session.close();
        }
    }

    @Override
    public void close() {
        activations.close();
    }
}
