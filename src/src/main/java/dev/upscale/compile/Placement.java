package dev.upscale.compile;

import dev.upscale.compile.Fusion.Fused;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.TensorType;
import dev.upscale.plan.Element;
import dev.upscale.plan.View;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Where tensors must lie before any step is made: the parts of concats inside of the concat's memory, and what becomes an
 * output of the network in the output's memory.
 *
 * <p>Wide concats are placed first, so that a concat that grows out of another (DenseNet) finds the smaller one's parts
 * already side by side in its own memory, and becomes a view of it. Concats that pass channels on share a
 * {@link JointStorage} before. Where a part cannot be written in place, the reason
 * is kept, and the part is copied.
 */
final class Placement {
    private final Graph graph;
    private final Element element;
    private final Map<String, Fused> makers = new HashMap<>();
    private final Map<String, View> views = new HashMap<>();
    private final Map<String, String> refusals = new HashMap<>();
    private final List<Storage> storages = new ArrayList<>();
    private final Set<Node> elided = new HashSet<>();
    private final Map<String, List<Integer>> positions = new HashMap<>();

    private Placement(Graph graph, List<Fused> steps, Element element) {
        this.graph = graph;
        this.element = element;
        steps.forEach(step -> makers.put(step.output(), step));
    }

    static Placement of(Graph graph, List<Fused> steps, CompileOptions options) {
        Placement placement = new Placement(graph, steps, options.target().element());
        if (options.target().element() == Element.F32) { // outputs are
            graph.outputs().forEach(placement::placeOutput);
        }
        if (!options.uses(Technique.CONCATS_IN_PLACE)) {
            return placement;
        }
        // Only where nothing gathers: concats that share memory are no slices of it.
        if (!options.gathers() && options.uses(Technique.JOINT_STORAGE)) {
            JointStorage.of(graph, tensor -> placement.isComputed(tensor) && !placement.views.containsKey(tensor))
                    .forEach(placement::placeJointly);
        }
        graph.nodes().stream()
                .filter(node -> node.op() instanceof Op.Concat concat && concat.axis() == 1
                        && !placement.elided.contains(node) && isImage(graph.type(node.output())))
                .sorted(Comparator.comparingInt(node -> -graph.type(node.output()).dim(1)))
                .forEach(placement::placeConcat);
        return placement;
    }

    /** The view that a tensor was given, if any. */
    Optional<View> view(String tensor) {
        return Optional.ofNullable(views.get(tensor));
    }

    /** The positions in its view that a concat's channels have, if they are not all of them in order. */
    Optional<List<Integer>> positions(String concat) {
        return Optional.ofNullable(positions.get(concat));
    }

    /** Why a part of a concat could not be written in place; by the part's tensor. */
    String refusal(String part) {
        return refusals.getOrDefault(part, "no place was chosen for the concat before its parts were made");
    }

    /** The storages made for concats. */
    List<Storage> storages() {
        return storages;
    }

    /** Whether all parts of a concat are written in place or lie side by side already. */
    boolean isElided(Node concat) {
        return elided.contains(concat);
    }

    static boolean isImage(TensorType type) {
        return type.rank() == 4 || type.rank() == 2;
    }

    /** An output whose channels-last and row-major orders agree is written in place, also through reshapes. */
    private void placeOutput(String output) {
        String root = output;
        while (makers.get(root) != null && makers.get(root).node().op() instanceof Op.Reshape) {
            root = makers.get(root).node().input(0);
        }
        TensorType type = graph.type(root);
        boolean sameOrder = type.rank() != 4 || type.dim(1) == 1 || type.dim(2) * type.dim(3) == 1;
        if (isComputed(root) && sameOrder && !views.containsKey(root)) {
            View.Place place = new View.Place(View.Place.Kind.OUTPUT, output);
            views.put(root, dense(place, type, element));
        }
    }

    private void placeJointly(JointStorage joint) {
        TensorType type = graph.type(joint.image()).withDim(1, joint.width());
        Storage storage = new Storage(joint.image(), dense(View.Place.ARENA, type, element).extentBytes());
        storages.add(storage);
        View whole = dense(storage.place(), type, element);
        joint.written().forEach((tensor, first) -> views.put(tensor, whole.slice(1, first, graph.type(tensor).dim(1))));
        joint.concats().forEach((concat, channels) -> {
            int first = channels.getFirst();
            boolean contiguous = IntStream.range(0, channels.size()).allMatch(k -> channels.get(k) == first + k);
            views.put(concat, contiguous ? whole.slice(1, first, channels.size()) : whole);
            if (!contiguous) {
                positions.put(concat, channels);
            }
            elided.add(graph.producer(concat).orElseThrow());
        });
    }

    static View dense(View.Place place, TensorType type, Element element) {
        View view = isImage(type)
                ? View.channelsLast(place, 0, type.dims(), type.dim(1))
                : View.rowMajor(place, 0, type.dims());
        return view.of(element);
    }

    /** Whether a step writes the tensor: it is not an input, a constant or another view of something. */
    private boolean isComputed(String tensor) {
        Fused maker = makers.get(tensor);
        return maker != null && !isView(maker.node());
    }

    /** Whether a node only names memory in another way. */
    static boolean isView(Node node) {
        return node.op() instanceof Op.Slice
                || node.op() instanceof Op.Reshape
                || node.op() instanceof Op.Transpose
                || node.op() instanceof Op.Expand
                || node.op() instanceof Op.Take take && take.axis() == 1;
    }

    private void placeConcat(Node concat) {
        String whole = concat.output();
        TensorType type = graph.type(whole);
        if (!views.containsKey(whole)) {
            Optional<View> joined = joined(concat);
            if (joined.isPresent()) {
                views.put(whole, joined.get());
                elided.add(concat);
                return;
            }
            Storage storage = new Storage(whole, dense(View.Place.ARENA, type, element).extentBytes());
            storages.add(storage);
            views.put(whole, dense(storage.place(), type, element));
        }
        View view = views.get(whole);
        if (view.place().kind() == View.Place.Kind.OUTPUT && type.rank() == 4) {
            concat.inputs().forEach(part -> refusals.putIfAbsent(part, "the concat is an output of the network"));
            return;
        }
        boolean all = true;
        int start = 0;
        for (String part : concat.inputs()) {
            int width = graph.type(part).dim(1);
            all &= placePart(part, view.slice(1, start, width), concat);
            start += width;
        }
        if (all) {
            elided.add(concat);
        }
    }

    private boolean placePart(String part, View place, Node concat) {
        String refusal = null;
        if (graph.inputs().contains(part)) {
            refusal = "it is an input of the network";
        } else if (graph.isWeight(part)) {
            refusal = "it is a constant";
        } else if (views.containsKey(part)) {
            refusal = views.get(part).place().kind() == View.Place.Kind.OUTPUT
                    ? "it is an output of the network"
                    : views.get(part).equals(place) ? null : "it lies in the memory of another concat, or twice in this one";
        } else if (!isComputed(part)) {
            refusal = "it is a view of another tensor";
        } else {
            views.put(part, place);
        }
        if (refusal != null) {
            refusals.put(part, refusal);
        }
        return refusal == null;
    }

    /** The parts' common view, if they all lie side by side in one memory, in the concat's order. */
    private Optional<View> joined(Node concat) {
        View first = views.get(concat.input(0));
        if (first == null || first.place().kind() != View.Place.Kind.ARENA) {
            return Optional.empty();
        }
        long next = first.offset();
        for (String part : concat.inputs()) {
            View view = views.get(part);
            if (view == null || !view.place().equals(first.place()) || view.offset() != next
                    || !view.strides().equals(first.strides())) {
                return Optional.empty();
            }
            next += (long) view.dim(1) * view.element().bytes();
        }
        return Optional.of(first.with(first.offset(), graph.type(concat.output()).dims(), first.strides()));
    }

    /** For each tensor that is only another view, the tensor whose memory it names. */
    static Map<String, String> roots(Graph graph) {
        Map<String, String> roots = new LinkedHashMap<>();
        for (Node node : graph.nodes()) {
            roots.put(node.output(), isView(node) ? roots.getOrDefault(node.input(0), node.input(0)) : node.output());
        }
        return roots;
    }
}
