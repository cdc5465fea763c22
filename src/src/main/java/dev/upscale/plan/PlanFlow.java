package dev.upscale.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What flows where in a plan: who wrote what a step reads, how it reads it, how long what a step writes is needed, and which
 * tensors share an order of channels. For reports; found from the views alone.
 *
 * @param nodes one per step, in the plan's order
 * @param segments tensors that share an order of channels, in the order in which they begin
 */
public record PlanFlow(List<Node> nodes, List<Segment> segments) {

    /** How a step reads a tensor. */
    public enum Access {
        /** All of it. */
        WHOLE,
        /** A slice of it, where it lies. */
        SLICE,
        /** Chosen channels, where they lie: a gather folded into the kernel. */
        INDEX
    }

    /**
     * One operand of a step, constants apart.
     *
     * @param writers the steps that wrote it; empty for an input of the network
     * @param segment the position of its segment
     */
    public record Read(Operand operand, Access access, List<Integer> writers, int segment) {
        public Read {
            writers = List.copyOf(writers);
        }
    }

    /**
     * One step.
     *
     * @param lastReader the last step that reads what this one writes; the number of steps for an output of the network, the
     *     step itself where nobody does
     * @param segment the position of the segment that it writes to
     * @param consumer whether it makes new channels of those of its first source: a convolution that is not depthwise, a matrix
     *     product
     */
    public record Node(Step step, List<Read> reads, int lastReader, int segment, boolean consumer) {
        public Node {
            reads = List.copyOf(reads);
        }
    }

    /**
     * Tensors that share an order of channels.
     *
     * @param producers the steps that begin it: convolutions and matrix products; none for an input of the network
     * @param consumers the convolutions and matrix products that read it
     * @param first the step that writes to it first, -1 for an input of the network
     * @param last the last step that reads or writes it
     */
    public record Segment(List<Integer> producers, List<Integer> consumers, int first, int last) {
        public Segment {
            producers = List.copyOf(producers);
            consumers = List.copyOf(consumers);
        }
    }

    public PlanFlow {
        nodes = List.copyOf(nodes);
        segments = List.copyOf(segments);
    }

    /** Follows a plan. */
    public static PlanFlow of(Plan plan) {
        return new Follower(plan).follow();
    }

    private static boolean isConsumer(Plan plan, Step step) {
        return step instanceof Step.Convolve convolve && convolve.source().view().place().kind() != View.Place.Kind.CONSTANT
                && !(convolve.conv().groups() > 1 && plan.constants().get(convolve.weights()).dims().get(1) == 1);
    }

    private static final class Follower {
        private record Written(View view, int step) {}

        private record Found(Operand operand, Access access, List<Integer> values) {}

        private final Plan plan;
        private final int steps;
        private final TensorParts parts;
        private final List<Written> written = new ArrayList<>();
        private final List<List<Found>> reads = new ArrayList<>();
        private final int[] lastReader;
        /** Of values: what step k writes is value k, input k of the network is value {@code steps + k}. */
        private final int[] parent;

        Follower(Plan plan) {
            this.plan = plan;
            steps = plan.steps().size();
            parts = new TensorParts(plan);
            lastReader = IntStream.range(0, steps).toArray();
            parent = IntStream.range(0, steps + plan.inputs().size()).toArray();
        }

        PlanFlow follow() {
            for (int position = 0; position < steps; position++) {
                Step step = plan.steps().get(position);
                List<Found> found = read(position, step);
                reads.add(found);
                tie(position, step, found);
                parts.write(step.destination());
                written.removeIf(known -> !ViewOverlap.areDisjoint(known.view, step.destination()));
                written.add(new Written(step.destination(), position));
            }
            written.stream().filter(known -> known.view.place().kind() == View.Place.Kind.OUTPUT)
                    .forEach(known -> lastReader[known.step] = steps);
            return flow();
        }

        private List<Found> read(int position, Step step) {
            List<Found> found = new ArrayList<>();
            for (Operand operand : step.sources()) {
                if (operand.view().place().kind() != View.Place.Kind.CONSTANT) {
                    List<Integer> values = values(operand.view());
                    values.stream().filter(value -> value < steps).forEach(value -> lastReader[value] = position);
                    Access access = operand.isIndexed() ? Access.INDEX : parts.isPart(operand) ? Access.SLICE : Access.WHOLE;
                    found.add(new Found(operand, access, values));
                }
            }
            return found;
        }

        private List<Integer> values(View view) {
            if (view.place().kind() == View.Place.Kind.INPUT) {
                return IntStream.range(0, plan.inputs().size()).filter(port -> plan.inputs().get(port).name().equals(view.place().name()))
                        .map(port -> steps + port).boxed().toList();
            }
            return written.stream().filter(known -> !ViewOverlap.areDisjoint(known.view, view)).map(Written::step).toList();
        }

        private void tie(int position, Step step, List<Found> found) {
            for (int i = 0; i < found.size(); i++) {
                List<Integer> values = found.get(i).values;
                values.forEach(value -> join(values.getFirst(), value));
                if (!values.isEmpty() && !(i == 0 && isConsumer(plan, step))) {
                    join(values.getFirst(), position);
                }
            }
        }

        private void join(int a, int b) {
            parent[Math.max(root(a), root(b))] = Math.min(root(a), root(b));
        }

        private int root(int value) {
            int root = value;
            while (parent[root] != root) {
                parent[root] = parent[parent[root]];
                root = parent[root];
            }
            return root;
        }

        private PlanFlow flow() {
            Map<Integer, Integer> numbers = new LinkedHashMap<>();
            for (int value = steps; value < parent.length; value++) {
                numbers.putIfAbsent(root(value), numbers.size());
            }
            for (int value = 0; value < steps; value++) {
                numbers.putIfAbsent(root(value), numbers.size());
            }
            List<Node> nodes = new ArrayList<>();
            for (int position = 0; position < steps; position++) {
                List<Read> described = reads.get(position).stream().filter(found -> !found.values.isEmpty())
                        .map(found -> new Read(found.operand, found.access, found.values.stream().filter(value -> value < steps).toList(),
                                numbers.get(root(found.values.getFirst())))).toList();
                Step step = plan.steps().get(position);
                nodes.add(new Node(step, described, lastReader[position], numbers.get(root(position)),
                        isConsumer(plan, step) && !described.isEmpty()));
            }
            return new PlanFlow(nodes, segments(nodes, numbers));
        }

        private List<Segment> segments(List<Node> nodes, Map<Integer, Integer> numbers) {
            List<List<Integer>> producers = lists(numbers.size());
            List<List<Integer>> consumers = lists(numbers.size());
            int[] first = new int[numbers.size()];
            int[] last = new int[numbers.size()];
            Arrays.fill(first, Integer.MAX_VALUE);
            for (int input = steps; input < parent.length; input++) {
                first[numbers.get(root(input))] = -1;
            }
            for (int position = 0; position < nodes.size(); position++) {
                Node node = nodes.get(position);
                first[node.segment()] = Math.min(first[node.segment()], position);
                last[node.segment()] = Math.max(last[node.segment()], Math.min(node.lastReader(), steps - 1));
                for (Read read : node.reads()) {
                    last[read.segment()] = Math.max(last[read.segment()], position);
                }
                if (node.consumer()) {
                    producers.get(node.segment()).add(position);
                    consumers.get(node.reads().getFirst().segment()).add(position);
                }
            }
            return IntStream.range(0, numbers.size())
                    .mapToObj(segment -> new Segment(producers.get(segment), consumers.get(segment), first[segment], last[segment])).toList();
        }

        private static List<List<Integer>> lists(int count) {
            return IntStream.range(0, count).<List<Integer>>mapToObj(segment -> new ArrayList<>()).toList();
        }
    }
}
