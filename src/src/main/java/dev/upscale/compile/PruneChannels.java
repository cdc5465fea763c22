package dev.upscale.compile;

import dev.upscale.channels.ChannelFlow;
import dev.upscale.channels.ChannelFlow.Channels;
import dev.upscale.channels.Liveness;
import dev.upscale.channels.WeightAxes;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Rewrites a network by pattern and order: dead channels are dropped, living ones laid out by rank, and weights cut and
 * permuted to match.
 *
 * <p>Before: a masked graph with its channel flow, liveness and a rank for each label. After: a smaller graph that computes
 * the same outputs, in which each consumer reads its channels whole, by {@link Op.Slice} where they are contiguous, or by
 * {@link Op.Take} where they are not. Slices, takes and shuffles of the model are composed into those of their readers
 * wherever they only move channels. The result is right for any ranks; ranks decide how many takes there are.
 */
public final class PruneChannels {
    private final ChannelFlow flow;
    private final Liveness liveness;
    private final int[] rank;
    private final Graph graph;
    private final Graph.Builder builder;
    private final Map<String, Placed> places = new HashMap<>();
    private final Map<List<Object>, String> moved = new HashMap<>();

    private PruneChannels(ChannelFlow flow, Liveness liveness, int[] rank) {
        this.flow = flow;
        this.liveness = liveness;
        this.rank = rank;
        this.graph = flow.graph();
        this.builder = graph.rebuild();
    }

    public static Graph apply(ChannelFlow flow, Liveness liveness, int[] rank) {
        return new PruneChannels(flow, liveness, rank).run();
    }

    /**
     * Where a tensor of the old graph is found in the new one.
     *
     * @param tensor the new graph's tensor that holds its channels
     * @param channels the old channel numbers that are left
     * @param positions where each of them lies in {@code tensor}
     */
    private record Placed(String tensor, int[] channels, int[] positions) {

        /** A tensor that holds just these channels. */
        static Placed whole(String tensor, int[] channels) {
            return new Placed(tensor, channels, IntStream.range(0, channels.length).toArray());
        }

        Placed select(int[] chosen) {
            return new Placed(tensor,
                    Arrays.stream(chosen).map(k -> channels[k]).toArray(),
                    Arrays.stream(chosen).map(k -> positions[k]).toArray());
        }
    }

    private Graph run() {
        graph.inputs().forEach(input -> places.put(input, untouched(input)));
        for (Node node : graph.nodes()) {
            rewrite(node);
        }
        for (String output : graph.outputs()) {
            restoreOutput(output);
        }
        return DropDeadNodes.apply(builder.build());
    }

    private Placed untouched(String tensor) {
        return Placed.whole(tensor, IntStream.range(0, flow.channels(tensor).count()).toArray());
    }

    private void rewrite(Node node) {
        Channels channels = flow.channels(node.output());
        int[] alive = liveness.alive(channels);
        if (channels.axis() >= 0 && alive.length == 0) {
            return;
        }
        if (flow.fixed().contains(node.output())) {
            List<String> inputs = node.inputs().stream().map(this::restored).toList();
            builder.node(node.withInputs(inputs));
            places.put(node.output(), untouched(node.output()));
        } else if (flow.consumer(node).isPresent()) {
            consume(node, channels, alive);
        } else {
            keep(node, channels.axis());
        }
    }

    /** A consumer: reads what it retains, makes what is alive. */
    private void consume(Node node, Channels channels, int[] alive) {
        int[] outputs = byRank(channels, alive);
        BitSet retained = liveness.retained(node);
        Placed source = places.get(node.input(0));
        WeightAxes axes = WeightAxes.of(graph, node).orElseThrow();
        Optional<Tensor> bias = node.inputs().size() > 2
                ? Optional.of(take(graph.weight(node.input(2)), 0, outputs))
                : Optional.empty();
        if (source == null || retained.isEmpty()) {
            constant(node, channels.axis(), outputs, bias);
            return;
        }
        Placed read = source.select(IntStream.range(0, source.channels().length)
                .filter(k -> retained.get(source.channels()[k]))
                .toArray());
        List<String> inputs = new ArrayList<>();
        inputs.add(materialise(read, flow.channels(node.input(0)).axis()));
        inputs.add(weight(node.input(1), axes.select(graph.weight(node.input(1)), outputs, read.channels())));
        bias.ifPresent(tensor -> inputs.add(weight(node.input(2), tensor)));
        emit(node.withInputs(inputs), outputs);
    }

    /** A consumer that retains nothing gives its bias everywhere. */
    private void constant(Node node, int axis, int[] outputs, Optional<Tensor> bias) {
        TensorType type = graph.type(node.output()).withDim(axis, outputs.length);
        int[] shape = new int[type.rank()];
        Arrays.fill(shape, 1);
        shape[axis] = outputs.length;
        float[] values = bias.map(Tensor::floats).orElse(new float[outputs.length]);
        String constant = weight(node.output() + ".constant", Tensor.f32(values, shape));
        emit(new Node(node.name(), new Op.Expand(type.dims()), List.of(constant), node.output()), outputs);
    }

    /** An operation that keeps channels apart. */
    private void keep(Node node, int axis) {
        switch (node.op()) {
            case Op.Conv conv -> {
                Placed source = places.get(node.input(0));
                perChannel(node, new Op.Conv(conv.window(), source.channels().length), source);
            }
            case Op.ConvTranspose conv -> {
                Placed source = places.get(node.input(0));
                perChannel(node, new Op.ConvTranspose(
                        conv.window(), conv.outputPadH(), conv.outputPadW(), source.channels().length), source);
            }
            case Op.ScaleShift scale -> perChannel(node, node.op(), places.get(node.input(0)));
            case Op.BatchNorm norm -> perChannel(node, node.op(), places.get(node.input(0)));
            case Op.InstanceNorm norm -> perChannel(node, node.op(), places.get(node.input(0)));
            case Op.Binary binary -> broadcast(node, axis);
            case Op.PRelu relu -> broadcast(node, axis);
            case Op.Concat concat -> {
                if (concat.axis() == axis) {
                    concatChannels(node, axis);
                } else {
                    aligned(node, axis);
                }
            }
            case Op.Slice slice when slice.axis() == axis -> move(node, ChannelFlow.positions(slice));
            case Op.Take take when take.axis() == axis ->
                move(node, take.indices().stream().mapToInt(Integer::intValue).toArray());
            case Op.Reshape reshape -> {
                Placed source = places.get(node.input(0));
                single(node, new Op.Reshape(resized(reshape.dims(), axis, source)));
            }
            case Op.Expand expand -> {
                Placed source = places.get(node.input(0));
                single(node, new Op.Expand(resized(expand.dims(), axis, source)));
            }
            default -> single(node, node.op());
        }
    }

    private static List<Integer> resized(List<Integer> dims, int axis, Placed source) {
        List<Integer> resized = new ArrayList<>(dims);
        resized.set(axis, source.channels().length);
        return resized;
    }

    /** One activation goes in; further inputs are weights that do not count channels. */
    private void single(Node node, Op op) {
        Placed source = places.get(node.input(0));
        List<String> inputs = new ArrayList<>(node.inputs());
        inputs.set(0, materialise(source, flow.channels(node.input(0)).axis()));
        emit(new Node(node.name(), op, inputs, node.output()), source.channels());
    }

    /** One activation goes in; the first dimension of further inputs counts channels. */
    private void perChannel(Node node, Op op, Placed source) {
        List<String> inputs = new ArrayList<>();
        inputs.add(materialise(source, flow.channels(node.input(0)).axis()));
        for (String weight : node.inputs().subList(1, node.inputs().size())) {
            inputs.add(weight(weight, take(graph.weight(weight), 0, source.channels())));
        }
        emit(new Node(node.name(), op, inputs, node.output()), source.channels());
    }

    private void broadcast(Node node, int axis) {
        int rank = graph.type(node.output()).rank();
        int count = graph.type(node.output()).dim(axis);
        List<Integer> carriers = IntStream.range(0, node.inputs().size())
                .filter(input -> !graph.isWeight(node.input(input)))
                .filter(input -> {
                    int place = axis - rank + graph.type(node.input(input)).rank();
                    return place >= 0 && graph.type(node.input(input)).dim(place) == count
                            && flow.channels(node.input(input)).axis() == place;
                })
                .boxed().toList();
        int[] common = common(node, carriers);
        List<String> inputs = new ArrayList<>();
        for (int input = 0; input < node.inputs().size(); input++) {
            String tensor = node.input(input);
            int place = axis - rank + graph.type(tensor).rank();
            if (carriers.contains(input)) {
                inputs.add(materialise(restricted(places.get(tensor), common), place));
            } else if (graph.isWeight(tensor)) {
                boolean counts = place >= 0 && graph.type(tensor).dim(place) == count && count > 1;
                inputs.add(counts ? weight(tensor, take(graph.weight(tensor), place, common)) : tensor);
            } else {
                inputs.add(restored(tensor));
            }
        }
        emit(node.withInputs(inputs), common);
    }

    /** A concat along another dimension: all parts get the first one's channels. */
    private void aligned(Node node, int axis) {
        int[] common = common(node, IntStream.range(0, node.inputs().size()).boxed().toList());
        List<String> inputs = node.inputs().stream()
                .map(input -> materialise(restricted(places.get(input), common), axis))
                .toList();
        emit(node.withInputs(inputs), common);
    }

    /** The channels that all of these inputs have, in the order of the first. */
    private int[] common(Node node, List<Integer> inputs) {
        int[] common = places.get(node.input(inputs.getFirst())).channels();
        for (int input : inputs) {
            int[] others = places.get(node.input(input)).channels();
            if (!Arrays.equals(common, others)) {
                BitSet members = new BitSet();
                Arrays.stream(others).forEach(members::set);
                common = Arrays.stream(common).filter(members::get).toArray();
            }
        }
        return common;
    }

    private static Placed restricted(Placed source, int[] channels) {
        if (Arrays.equals(source.channels(), channels)) {
            return source;
        }
        Map<Integer, Integer> place = new HashMap<>();
        for (int k = 0; k < source.channels().length; k++) {
            place.put(source.channels()[k], k);
        }
        return source.select(Arrays.stream(channels).map(place::get).toArray());
    }

    private void concatChannels(Node node, int axis) {
        record Part(Placed placed, int offset, int rank) {}
        List<Part> parts = new ArrayList<>();
        int offset = 0;
        for (String input : node.inputs()) {
            Placed placed = places.get(input);
            Channels channels = flow.channels(input);
            if (placed != null) {
                int first = Arrays.stream(placed.channels()).map(c -> rank[channels.labels()[c]]).min().orElse(0);
                parts.add(new Part(placed, offset, first));
            }
            offset += channels.count();
        }
        parts.sort(Comparator.comparingInt(Part::rank));
        List<String> inputs = parts.stream().map(part -> materialise(part.placed(), axis)).toList();
        int[] channels = parts.stream()
                .flatMapToInt(part -> Arrays.stream(part.placed().channels()).map(channel -> channel + part.offset()))
                .toArray();
        if (inputs.size() == 1) {
            places.put(node.output(), Placed.whole(inputs.getFirst(), channels));
        } else {
            emit(node.withInputs(inputs), channels);
        }
    }

    /** Channels that only move: no node, readers look them up in the source. */
    private void move(Node node, int[] sources) {
        Placed source = places.get(node.input(0));
        Map<Integer, Integer> place = new HashMap<>();
        for (int k = 0; k < source.channels().length; k++) {
            place.put(source.channels()[k], k);
        }
        int[] moved = IntStream.range(0, sources.length)
                .filter(channel -> place.containsKey(sources[channel]))
                .boxed()
                .sorted(Comparator.comparing(channel -> source.positions()[place.get(sources[channel])]))
                .mapToInt(Integer::intValue)
                .toArray();
        int[] positions = Arrays.stream(moved).map(channel -> source.positions()[place.get(sources[channel])]).toArray();
        places.put(node.output(), new Placed(source.tensor(), moved, positions));
    }

    private int[] byRank(Channels channels, int[] alive) {
        return Arrays.stream(alive)
                .boxed()
                .sorted(Comparator.comparingInt(channel -> rank[channels.labels()[channel]]))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /** Adds a node that makes an old tensor with the given channels; an output of the network keeps its name only if it is whole. */
    private void emit(Node node, int[] channels) {
        boolean whole = isIdentity(channels, flow.channels(node.output()).count());
        String name = graph.outputs().contains(node.output()) && !whole
                ? builder.fresh(node.output() + ".pruned")
                : node.output();
        builder.node(node.withOutput(name));
        places.put(node.output(), Placed.whole(name, channels));
    }

    /** A tensor that holds just what is placed, in its order: the tensor itself, a slice of it, or a take. */
    private String materialise(Placed placed, int axis) {
        int width = builder.type(placed.tensor()).dim(axis);
        if (isIdentity(placed.positions(), width)) {
            return placed.tensor();
        }
        List<Integer> positions = Arrays.stream(placed.positions()).boxed().toList();
        return moved.computeIfAbsent(List.of(placed.tensor(), axis, positions), key -> {
            String name = builder.fresh(placed.tensor() + ".channels");
            builder.node(name, moving(axis, positions), placed.tensor());
            return name;
        });
    }

    /** The selection of some positions of an axis: a slice where they follow each other, else a take. */
    static Op moving(int axis, List<Integer> positions) {
        int first = positions.getFirst();
        boolean contiguous = IntStream.range(1, positions.size()).allMatch(k -> positions.get(k) == first + k);
        return contiguous ? new Op.Slice(axis, first, positions.size(), 1) : new Op.Take(axis, positions);
    }

    /** A tensor with all of its old channels in their old order. */
    private String restored(String tensor) {
        if (graph.isWeight(tensor)) {
            return tensor;
        }
        Placed placed = places.get(tensor);
        Channels channels = flow.channels(tensor);
        return channels.axis() < 0
                ? placed.tensor()
                : materialise(restricted(placed, IntStream.range(0, channels.count()).toArray()), channels.axis());
    }

    private void restoreOutput(String output) {
        Placed placed = places.get(output);
        if (!builder.has(output)) {
            String restored = restored(output);
            builder.node(output, new Op.Reshape(graph.type(output).dims()), restored);
        } else if (!placed.tensor().equals(output)) {
            throw new IllegalStateException("output " + output + " is made twice");
        }
    }

    private String weight(String stem, Tensor value) {
        if (value.equals(graph.weights().get(stem))) {
            return stem;
        }
        String name = builder.has(stem) ? builder.fresh(stem + ".pruned") : stem;
        builder.weight(name, value);
        return name;
    }

    private static Tensor take(Tensor tensor, int axis, int[] chosen) {
        return tensor.take(axis, Arrays.stream(chosen).boxed().toList());
    }

    private static boolean isIdentity(int[] positions, int width) {
        return positions.length == width && IntStream.range(0, width).allMatch(k -> positions[k] == k);
    }
}
