package dev.upscale.compress;

import dev.upscale.channels.ChannelFlow;
import dev.upscale.channels.Pattern;
import dev.upscale.compress.LayerCurves.ConsumerCurve;
import dev.upscale.compress.LayerCurves.SegmentCurve;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * The pattern that does least damage within a budget of time. For each segment it decides how many channels are taken from all of its
 * consumers, which frees their producers too, and for each consumer how many more it drops for itself. Minimises damage + price · time
 * by turns over the segments, and finds the price at which the budget is met. Constrained patterns (nobody drops more) and
 * unconstrained ones (nothing is taken from all) are special cases.
 *
 * <p>What is taken from all follows the segment's own order of {@link LayerCurves}; what a consumer drops, its own. A consumer's error
 * is taken to be that of what was taken from all, and on top of it what its own curve rises by from as many channels on. Not safe for
 * use by several threads at once.
 */
final class BudgetSearch {
    private static final int SWEEPS = 4;
    private static final int HALVINGS = 18;
    private static final double LOWEST_PRICE = 1e-6;
    private static final double HIGHEST_PRICE = 1e4;
    private static final int GRID = 24;

    /** One segment's choice: labels taken from all, and what each of its consumers retains. */
    private record Choice(int taken, int[] retained) {}

    /** One consumer of a segment. */
    private record Member(Node node, int[] labels, ConsumerCurve curve, boolean isTimed) {}

    /** What was found. */
    record Found(Pattern pattern, double nanos, double damage) {}

    private final Graph graph;
    private final ChannelFlow flow;
    private final LayerCurves curves;
    private final TimeModel times;
    private final Map<String, Node> nodes = new HashMap<>();
    private final int segmentCount;
    /** By label, the segment that it is in, or -1. */
    private final int[] segmentOf;
    /** By label, its place in its segment's order. */
    private final int[] placeOf;
    private final List<Node> convolutions;
    private final List<List<Member>> members = new ArrayList<>();
    private final Map<Node, int[]> outputLabels = new IdentityHashMap<>();
    private final Map<Node, int[]> inputLabels = new IdentityHashMap<>();
    private final Map<Node, Integer> memberOf = new IdentityHashMap<>();
    private final Choice[] choices;
    /** For each segment, the convolutions whose time depends on it. */
    private final List<List<Node>> affected = new ArrayList<>();
    private final List<List<TimeModel.Other>> affectedOthers = new ArrayList<>();
    private final Map<int[], int[]> alivePrefixes = new IdentityHashMap<>();

    BudgetSearch(Graph graph, ChannelFlow flow, LayerCurves curves, TimeModel times) {
        this.graph = graph;
        this.flow = flow;
        this.curves = curves;
        this.times = times;
        this.segmentCount = curves.segments().size();
        this.segmentOf = new int[flow.labelCount()];
        this.placeOf = new int[flow.labelCount()];
        this.convolutions = List.copyOf(times.convolutions());
        this.choices = new Choice[segmentCount];
        graph.nodes().forEach(node -> {
            if (node.inputs().size() > 1) {
                nodes.put(node.input(1), node);
            }
        });
        convolutions.forEach(node -> {
            outputLabels.put(node, flow.channels(node.output()).labels());
            inputLabels.put(node, flow.channels(node.input(0)).labels());
        });
        Arrays.fill(segmentOf, -1);
        for (int segment = 0; segment < segmentCount; segment++) {
            SegmentCurve curve = curves.segments().get(segment);
            for (int place = 0; place < curve.order().length; place++) {
                segmentOf[curve.order()[place]] = segment;
                placeOf[curve.order()[place]] = place;
            }
            List<Member> own = new ArrayList<>();
            for (String weight : curve.weights()) {
                Node node = nodes.get(weight);
                memberOf.put(node, own.size());
                own.add(new Member(node, flow.channels(node.input(0)).labels(), curves.consumer(weight), times.convolutions().contains(node)));
            }
            members.add(own);
            int here = segment;
            affected.add(convolutions.stream().filter(node -> reads(node, here) || makes(node, here)).toList());
            affectedOthers.add(times.others().stream()
                    .filter(other -> Arrays.stream(other.labels()).anyMatch(label -> segmentOf[label] == here)).toList());
        }
        keepAll();
    }

    private boolean reads(Node node, int segment) {
        return memberOf.containsKey(node) && segmentOf[flow.channels(node.input(0)).labels()[0]] == segment;
    }

    private boolean makes(Node node, int segment) {
        return Arrays.stream(flow.channels(node.output()).labels()).anyMatch(label -> segmentOf[label] == segment);
    }

    private void keepAll() {
        for (int segment = 0; segment < segmentCount; segment++) {
            choices[segment] = new Choice(0, curves.segments().get(segment).weights().stream()
                    .mapToInt(weight -> curves.consumer(weight).order().length).toArray());
        }
    }

    /** The least damage within a time; the shortest that the highest price gives if that is not enough. */
    Found within(double nanos) {
        double enough = Math.log(HIGHEST_PRICE);
        double tooLittle = Math.log(LOWEST_PRICE);
        for (int halving = 0; halving < HALVINGS; halving++) {
            double middle = (enough + tooLittle) / 2;
            minimise(Math.exp(middle));
            if (nanos() <= nanos) {
                enough = middle;
            } else {
                tooLittle = middle;
            }
        }
        minimise(Math.exp(enough));
        spend(nanos, Math.exp(enough));
        return new Found(pattern(), nanos(), damage());
    }

    /**
     * Spends what is left of the budget: prices find only choices on the convex hull of damage over time, and kernels' steps leave wide
     * gaps between these. Each time the change that takes back most damage for its time is made, until none fits.
     */
    private void spend(double budget, double price) {
        List<List<Choice>> options = IntStream.range(0, segmentCount).mapToObj(segment -> options(segment, price)).toList();
        for (boolean changed = true; changed; ) {
            changed = false;
            double left = budget - nanos();
            Choice best = null;
            int place = -1;
            double most = 1e-9;
            for (int segment = 0; segment < segmentCount; segment++) {
                Choice before = choices[segment];
                double damage = damage(segment);
                double nanos = local(segment);
                for (Choice choice : options.get(segment)) {
                    choices[segment] = choice;
                    double gained = damage - damage(segment);
                    double spent = local(segment) - nanos;
                    double worth = gained / Math.max(spent / times.totalNanos(), 1e-6);
                    if (spent <= left && gained > 1e-12 && worth > most) {
                        most = worth;
                        best = choice;
                        place = segment;
                    }
                }
                choices[segment] = before;
            }
            if (best != null) {
                choices[place] = best;
                changed = true;
            }
        }
    }

    /** Choices of a segment at this price and at lower ones. */
    private List<Choice> options(int segment, double price) {
        List<Choice> options = new ArrayList<>();
        int labels = curves.segments().get(segment).order().length;
        for (int taken = 0; taken < labels; taken += Math.max(1, labels / (2 * GRID))) {
            for (double share : new double[] {1, 0.3, 0.1, 0.03}) {
                options.add(choose(segment, taken, price * share));
            }
        }
        return options;
    }

    /** Minimises damage + price · time, the time in units of the unpruned network's. */
    private void minimise(double price) {
        keepAll();
        for (int sweep = 0; sweep < SWEEPS; sweep++) {
            boolean changed = false;
            for (int segment = 0; segment < segmentCount; segment++) {
                changed |= improve(segment, price);
            }
            if (!changed) {
                return;
            }
        }
    }

    private boolean improve(int segment, double price) {
        SegmentCurve curve = curves.segments().get(segment);
        Choice before = choices[segment];
        Choice best = before;
        double least = Double.POSITIVE_INFINITY;
        int labels = curve.order().length;
        int step = Math.max(1, labels / (2 * GRID));
        for (int taken = 0; taken < labels; taken += step) {
            Choice choice = choose(segment, taken, price);
            choices[segment] = choice;
            double value = value(segment, price);
            if (value < least - 1e-15) {
                least = value;
                best = choice;
            }
        }
        choices[segment] = best;
        return best.taken != before.taken || !Arrays.equals(best.retained, before.retained);
    }

    /** For each consumer the number of channels that is best for itself, given what is taken from all. */
    private Choice choose(int segment, int taken, double price) {
        List<Member> own = members.get(segment);
        int[] retained = own.stream().mapToInt(member -> Math.max(1, alive(member.labels, segment, taken))).toArray();
        Choice before = choices[segment];
        choices[segment] = new Choice(taken, retained);
        for (int place = 0; place < retained.length && retained.length > 1; place++) {
            Member member = own.get(place);
            if (!member.isTimed) {
                continue;
            }
            int outputs = outputs(member.node);
            int alive = retained[place];
            int step = Math.max(1, alive / GRID);
            double least = Double.POSITIVE_INFINITY;
            int best = alive;
            for (int count = alive; count >= 1; count -= step) {
                double value = damage(segment, place, taken, alive, count) + price * times.nanos(member.node, count, outputs) / times.totalNanos();
                if (value < least - 1e-15) {
                    least = value;
                    best = count;
                }
            }
            retained[place] = best;
        }
        choices[segment] = before;
        return new Choice(taken, retained);
    }

    private double damage(int segment, int place, int taken, int alive, int count) {
        ConsumerCurve own = members.get(segment).get(place).curve;
        int channels = own.order().length;
        double error = curves.segments().get(segment).errors()[place][taken]
                + Math.max(0, own.errors()[channels - count] - own.errors()[channels - alive]);
        return own.damage(error) - own.damage(own.errors()[0]);
    }

    /** Damage and time of all that depends on a segment. */
    private double value(int segment, double price) {
        return damage(segment) + price * local(segment) / times.totalNanos();
    }

    /** The time of all that depends on a segment. */
    private double local(int segment) {
        double nanos = 0;
        for (Node node : affected.get(segment)) {
            nanos += nanos(node);
        }
        for (TimeModel.Other other : affectedOthers.get(segment)) {
            nanos += nanos(other);
        }
        return nanos;
    }

    private double damage(int segment) {
        Choice choice = choices[segment];
        double damage = 0;
        for (int place = 0; place < choice.retained.length; place++) {
            int alive = Math.max(1, alive(members.get(segment).get(place).labels, segment, choice.taken));
            damage += damage(segment, place, choice.taken, alive, choice.retained[place]);
        }
        return damage;
    }

    double damage() {
        return IntStream.range(0, segmentCount).mapToDouble(this::damage).sum();
    }

    private double nanos() {
        double nanos = times.fixedNanos();
        for (Node node : convolutions) {
            nanos += nanos(node);
        }
        for (TimeModel.Other other : times.others()) {
            nanos += nanos(other);
        }
        return nanos;
    }

    private double nanos(Node node) {
        Integer member = memberOf.get(node);
        int[] labels = inputLabels.get(node);
        int inputs = member == null ? labels.length : choices[segmentOf[labels[0]]].retained[member];
        return times.nanos(node, inputs, outputs(node));
    }

    private double nanos(TimeModel.Other other) {
        int segment = segmentOf[other.labels()[0]];
        int alive = segment < 0 ? other.labels().length : alive(other.labels(), segment, choices[segment].taken);
        return other.nanos() * alive / other.labels().length;
    }

    private int outputs(Node node) {
        int[] labels = outputLabels.get(node);
        int segment = labels.length == 0 ? -1 : segmentOf[labels[0]];
        return segment < 0 ? Math.max(1, labels.length) : alive(labels, segment, choices[segment].taken);
    }

    /** How many of some channels of a segment are left when that many labels are taken from all. */
    private int alive(int[] labels, int segment, int taken) {
        int[] prefix = alivePrefixes.computeIfAbsent(labels, key -> {
            int[] counts = new int[curves.segments().get(segment).order().length + 1];
            for (int label : labels) {
                counts[placeOf[label] + 1]++;
            }
            for (int place = 1; place < counts.length; place++) {
                counts[place] += counts[place - 1];
            }
            return counts;
        });
        return labels.length - prefix[taken];
    }

    /** What the choices mean: of what is left to all, each consumer drops what comes first in its own order. */
    private Pattern pattern() {
        Map<String, int[]> retained = new TreeMap<>();
        for (int segment = 0; segment < segmentCount; segment++) {
            SegmentCurve curve = curves.segments().get(segment);
            BitSet taken = new BitSet();
            Arrays.stream(curve.order()).limit(choices[segment].taken).forEach(taken::set);
            for (int member = 0; member < curve.weights().size(); member++) {
                ConsumerCurve own = curves.consumer(curve.weights().get(member));
                int[] labels = flow.channels(nodes.get(own.weight()).input(0)).labels();
                int[] last = IntStream.range(0, own.order().length).map(k -> own.order()[own.order().length - 1 - k])
                        .filter(channel -> !taken.get(labels[channel])).limit(choices[segment].retained[member]).sorted().toArray();
                retained.put(own.weight(), last.length > 0 ? last : new int[] {own.order()[own.order().length - 1]});
            }
        }
        return new Pattern(graph.name(), retained, new LinkedHashMap<>());
    }
}
