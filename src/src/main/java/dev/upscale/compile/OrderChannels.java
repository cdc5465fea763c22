package dev.upscale.compile;

import dev.upscale.channels.ChannelFlow;
import dev.upscale.channels.ChannelFlow.Channels;
import dev.upscale.channels.Liveness;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.TensorType;
import dev.upscale.order.Ordering;
import dev.upscale.order.OrderingProblem;
import dev.upscale.order.Orderings;
import dev.upscale.order.PqTree;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Chooses the order of all channels: one {@link OrderingProblem} for each group of channels that meet in a tensor.
 *
 * <p>Channels that are tied (the operands of an addition) are one channel of the problem. What each consumer retains is a
 * set, which costs the bytes that a gather would write; so is each slice that is read by something else than a consumer.
 * The parts of each concat are blocks, so that its producers can write in place. Where a barrier wants the original order,
 * the solved order is taken only if it is worth the copy that restores it.
 */
public final class OrderChannels {

    /** How a group is ordered. */
    public enum Method {
        /** As in the model. */
        ORIGINAL,
        /** The paper's algorithm. */
        PAPER,
        /** The most bytes contiguous. */
        EXACT
    }

    /**
     * The order of one group of channels.
     *
     * @param labels the channels, by position in the problem
     * @param readers for each set of the problem, the nodes that read it
     */
    public record Group(int[] labels, List<List<String>> readers, OrderingProblem problem, Ordering ordering) {}

    /**
     * The order of all channels.
     *
     * @param rank by label: channels are laid out by ascending rank
     * @param groups the problems solved, for explanations
     */
    public record ChannelOrder(int[] rank, List<Group> groups) {

        /** By node, why what it reads is not contiguous: the certificate, with the readers' names. */
        public Map<String, String> obstacles() {
            Map<String, String> obstacles = new HashMap<>();
            for (Group group : groups) {
                group.ordering().obstacles().forEach((set, conflict) -> {
                    String others = conflict.sets().stream()
                            .filter(other -> !other.equals(set))
                            .map(other -> String.join(" and ", group.readers().get(other)))
                            .collect(Collectors.joining(", "));
                    String why = "no order makes its channels contiguous"
                            + (others.isEmpty() ? "" : " together with those of " + others)
                            + (conflict.blocks().isEmpty() ? "" : ", the parts of concats kept whole");
                    group.readers().get(set).forEach(reader -> obstacles.put(reader, why));
                });
            }
            return obstacles;
        }
    }

    private final ChannelFlow flow;
    private final Liveness liveness;
    private final Method method;
    private final Graph graph;

    private OrderChannels(ChannelFlow flow, Liveness liveness, Method method) {
        this.flow = flow;
        this.liveness = liveness;
        this.method = method;
        this.graph = flow.graph();
    }

    public static ChannelOrder apply(ChannelFlow flow, Liveness liveness, Method method) {
        return new OrderChannels(flow, liveness, method).order();
    }

    private ChannelOrder order() {
        int[] rank = new int[flow.labelCount()];
        Arrays.setAll(rank, label -> label);
        List<Group> solved = new ArrayList<>();
        if (method != Method.ORIGINAL) {
            List<Read> reads = reads();
            for (int[] labels : groups()) {
                solve(labels, reads, rank, solved);
            }
        }
        return new ChannelOrder(rank, solved);
    }

    /** The living labels, grouped by whether they ever meet in a tensor. */
    private List<int[]> groups() {
        int[] parent = new int[flow.labelCount()];
        Arrays.setAll(parent, label -> label);
        BitSet seen = new BitSet();
        for (String tensor : graph.types().keySet()) {
            int first = -1;
            for (int label : flow.channels(tensor).labels()) {
                if (liveness.isAlive(label)) {
                    seen.set(label);
                    first = first < 0 ? label : first;
                    int a = root(parent, first);
                    int b = root(parent, label);
                    parent[Math.max(a, b)] = Math.min(a, b);
                }
            }
        }
        Map<Integer, List<Integer>> groups = new TreeMap<>();
        seen.stream().forEach(label -> groups.computeIfAbsent(root(parent, label), key -> new ArrayList<>()).add(label));
        return groups.values().stream()
                .map(labels -> labels.stream().mapToInt(Integer::intValue).toArray())
                .toList();
    }

    private static int root(int[] parent, int label) {
        while (parent[label] != label) {
            parent[label] = parent[parent[label]];
            label = parent[label];
        }
        return label;
    }

    private void solve(int[] labels, List<Read> reads, int[] rank, List<Group> solved) {
        Positions positions = Positions.of(labels, flow.labelCount());
        Sets sets = sets(reads, positions);
        if (sets.costs().isEmpty()) {
            return;
        }
        OrderingProblem problem = new OrderingProblem(labels.length, sets.members(), sets.weights(), blocks(positions));
        Ordering ordering = method == Method.PAPER ? Orderings.paper(problem) : Orderings.solve(problem);
        int[] original = IntStream.range(0, labels.length).toArray();
        if (problem.respectsBlocks(original)
                && cost(problem, ordering.order(), positions) > cost(problem, original, positions)) {
            ordering = ordering.with(problem, original);
        }
        solved.add(new Group(labels, sets.readers(), problem, ordering));
        // A group's ranks are its labels in their new order: any increasing numbers would do.
        for (int k = 0; k < labels.length; k++) {
            rank[labels[ordering.order()[k]]] = labels[k];
        }
    }

    /** The places of a group's labels in its problem: by label, negative for those of other groups. */
    private record Positions(int[] places, int count) {
        static Positions of(int[] labels, int labelCount) {
            int[] places = new int[labelCount];
            Arrays.fill(places, -1);
            for (int k = 0; k < labels.length; k++) {
                places[labels[k]] = k;
            }
            return new Positions(places, labels.length);
        }

        BitSet set(int[] labels) {
            BitSet set = new BitSet(count);
            for (int label : labels) {
                if (places[label] >= 0) {
                    set.set(places[label]);
                }
            }
            return set;
        }
    }

    /** The sets of a group, equal ones merged: what each costs for each of its channels, in bytes, and who reads it. */
    private record Sets(Map<BitSet, Double> costs, Map<BitSet, List<String>> names) {
        List<int[]> members() {
            return costs.keySet().stream().map(set -> set.stream().toArray()).toList();
        }

        double[] weights() {
            return costs.values().stream().mapToDouble(Double::doubleValue).toArray();
        }

        List<List<String>> readers() {
            return List.copyOf(names.values());
        }
    }

    /** Channels of a tensor that someone would like to read as a slice. */
    private record Read(String tensor, String reader, int[] labels) {}

    /** What consumers retain, and what slices that are read by something else than a consumer take. */
    private List<Read> reads() {
        List<Read> reads = new ArrayList<>();
        for (ChannelFlow.Consumer consumer : flow.consumers()) {
            int[] labels = flow.channels(consumer.source()).labels();
            reads.add(new Read(consumer.source(), consumer.node().name(),
                    liveness.retained(consumer.node()).stream().map(channel -> labels[channel]).toArray()));
        }
        for (Node node : graph.nodes()) {
            boolean moves = node.op() instanceof Op.Slice slice && slice.axis() == flow.channels(node.input(0)).axis()
                    || node.op() instanceof Op.Take take && take.axis() == flow.channels(node.input(0)).axis();
            boolean materialised = moves && graph.consumers(node.output()).stream()
                    .anyMatch(reader -> flow.consumer(reader).isEmpty()
                            && !(reader.op() instanceof Op.Slice)
                            && !(reader.op() instanceof Op.Take));
            if (materialised) {
                reads.add(new Read(node.input(0), node.name(), flow.channels(node.output()).labels()));
            }
        }
        return reads;
    }

    private Sets sets(List<Read> reads, Positions positions) {
        Sets sets = new Sets(new LinkedHashMap<>(), new LinkedHashMap<>());
        for (Read read : reads) {
            BitSet set = positions.set(read.labels());
            if (set.cardinality() > 1 && set.cardinality() < positions.count()) {
                TensorType type = graph.type(read.tensor());
                double bytes = (double) type.bytes() / type.dim(flow.channels(read.tensor()).axis());
                sets.costs().merge(set, bytes, Double::sum);
                sets.names().computeIfAbsent(set, key -> new ArrayList<>()).add(read.reader());
            }
        }
        return sets;
    }

    /** The parts of all concats of channels, and the concats themselves: small ones first, as long as all can hold. */
    private List<int[]> blocks(Positions positions) {
        Map<BitSet, Boolean> candidates = new LinkedHashMap<>();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Concat concat && concat.axis() == flow.channels(node.output()).axis()) {
                node.inputs().forEach(part -> candidate(candidates, positions, flow.channels(part)));
                candidate(candidates, positions, flow.channels(node.output()));
            }
        }
        List<int[]> blocks = new ArrayList<>();
        PqTree tree = PqTree.of(positions.count());
        List<BitSet> ascending = new ArrayList<>(candidates.keySet());
        ascending.sort(Comparator.comparingInt(BitSet::cardinality));
        for (BitSet candidate : ascending) {
            int[] block = candidate.stream().toArray();
            PqTree reduced = tree.reduce(block);
            if (reduced != null) {
                tree = reduced;
                blocks.add(block);
            }
        }
        return blocks;
    }

    private static void candidate(Map<BitSet, Boolean> candidates, Positions positions, Channels channels) {
        BitSet set = positions.set(channels.labels());
        if (set.cardinality() > 1 && set.cardinality() < positions.count()) {
            candidates.put(set, true);
        }
    }

    /** What the order costs, in bytes, with the copies that restore the original order where a barrier wants it. */
    private double cost(OrderingProblem problem, int[] order, Positions positions) {
        int[] place = new int[order.length];
        for (int k = 0; k < order.length; k++) {
            place[order[k]] = k;
        }
        double cost = problem.cost(order);
        for (ChannelFlow.Barrier barrier : flow.barriers()) {
            int previous = -1;
            for (int label : flow.channels(barrier.tensor()).labels()) {
                int member = positions.places()[label];
                if (member < 0) {
                    continue;
                }
                if (place[member] < previous) {
                    cost += graph.type(barrier.tensor()).bytes();
                    break;
                }
                previous = place[member];
            }
        }
        return cost;
    }
}
