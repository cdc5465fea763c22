package dev.upscale.channels;

import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * For every tensor of a graph, which producers' channels each of its channels comes from.
 *
 * <p>Found from the structure, not by tracing: each operation says what it does to the channels of its inputs. Each
 * producer (a convolution, a matrix product, an input of the network) makes channels with new <em>labels</em>; operations
 * that keep channels apart hand the labels on (activations, pooling, depthwise convolutions), move them (concat, slice,
 * take) or tie them (additions, squeeze-and-excitation). Where an operation mixes channels without being a consumer
 * (softmax over channels, an unknown reshape), there is a {@link Barrier}: what it reads keeps all channels and their
 * order.
 *
 * <p>Two channels of one tensor may have the same label (a concat of tied tensors): a label says "ordered alike", not
 * "equal".
 */
public final class ChannelFlow {

    /**
     * The channels of a tensor.
     *
     * @param axis the dimension that counts channels, or -1 for a tensor without channels
     * @param labels one per channel
     */
    public record Channels(int axis, int[] labels) {
        static final Channels NONE = new Channels(-1, new int[0]);

        public int count() {
            return labels.length;
        }
    }

    /** A convolution or matrix product that reads {@code source} with {@code weight}: it may retain any of its channels. */
    public record Consumer(Node node, String source, String weight) {}

    /** A place where a tensor keeps all of its channels in their order, and why. */
    public record Barrier(String tensor, String node, String reason) {}

    private final Graph graph;
    private final Labels labels = new Labels();
    private final Map<String, Channels> channels = new HashMap<>();
    private final Map<String, int[]> producers = new LinkedHashMap<>();
    private final Map<Node, Consumer> consumers = new LinkedHashMap<>();
    private final List<Barrier> barriers = new ArrayList<>();
    private final Set<String> fixed = new LinkedHashSet<>();

    private ChannelFlow(Graph graph) {
        this.graph = graph;
        for (String input : graph.inputs()) {
            fix(input, graph.type(input));
        }
        for (Node node : graph.nodes()) {
            new Follower(node).follow();
        }
        for (String output : graph.outputs()) {
            barriers.add(new Barrier(output, "", "it is an output of the network"));
        }
        channels.replaceAll((tensor, found) ->
                new Channels(found.axis(), Arrays.stream(found.labels()).map(labels::find).toArray()));
    }

    /** The channel flow of a graph. */
    public static ChannelFlow of(Graph graph) {
        return new ChannelFlow(graph);
    }

    public Graph graph() {
        return graph;
    }

    /** The channels of a tensor; labels that are tied are one and the same. */
    public Channels channels(String tensor) {
        return channels.getOrDefault(tensor, Channels.NONE);
    }

    /** All labels are smaller than this. */
    public int labelCount() {
        return labels.count();
    }

    /** Every consumer, in the graph's order. */
    public List<Consumer> consumers() {
        return List.copyOf(consumers.values());
    }

    /** The tensors that producers with weights make, in the graph's order. */
    public List<String> producers() {
        return List.copyOf(producers.keySet());
    }

    /** Where channels and their order must be kept. */
    public List<Barrier> barriers() {
        return Collections.unmodifiableList(barriers);
    }

    /** The tensors whose channels are all there in their original order whatever is pruned: inputs, outputs of barriers. */
    public Set<String> fixed() {
        return Collections.unmodifiableSet(fixed);
    }

    /** The consumer at a node, if it is one. */
    public Optional<Consumer> consumer(Node node) {
        return Optional.ofNullable(consumers.get(node));
    }

    private void fix(String tensor, TensorType type) {
        fixed.add(tensor);
        channels.put(tensor, type.rank() < 2 ? Channels.NONE : new Channels(1, labels.fresh(type.dim(1))));
    }

    /** What one node does to channels. */
    private final class Follower {
        private final Node node;
        private final TensorType out;

        Follower(Node node) {
            this.node = node;
            this.out = graph.type(node.output());
        }

        void follow() {
            if (node.inputs().stream().allMatch(graph::isWeight)) {
                fix(node.output(), out);
                return;
            }
            switch (node.op()) {
                case Op.Conv conv -> convolve(conv.groups(), 1);
                case Op.ConvTranspose conv -> convolve(conv.groups(), 1);
                case Op.Linear linear -> convolve(1, out.rank() - 1);
                case Op.Apply apply -> keep(0);
                case Op.BatchNorm norm -> keep(0);
                case Op.ScaleShift scale -> keep(0);
                case Op.InstanceNorm norm -> keep(0);
                case Op.Pool pool -> keep(0);
                case Op.Resize resize -> keep(0);
                case Op.PRelu relu -> broadcast();
                case Op.Binary binary -> broadcast();
                case Op.Softmax softmax -> keepUnless(softmax.axis() == source(0).axis(), "softmax over channels");
                case Op.LayerNorm norm ->
                        keepUnless(source(0).axis() >= norm.axis(), "layer normalisation over channels");
                case Op.Lrn lrn -> stop("response normalisation across channels");
                case Op.Pad pad -> keepUnless(
                        source(0).axis() < 0
                                || pad.before().get(source(0).axis()) != 0
                                || pad.after().get(source(0).axis()) != 0,
                        "padding of channels");
                case Op.Expand expand -> keepUnless(
                        source(0).axis() < 0
                                || out.rank() != type(0).rank()
                                || out.dim(source(0).axis()) != source(0).count(),
                        "expansion of channels");
                case Op.Concat concat -> concat(concat.axis());
                case Op.Slice slice -> move(slice.axis(), positions(slice));
                case Op.Take take -> move(take.axis(), take.indices().stream().mapToInt(Integer::intValue).toArray());
                case Op.Reduce reduce -> reduce(reduce);
                case Op.Reshape reshape -> reshape();
                case Op.Transpose transpose -> {
                    if (source(0).axis() < 0) {
                        stop("a transposition of a tensor without channels");
                    } else {
                        put(transpose.permutation().indexOf(source(0).axis()), source(0).labels());
                    }
                }
                case Op.MatMul product -> stop("a product of two activations");
                case Op.DepthToSpace depth -> stop("blocks of channels become pixels");
            }
        }

        private TensorType type(int input) {
            return graph.type(node.input(input));
        }

        private Channels source(int input) {
            return channels.getOrDefault(node.input(input), Channels.NONE);
        }

        private void put(int axis, int[] found) {
            channels.put(node.output(), new Channels(axis, found));
        }

        private void keep(int input) {
            Channels source = source(input);
            put(source.axis(), source.labels());
        }

        private void keepUnless(boolean mixes, String reason) {
            if (mixes) {
                stop(reason);
            } else {
                keep(0);
            }
        }

        private void stop(String reason) {
            for (String input : node.inputs()) {
                if (!graph.isWeight(input)) {
                    barriers.add(new Barrier(input, node.name(), reason));
                }
            }
            fix(node.output(), out);
        }

        private void convolve(int groups, int axis) {
            Channels source = source(0);
            if (!graph.isWeight(node.input(1))) {
                stop("a convolution whose weights are computed");
            } else if (source.axis() != axis) {
                stop("a matrix product over another dimension than the channels");
            } else if (groups == 1) {
                consumers.put(node, new Consumer(node, node.input(0), node.input(1)));
                int[] fresh = labels.fresh(out.dim(axis));
                producers.put(node.output(), fresh);
                put(axis, fresh);
            } else if (groups == source.count() && out.dim(axis) == groups) {
                keep(0);
            } else {
                stop("a grouped convolution, whose groups are of one size");
            }
        }

        /** Tensors broadcast against each other: channels of equal places are tied. */
        private void broadcast() {
            int[] tied = null;
            int axis = -1;
            for (int input = 0; input < node.inputs().size(); input++) {
                Channels source = source(input);
                int place = source.axis() + out.rank() - type(input).rank();
                if (graph.isWeight(node.input(input)) || source.axis() < 0 || source.count() != out.dim(place)) {
                    continue;
                }
                if (tied == null) {
                    tied = source.labels();
                    axis = place;
                } else if (axis == place) {
                    labels.tie(tied, source.labels());
                } else {
                    stop("its operands have their channels in different dimensions");
                    return;
                }
            }
            if (tied == null) {
                stop("channels are broadcast");
                return;
            }
            for (int input = 0; input < node.inputs().size(); input++) {
                if (!graph.isWeight(node.input(input)) && !carries(input, axis)) {
                    int place = axis - out.rank() + type(input).rank();
                    if (place >= 0 && type(input).dim(place) != 1) {
                        stop("its operands have their channels in different dimensions");
                        return;
                    }
                    barriers.add(new Barrier(node.input(input), node.name(), "it is broadcast over channels"));
                }
            }
            put(axis, tied);
        }

        private boolean carries(int input, int axis) {
            Channels source = source(input);
            return source.axis() >= 0
                    && source.axis() + out.rank() - type(input).rank() == axis
                    && source.count() == out.dim(axis);
        }

        private void concat(int axis) {
            int channelAxis = source(0).axis();
            for (int input = 0; input < node.inputs().size(); input++) {
                if (graph.isWeight(node.input(input)) || source(input).axis() != channelAxis || channelAxis < 0) {
                    stop("a concat with a constant, or of tensors whose channels lie in different dimensions");
                    return;
                }
            }
            if (axis == channelAxis) {
                put(axis, node.inputs().stream().flatMapToInt(input -> Arrays.stream(channels.get(input).labels()))
                        .toArray());
            } else {
                for (int input = 1; input < node.inputs().size(); input++) {
                    labels.tie(source(0).labels(), source(input).labels());
                }
                keep(0);
            }
        }

        private void move(int axis, int[] positions) {
            if (axis == source(0).axis()) {
                int[] moved = new int[positions.length];
                Arrays.setAll(moved, k -> source(0).labels()[positions[k]]);
                put(axis, moved);
            } else {
                keep(0);
            }
        }

        private void reduce(Op.Reduce reduce) {
            int axis = source(0).axis();
            if (axis < 0 || reduce.axes().contains(axis)) {
                stop("a reduction over channels");
            } else {
                int removed = (int) reduce.axes().stream().filter(reduced -> reduced < axis).count();
                put(reduce.keepDims() ? axis : axis - removed, source(0).labels());
            }
        }

        /** A reshape that leaves the channels a dimension of their own, with the same elements before and after it. */
        private void reshape() {
            int axis = source(0).axis();
            if (axis >= 0) {
                long before = product(type(0), 0, axis);
                for (int candidate = 0; candidate < out.rank(); candidate++) {
                    if (out.dim(candidate) == source(0).count() && product(out, 0, candidate) == before) {
                        put(candidate, source(0).labels());
                        return;
                    }
                }
            }
            stop("a reshape that mixes channels with other dimensions");
        }

        private static long product(TensorType type, int from, int to) {
            long product = 1;
            for (int axis = from; axis < to; axis++) {
                product *= type.dim(axis);
            }
            return product;
        }
    }

    /** The positions that a slice takes. */
    public static int[] positions(Op.Slice slice) {
        int[] positions = new int[slice.size()];
        Arrays.setAll(positions, k -> slice.start() + k * slice.step());
        return positions;
    }
}
