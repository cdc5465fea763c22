package dev.upscale.compress;

import dev.upscale.BoundSession;
import dev.upscale.Upscale;
import dev.upscale.channels.ChannelFlow;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.KernelCosts;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.runtime.Executable;
import dev.upscale.runtime.Profile;
import dev.upscale.runtime.SessionOptions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a network's steps take, by the channels that they read and make. A convolution's time is that of its step in the unpruned
 * plan, times what the compiler's table of measured kernel costs says of the smaller one over the whole one: kernels compute whole
 * vectors of {@value #VECTOR} output channels, so times step with these, and grow evenly with input channels, between which they are
 * interpolated. Other steps' times are in proportion to the channels they make. Not safe for use by several threads at once.
 */
final class TimeModel {
    /** Output channels that a kernel computes at once. */
    private static final int VECTOR = 16;
    private static final int PROFILED_RUNS = 40;
    private static final long ALIGNMENT = 64;
    /** Input channels are measured at that many places. */
    private static final int PLACES = 6;

    /** A convolution or matrix product with its measured time. */
    private record Timed(Step.Convolve step, double nanos, double[][] known) {
        Timed(Step.Convolve step, double nanos) {
            this(step, nanos, new double[step.source().view().dim(1) + 1][step.destination().dim(1) + 1]);
        }
    }

    /** A step that makes channels without weights: its time, and whose they are. */
    record Other(int[] labels, double nanos) {}

    private final CompileOptions options;
    private final KernelCosts costs;
    private final Map<Node, Timed> convolutions = new LinkedHashMap<>();
    private final Map<Node, Timed> lookup = new IdentityHashMap<>();
    private final List<Other> others = new ArrayList<>();
    private double fixedNanos;
    private double totalNanos;

    private TimeModel(CompileOptions options) {
        this.options = options;
        this.costs = options.costs().orElseThrow();
    }

    /**
     * Times the unpruned plan.
     *
     * @param options with costs
     */
    static TimeModel of(Graph graph, ChannelFlow flow, CompileOptions options, float[] input, int threads) {
        TimeModel model = new TimeModel(options);
        Plan plan = Upscale.compile(graph, options);
        try (Executable executable = Upscale.prepare(plan);
                BoundSession session = BoundSession.open(executable, SessionOptions.threads(threads).withProfile(PROFILED_RUNS))) {
            session.input(0).put(input);
            for (int run = 0; run < 3 * PROFILED_RUNS; run++) {
                session.run();
            }
            model.add(graph, flow, session.session().profile());
        }
        return model;
    }

    private void add(Graph graph, ChannelFlow flow, Profile profile) {
        Map<String, Node> nodes = new HashMap<>();
        graph.nodes().forEach(node -> nodes.put(node.name(), node));
        for (int k = 0; k < profile.steps().size(); k++) {
            Step step = profile.steps().get(k);
            double nanos = profile.medianNs(k);
            totalNanos += nanos;
            Node node = nodes.get(step.name());
            int[] labels = node == null ? new int[0] : flow.channels(node.output()).labels();
            if (step instanceof Step.Convolve convolve && node != null && flow.consumer(node).isPresent()) {
                convolutions.merge(node, new Timed(convolve, nanos), (one, other) -> new Timed(one.step, one.nanos + other.nanos));
                lookup.put(node, convolutions.get(node));
            } else if (labels.length > 0) {
                others.add(new Other(labels, nanos));
            } else {
                fixedNanos += nanos;
            }
        }
    }

    /** The sum of the unpruned plan's steps. */
    double totalNanos() {
        return totalNanos;
    }

    /** What depends on no channels. */
    double fixedNanos() {
        return fixedNanos;
    }

    /** Steps without weights. */
    List<Other> others() {
        return others;
    }

    /** The convolutions and matrix products, which {@link #nanos} knows. */
    Set<Node> convolutions() {
        return convolutions.keySet();
    }

    /** The time of a convolution or matrix product with fewer channels. */
    double nanos(Node node, int inputs, int outputs) {
        Timed timed = lookup.get(node);
        int allInputs = timed.step.source().view().dim(1);
        int allOutputs = timed.step.destination().dim(1);
        int made = Math.min(allOutputs, Math.ceilDiv(Math.max(1, outputs), VECTOR) * VECTOR);
        int step = Math.max(1, Math.ceilDiv(allInputs, PLACES));
        int below = Math.clamp((long) inputs / step * step, 1, allInputs);
        int above = Math.min(allInputs, below == 1 && inputs < step ? step : below + step);
        double low = cost(timed, below, made);
        double share = above == below ? 0 : (double) (Math.max(inputs, below) - below) / (above - below);
        double cost = low + (share == 0 ? 0 : share * (cost(timed, above, made) - low));
        return timed.nanos * Math.min(1, cost / cost(timed, allInputs, allOutputs));
    }

    private double cost(Timed timed, int inputs, int outputs) {
        if (timed.known[inputs][outputs] == 0) {
            double least = Double.POSITIVE_INFINITY;
            for (String kernel : kernels(timed.step)) {
                least = Math.min(least, costs.nanos(kernel, smaller(kernel, timed.step, inputs, outputs)));
            }
            timed.known[inputs][outputs] = least;
        }
        return timed.known[inputs][outputs];
    }

    /** The kernel that the compiler chose, and ours, which read any channels. */
    private Set<String> kernels(Step.Convolve step) {
        Set<String> kernels = new LinkedHashSet<>(List.of(step.kernel()));
        if (options.engines().contains("upscale")) {
            kernels.add("upscale.conv");
        }
        return kernels;
    }

    /** The same step on fewer channels, its tensors behind each other in the arena; an addend that the result replaces still is. */
    private static Step.Convolve smaller(String kernel, Step.Convolve step, int inputs, int outputs) {
        View source = dense(step.source().view(), inputs, 0);
        View destination = dense(step.destination(), outputs, end(source));
        Optional<Operand> addend = step.addend().map(operand -> operand.view().equals(step.destination())
                ? Operand.of(destination)
                : Operand.of(dense(operand.view(), outputs, end(destination))));
        long taps = (long) step.conv().window().kernelH() * step.conv().window().kernelW();
        return new Step.Convolve(step.name(), kernel, new Op.Conv(step.conv().window(), 1), Operand.of(source), step.weights(), step.bias(),
                addend, step.activation(), destination, Optional.empty(), destination.elements() * taps * inputs);
    }

    private static long end(View view) {
        return Math.ceilDiv(view.offset() + view.extentBytes(), ALIGNMENT) * ALIGNMENT;
    }

    /** An image of its own with fewer channels; planes stay planes. */
    private static View dense(View view, int channels, long offset) {
        List<Integer> dims = new ArrayList<>(view.dims());
        dims.set(1, channels);
        return view.pixelStride() < 0
                ? View.rowMajor(View.Place.ARENA, offset, dims)
                : View.channelsLast(View.Place.ARENA, offset, dims, channels);
    }
}
