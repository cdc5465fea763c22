package dev.upscale.onnx;

import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Gives a graph whose batch was fixed when its model was exported another one. Before: dimension 0 of every input is the old
 * batch. After: it is the new one, and each image of the batch is computed as before. A node that works across the batch
 * makes that impossible and is named.
 */
final class SetBatch {
    private final Graph graph;
    private final int old;
    private final int batch;
    private final Graph.Builder builder;
    /** The tensors whose dimension 0 is the batch. */
    private final Set<String> batched = new HashSet<>();

    private SetBatch(Graph graph, int old, int batch) {
        this.graph = graph;
        this.old = old;
        this.batch = batch;
        this.builder = Graph.builder(graph.name());
    }

    /**
     * The graph for {@code batch} images.
     *
     * @throws InvalidInput if the inputs have no common batch, or a node works across it
     */
    static Graph run(Graph graph, int batch) {
        List<Integer> sizes = graph.inputs().stream().map(graph::type)
                .map(type -> type.rank() == 0 ? 0 : type.dim(0)).distinct().toList();
        if (sizes.equals(List.of(batch)) || sizes.isEmpty()) {
            return graph;
        }
        if (sizes.size() != 1 || sizes.getFirst() == 0) {
            throw new InvalidInput("the inputs have first dimensions " + sizes + ", so there is no batch to be made " + batch
                    + ": leave --batch out");
        }
        return new SetBatch(graph, sizes.getFirst(), batch).rewritten();
    }

    private Graph rewritten() {
        graph.weights().forEach(builder::weight);
        for (String input : graph.inputs()) {
            builder.input(input, graph.type(input).withDim(0, batch));
            batched.add(input);
        }
        for (Node node : graph.nodes()) {
            if (node.inputs().stream().anyMatch(batched::contains)) {
                builder.node(rewritten(node));
                batched.add(node.output());
            } else {
                builder.node(node);
            }
        }
        graph.outputs().forEach(builder::output);
        return builder.build();
    }

    private Node rewritten(Node node) {
        TensorType source = graph.type(node.input(0));
        return switch (node.op()) {
            case Op.Conv op -> onlySource(node);
            case Op.ConvTranspose op -> onlySource(node);
            case Op.BatchNorm op -> onlySource(node);
            case Op.ScaleShift op -> onlySource(node);
            case Op.InstanceNorm op -> onlySource(node);
            case Op.Lrn op -> node;
            case Op.Apply op -> node;
            case Op.Pool op -> node;
            case Op.Resize op -> node;
            case Op.DepthToSpace op -> node;
            case Op.Linear op -> keep(onlySource(node), source.rank() >= 2);
            case Op.MatMul op -> keep(aligned(node), graph.type(node.output()).rank() >= 3 || isSource(node));
            case Op.PRelu op -> aligned(node);
            case Op.Binary op -> aligned(node);
            case Op.LayerNorm(int axis, float epsilon) -> keep(onlySource(node), axis > 0);
            case Op.Softmax(int axis) -> keep(node, axis > 0);
            case Op.Slice slice -> keep(node, slice.axis() > 0);
            case Op.Take take -> keep(node, take.axis() > 0);
            case Op.Reduce reduce -> keep(node, !reduce.axes().contains(0));
            case Op.Transpose transpose -> keep(node, transpose.permutation().getFirst() == 0);
            case Op.Pad pad -> keep(node, pad.before().getFirst() == 0 && pad.after().getFirst() == 0);
            case Op.Concat(int axis) -> keep(node.withInputs(node.inputs().stream().map(this::repeated).toList()), axis > 0);
            case Op.Reshape(List<Integer> dims) -> {
                // Each image's elements stay its own exactly if the old batch is still there.
                keep(node, !dims.isEmpty() && dims.getFirst() == old);
                yield node.withOp(new Op.Reshape(withBatch(dims)));
            }
            case Op.Expand(List<Integer> dims) -> {
                keep(node, dims.size() == source.rank() && dims.getFirst() == old);
                yield node.withOp(new Op.Expand(withBatch(dims)));
            }
        };
    }

    private List<Integer> withBatch(List<Integer> dims) {
        List<Integer> changed = new ArrayList<>(dims);
        changed.set(0, batch);
        return changed;
    }

    private boolean isSource(Node node) {
        return batched.contains(node.input(0)) && node.inputs().stream().skip(1).noneMatch(batched::contains);
    }

    /** A node of whose operands only the first may be batched. */
    private Node onlySource(Node node) {
        return keep(node, isSource(node));
    }

    /** A node whose operands are broadcast: those that are batched span the result, the others are the same for all images. */
    private Node aligned(Node node) {
        int rank = graph.type(node.output()).rank();
        return keep(node, IntStream.range(0, node.inputs().size()).allMatch(i -> {
            TensorType type = graph.type(node.input(i));
            return batched.contains(node.input(i)) ? type.rank() == rank : type.rank() < rank || type.dim(0) == 1;
        }));
    }

    /** A weight among batched tensors: repeated for each image. */
    private String repeated(String tensor) {
        if (batched.contains(tensor) || !graph.isWeight(tensor) || graph.type(tensor).rank() == 0 || old != 1) {
            return tensor;
        }
        Tensor weight = graph.weight(tensor);
        List<Integer> dims = withBatch(weight.type().dims());
        String name = builder.fresh(tensor + ".batch");
        builder.weight(name, Elements.pick(weight, dims, Elements.broadcast(weight.type().dims(), dims)));
        return name;
    }

    private Node keep(Node node, boolean keepsImagesApart) {
        if (!keepsImagesApart) {
            throw new InvalidInput("node " + node.name() + " (" + node.op().getClass().getSimpleName()
                    + ") works across the batch, so the model's batch of " + old + " cannot be made " + batch
                    + ": export the model with an open batch, or leave --batch out");
        }
        return node;
    }
}
