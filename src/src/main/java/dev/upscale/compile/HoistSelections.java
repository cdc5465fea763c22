package dev.upscale.compile;

import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * Moves selections of channels (slices and takes) before the passes that work channel by channel, so that these compute no
 * more than is read, and a gather is folded into a pass that touches the memory anyway: it reads the selected channels by
 * index and writes them dense.
 *
 * <p>A pass is moved behind a selection where nothing else reads its result. After: the same outputs; no slice of channels
 * stands directly behind such a pass, and no take where gathers are folded.
 */
final class HoistSelections {
    private final Graph graph;
    private final Graph.Builder builder;
    private final Set<Node> deferred = new HashSet<>();
    private final Map<List<Object>, String> selected = new HashMap<>();
    private final Map<String, Node> emitted = new HashMap<>();

    private HoistSelections(Graph graph) {
        this.graph = graph;
        this.builder = graph.rebuild();
    }

    /**
     * @param foldsGathers which of the operations that work channel by channel should read takes; slices all may
     */
    static Graph apply(Graph graph, Predicate<Op> foldsGathers) {
        return new HoistSelections(graph).run(foldsGathers);
    }

    private Graph run(Predicate<Op> foldsGathers) {
        for (Node node : graph.nodes().reversed()) {
            if (isChannelwise(node.op()) && isSelected(node, foldsGathers.test(node.op()))) {
                deferred.add(node);
            }
        }
        for (Node node : graph.nodes()) {
            Optional<List<Integer>> channels = selection(node);
            if (channels.isPresent()) {
                hoist(node, channels.get());
            } else if (!deferred.contains(node)) {
                emit(node);
            }
        }
        return DropDeadNodes.apply(builder.build());
    }

    private static boolean isChannelwise(Op op) {
        return op instanceof Op.ScaleShift || op instanceof Op.Apply || op instanceof Op.Pool || op instanceof Op.Resize;
    }

    /** Whether all that becomes of a node's result, through nodes that are deferred themselves, is one selection. */
    private boolean isSelected(Node node, boolean byTake) {
        List<Node> readers = graph.consumers(node.output());
        if (readers.size() != 1 || graph.outputs().contains(node.output())) {
            return false;
        }
        Node reader = readers.getFirst();
        if (deferred.contains(reader)) {
            return isSelected(reader, byTake);
        }
        return selection(reader).isPresent() && (byTake || reader.op() instanceof Op.Slice);
    }

    /** The channels that a node selects, if it is a selection of an image's or a matrix's channels. */
    static Optional<List<Integer>> selection(Node node) {
        return switch (node.op()) {
            case Op.Slice slice when slice.axis() == 1 && slice.step() > 0 -> Optional.of(
                    IntStream.range(0, slice.size()).map(k -> slice.start() + k * slice.step()).boxed().toList());
            case Op.Take take when take.axis() == 1 -> Optional.of(take.indices());
            default -> Optional.empty();
        };
    }

    private void hoist(Node selection, List<Integer> channels) {
        List<Node> passes = new ArrayList<>();
        String source = selection.input(0);
        while (graph.producer(source).filter(deferred::contains).isPresent()) {
            Node pass = graph.producer(source).get();
            passes.addFirst(pass);
            source = pass.input(0);
        }
        if (passes.isEmpty()) {
            emit(selection);
            return;
        }
        String tensor = select(source, channels);
        for (Node pass : passes) {
            List<String> inputs = new ArrayList<>(List.of(tensor));
            for (String weight : pass.inputs().subList(1, pass.inputs().size())) {
                Tensor cut = graph.weight(weight).take(0, channels);
                String name = builder.fresh(weight);
                builder.weight(name, cut);
                inputs.add(name);
            }
            tensor = pass == passes.getLast() ? selection.output() : builder.fresh(pass.output());
            emit(new Node(pass.name(), pass.op(), inputs, tensor));
        }
    }

    /** A selection of a tensor's channels, through selections that it is made of itself. */
    private String select(String source, List<Integer> channels) {
        String tensor = source;
        List<Integer> positions = channels;
        Node producer = emitted.get(tensor);
        while (producer != null && selection(producer).isPresent()) {
            List<Integer> before = selection(producer).get();
            positions = positions.stream().map(before::get).toList();
            tensor = producer.input(0);
            producer = emitted.get(tensor);
        }
        List<Integer> composed = positions;
        String whole = tensor;
        return selected.computeIfAbsent(List.of(whole, composed), key -> {
            String name = builder.fresh(whole + ".channels");
            emit(new Node(name, PruneChannels.moving(1, composed), List.of(whole), name));
            return name;
        });
    }

    private void emit(Node node) {
        builder.node(node);
        emitted.put(node.output(), node);
    }
}
