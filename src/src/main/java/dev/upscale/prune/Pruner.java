package dev.upscale.prune;

import dev.upscale.channels.ChannelFlow;
import dev.upscale.channels.ChannelFlow.Consumer;
import dev.upscale.channels.Pattern;
import dev.upscale.channels.Segment;
import dev.upscale.channels.WeightAxes;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Makes patterns from ratings of channels. On the input side, consumers that read an input of the network keep all of it; on the
 * output side, producers keep what a barrier reads. Of {@code c} channels, {@code c − floor(amount · c)} are retained, those of
 * the highest ratings, ties by position; at least one.
 *
 * <p>Deterministic; safe for use by any number of threads.
 */
public final class Pruner {

    /**
     * Channels that are ranked together.
     *
     * @param amount the share to prune of them, unless the ranking is global
     */
    private record Candidates(double[] ratings, double amount) {}

    private final Graph graph;
    private final ChannelFlow flow;
    private final Ratings ratings;
    private final PruneOptions options;
    private final BitSet kept = new BitSet();

    private Pruner(Graph graph, Ratings ratings, PruneOptions options) {
        this.graph = graph;
        this.flow = ChannelFlow.of(graph);
        this.ratings = ratings;
        this.options = options;
        if (options.side() == PruneOptions.Side.INPUT) {
            graph.inputs().forEach(this::keep);
        } else {
            flow.fixed().forEach(this::keep);
            flow.barriers().forEach(barrier -> keep(barrier.tensor()));
        }
    }

    private void keep(String tensor) {
        Arrays.stream(flow.channels(tensor).labels()).forEach(kept::set);
    }

    /** The pattern that prunes the least important input channels, by a heuristic that needs nothing but weights. */
    public static Pattern prune(Graph graph, Heuristic heuristic, double amount, PruneOptions.Method method) {
        return prune(graph, new WeightRatings(graph, heuristic, 0), PruneOptions.of(amount, method));
    }

    /**
     * The pattern that prunes the least important channels.
     *
     * @throws InvalidInput if an amount is given for a weight that is not pruned in this way
     */
    public static Pattern prune(Graph graph, Ratings ratings, PruneOptions options) {
        Pruner pruner = new Pruner(graph, ratings, options);
        Map<String, int[]> retained = switch (options.method()) {
            case UNCONSTRAINED -> pruner.eachForItself();
            case CONSTRAINED -> pruner.segmentsTogether();
        };
        return options.side() == PruneOptions.Side.INPUT
                ? new Pattern(graph.name(), retained, Map.of())
                : new Pattern(graph.name(), Map.of(), retained);
    }

    private Map<String, int[]> eachForItself() {
        Map<String, double[]> sums = new LinkedHashMap<>();
        for (Node node : nodes()) {
            if (isPrunable(node) && !(options.side() == PruneOptions.Side.INPUT && node.op() instanceof Op.Linear)) {
                sums.merge(node.input(1), rate(node), Pruner::added);
            }
        }
        requireKnown(sums.keySet());
        List<String> weights = List.copyOf(sums.keySet());
        List<int[]> chosen = choose(weights.stream().map(weight -> new Candidates(sums.get(weight), options.amount(weight))).toList());
        Map<String, int[]> retained = new TreeMap<>();
        for (int k = 0; k < weights.size(); k++) {
            retained.put(weights.get(k), chosen.get(k));
        }
        return retained;
    }

    /** The labels of a segment are ranked by what all that share it have of them. */
    private Map<String, int[]> segmentsTogether() {
        List<int[]> groups = new ArrayList<>();
        List<List<Node>> members = new ArrayList<>();
        for (Segment segment : Segment.of(flow)) {
            List<Node> sharing = options.side() == PruneOptions.Side.INPUT
                    ? segment.consumers().stream().map(Consumer::node).toList()
                    : segment.producers().stream().map(tensor -> graph.producer(tensor).orElseThrow()).toList();
            List<Node> prunable = sharing.stream().filter(this::isPrunable).toList();
            if (!prunable.isEmpty()) {
                groups.add(segment.labels());
                members.add(prunable);
            }
        }
        Set<String> known = new HashSet<>();
        members.forEach(nodes -> nodes.forEach(node -> known.add(node.input(1))));
        requireKnown(known);
        List<Candidates> candidates = new ArrayList<>();
        for (int k = 0; k < groups.size(); k++) {
            double[] sums = sums(members.get(k));
            double amount = members.get(k).stream().mapToDouble(node -> options.amount(node.input(1))).min().orElseThrow();
            candidates.add(new Candidates(Arrays.stream(groups.get(k)).mapToDouble(label -> sums[label]).toArray(), amount));
        }
        List<int[]> chosen = choose(candidates);
        Map<String, int[]> retained = new TreeMap<>();
        for (int k = 0; k < groups.size(); k++) {
            int[] labels = groups.get(k);
            BitSet alive = new BitSet();
            Arrays.stream(chosen.get(k)).forEach(index -> alive.set(labels[index]));
            for (Node node : members.get(k)) {
                int[] own = labels(node);
                retained.put(node.input(1), IntStream.range(0, own.length).filter(channel -> alive.get(own[channel])).toArray());
            }
        }
        return retained;
    }

    private double[] sums(List<Node> nodes) {
        double[] sums = new double[flow.labelCount()];
        for (Node node : nodes) {
            int[] labels = labels(node);
            double[] own = rate(node);
            for (int channel = 0; channel < own.length; channel++) {
                sums[labels[channel]] += own[channel];
            }
        }
        return sums;
    }

    private List<Node> nodes() {
        return options.side() == PruneOptions.Side.INPUT
                ? flow.consumers().stream().map(Consumer::node).toList()
                : flow.producers().stream().map(tensor -> graph.producer(tensor).orElseThrow()).toList();
    }

    private int[] labels(Node node) {
        return flow.channels(options.side() == PruneOptions.Side.INPUT ? node.input(0) : node.output()).labels();
    }

    private boolean isPrunable(Node node) {
        WeightAxes axes = WeightAxes.of(graph, node).orElseThrow();
        int[] labels = labels(node);
        return labels.length == (options.side() == PruneOptions.Side.INPUT ? axes.inputs() : axes.outputs())
                && Arrays.stream(labels).noneMatch(kept::get);
    }

    private double[] rate(Node node) {
        return options.side() == PruneOptions.Side.INPUT
                ? ratings.inputs(flow.consumer(node).orElseThrow())
                : ratings.outputs(node);
    }

    private void requireKnown(Set<String> weights) {
        for (String named : options.amounts().keySet()) {
            if (!weights.contains(named)) {
                throw new InvalidInput("an amount is given for weight " + named + ", of which no channel can be pruned so; those that can: "
                        + String.join(", ", weights.stream().sorted().toList()));
            }
        }
    }

    /** For each group the retained positions, ascending. */
    private List<int[]> choose(List<Candidates> groups) {
        if (!options.global()) {
            return groups.stream().map(group -> best(group.ratings,
                    group.ratings.length - (int) Math.floor(group.amount * group.ratings.length))).toList();
        }
        record Channel(int group, double rating) {}
        List<Channel> ascending = new ArrayList<>();
        for (int group = 0; group < groups.size(); group++) {
            if (groups.get(group).amount > 0) {
                for (double rating : groups.get(group).ratings) {
                    ascending.add(new Channel(group, rating));
                }
            }
        }
        ascending.sort(Comparator.comparingDouble(Channel::rating));
        int[] counts = groups.stream().mapToInt(group -> group.ratings.length).toArray();
        int left = (int) Math.floor(options.amount() * ascending.size());
        for (Channel channel : ascending) {
            if (left > 0 && counts[channel.group] > 1) {
                counts[channel.group]--;
                left--;
            }
        }
        return IntStream.range(0, counts.length).mapToObj(group -> best(groups.get(group).ratings, counts[group])).toList();
    }

    private static int[] best(double[] ratings, int retained) {
        return IntStream.range(0, ratings.length).boxed()
                .sorted(Comparator.<Integer>comparingDouble(channel -> -ratings[channel]).thenComparing(Comparator.naturalOrder()))
                .limit(Math.max(1, retained))
                .mapToInt(Integer::intValue)
                .sorted()
                .toArray();
    }

    private static double[] added(double[] one, double[] other) {
        return IntStream.range(0, one.length).mapToDouble(i -> one[i] + other[i]).toArray();
    }
}
