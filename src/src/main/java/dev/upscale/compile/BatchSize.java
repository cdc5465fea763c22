package dev.upscale.compile;

import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.TensorType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * A network for another number of images: the first dimension of all inputs, and of whatever is made of them. Only where every image is
 * computed by itself; an operation that mixes them, or might, forbids it.
 */
final class BatchSize {
    private final Graph network;
    private final int images;
    private final Graph.Builder resized;
    /** Tensors whose first dimension is the images. */
    private final Set<String> batched = new HashSet<>();

    private BatchSize(Graph network, int images) {
        this.network = network;
        this.images = images;
        resized = Graph.builder(network.name());
    }

    /** The first dimension that all inputs and outputs have; 1 if they have none in common. */
    static int of(Graph network) {
        List<Integer> sizes = IntStream.range(0, network.inputs().size() + network.outputs().size())
                .mapToObj(i -> i < network.inputs().size() ? network.inputs().get(i) : network.outputs().get(i - network.inputs().size()))
                .map(tensor -> network.type(tensor).rank() == 0 ? 1 : network.type(tensor).dim(0)).distinct().toList();
        return sizes.size() == 1 ? sizes.getFirst() : 1;
    }

    /** The network for so many images of those that {@link #of} counts; empty if images may depend on each other. */
    static Optional<Graph> resize(Graph network, int images) {
        return images == of(network) ? Optional.of(network) : new BatchSize(network, images).resize();
    }

    private Optional<Graph> resize() {
        for (String input : network.inputs()) {
            TensorType type = network.type(input);
            resized.input(input, new TensorType(type.element(), first(type.dims())));
            batched.add(input);
        }
        network.weights().forEach(resized::weight);
        for (Node node : network.nodes()) {
            List<String> moving = node.inputs().stream().filter(batched::contains).toList();
            if (moving.isEmpty()) {
                resized.node(node);
            } else {
                Optional<Op> op = resized(node, moving);
                if (op.isEmpty()) {
                    return Optional.empty();
                }
                resized.node(new Node(node.name(), op.get(), node.inputs(), node.output()));
                batched.add(node.output());
                if (!resized.type(node.output()).dims().equals(first(network.type(node.output()).dims()))) {
                    return Optional.empty();
                }
            }
        }
        network.outputs().forEach(resized::output);
        return batched.containsAll(network.outputs()) ? Optional.of(resized.build()) : Optional.empty();
    }

    private List<Integer> first(List<Integer> dims) {
        List<Integer> changed = new ArrayList<>(dims);
        changed.set(0, images);
        return changed;
    }

    /** The operation on fewer images; empty if it may mix them. */
    private Optional<Op> resized(Node node, List<String> moving) {
        Op op = node.op();
        int rank = network.type(node.output()).rank();
        boolean isFromFirst = moving.equals(List.of(node.input(0)));
        boolean keepsImages = switch (op) {
            case Op.MatMul product -> rank >= 3 && node.inputs().stream().allMatch(input -> keepsImages(input, rank));
            case Op.PRelu prelu -> node.inputs().stream().allMatch(input -> keepsImages(input, rank));
            case Op.Binary binary -> node.inputs().stream().allMatch(input -> keepsImages(input, rank));
            case Op.Concat concat -> concat.axis() > 0 && moving.equals(node.inputs());
            case Op.Linear linear -> isFromFirst && rank >= 2;
            case Op.LayerNorm norm -> isFromFirst && norm.axis() > 0;
            case Op.Softmax softmax -> softmax.axis() > 0;
            case Op.Slice slice -> slice.axis() > 0;
            case Op.Take take -> take.axis() > 0;
            case Op.Reduce reduce -> !reduce.axes().contains(0);
            case Op.Transpose transpose -> transpose.permutation().getFirst() == 0;
            case Op.Pad pad -> pad.before().getFirst() == 0 && pad.after().getFirst() == 0;
            case Op.Reshape reshape -> reshape.dims().getFirst().equals(network.type(node.input(0)).dim(0));
            case Op.Expand expand -> rank == network.type(node.input(0)).rank();
            case Op.Conv _, Op.ConvTranspose _, Op.BatchNorm _, Op.ScaleShift _, Op.InstanceNorm _, Op.Lrn _, Op.Apply _, Op.Pool _, Op.Resize _,
                    Op.DepthToSpace _ -> isFromFirst;
        };
        if (!keepsImages) {
            return Optional.empty();
        }
        return Optional.of(switch (op) {
            case Op.Reshape reshape -> new Op.Reshape(first(reshape.dims()));
            case Op.Expand expand -> new Op.Expand(first(expand.dims()));
            default -> op;
        });
    }

    /** Whether an operand of an operation that broadcasts has the images first, or is the same for all of them. */
    private boolean keepsImages(String operand, int rank) {
        TensorType type = network.type(operand);
        return batched.contains(operand) ? type.rank() == rank : type.rank() < rank || type.dim(0) == 1;
    }
}
