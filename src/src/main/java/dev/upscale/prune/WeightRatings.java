package dev.upscale.prune;

import dev.upscale.channels.ChannelFlow.Consumer;
import dev.upscale.channels.WeightAxes;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Node;
import java.util.Comparator;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;

/** Ratings by a {@link Heuristic} that needs nothing but weights. Thread-safe. */
public final class WeightRatings implements Ratings {
    private final Graph graph;
    private final Heuristic heuristic;
    private final long seed;

    /**
     * Ratings of a network's channels.
     *
     * @param seed for {@link Heuristic#RANDOM}
     * @throws InvalidInput if the heuristic needs inputs
     */
    public WeightRatings(Graph graph, Heuristic heuristic, long seed) {
        if (!heuristic.isOfWeights()) {
            throw new InvalidInput("heuristic " + heuristic.name().toLowerCase(Locale.ROOT)
                    + " rates channels by what the network computes: give it inputs (--data)");
        }
        this.graph = graph;
        this.heuristic = heuristic;
        this.seed = seed;
    }

    @Override
    public double[] inputs(Consumer consumer) {
        return rate(consumer.weight(), "input", inputSlices(graph, consumer.node()));
    }

    @Override
    public double[] outputs(Node producer) {
        return rate(producer.input(1), "output", outputSlices(graph, producer));
    }

    private double[] rate(String weight, String side, float[][] slices) {
        return switch (heuristic) {
            case L1 -> each(slices, Math::abs);
            case L2 -> squares(slices);
            case LAMP -> lamp(squares(slices));
            case FPGM -> distances(slices);
            case RANDOM -> new Random(seed ^ 31L * weight.hashCode() ^ side.hashCode()).doubles(slices.length).toArray();
            case HRANK, RESIDUAL -> throw new IllegalStateException("of inputs: " + heuristic);
        };
    }

    /** The sum of squares of each input channel of a weight. */
    static double[] squares(Graph graph, Consumer consumer) {
        return squares(inputSlices(graph, consumer.node()));
    }

    private static double[] squares(float[][] slices) {
        return each(slices, value -> value * value);
    }

    private static double[] each(float[][] slices, java.util.function.DoubleUnaryOperator contribution) {
        double[] sums = new double[slices.length];
        for (int channel = 0; channel < sums.length; channel++) {
            for (float value : slices[channel]) {
                sums[channel] += contribution.applyAsDouble(value);
            }
        }
        return sums;
    }

    /** Each square over the sum of those that stand at or after it in ascending order. */
    private static double[] lamp(double[] squares) {
        int[] descending = IntStream.range(0, squares.length).boxed()
                .sorted(Comparator.comparingDouble(channel -> -squares[channel]))
                .mapToInt(Integer::intValue).toArray();
        double[] scores = new double[squares.length];
        double sum = 0;
        for (int channel : descending) {
            sum += squares[channel];
            scores[channel] = sum == 0 ? 0 : squares[channel] / sum;
        }
        return scores;
    }

    private static double[] distances(float[][] slices) {
        double[] sums = new double[slices.length];
        for (int one = 0; one < slices.length; one++) {
            for (int other = 0; other < one; other++) {
                double square = 0;
                for (int k = 0; k < slices[one].length; k++) {
                    double difference = (double) slices[one][k] - slices[other][k];
                    square += difference * difference;
                }
                double distance = Math.sqrt(square);
                sums[one] += distance;
                sums[other] += distance;
            }
        }
        return sums;
    }

    /** A weight cut by its input channels: for each, the elements of all outputs and taps. Without groups. */
    private static float[][] inputSlices(Graph graph, Node node) {
        WeightAxes axes = axes(graph, node);
        float[] values = graph.weight(node.input(1)).floats();
        float[][] slices = new float[axes.inputs()][axes.outputs() * axes.taps()];
        for (int input = 0; input < axes.inputs(); input++) {
            for (int output = 0; output < axes.outputs(); output++) {
                System.arraycopy(values, axes.at(output, input), slices[input], output * axes.taps(), axes.taps());
            }
        }
        return slices;
    }

    private static float[][] outputSlices(Graph graph, Node node) {
        WeightAxes axes = axes(graph, node);
        float[] values = graph.weight(node.input(1)).floats();
        float[][] slices = new float[axes.outputs()][axes.inputs() * axes.taps()];
        for (int output = 0; output < axes.outputs(); output++) {
            for (int input = 0; input < axes.inputs(); input++) {
                System.arraycopy(values, axes.at(output, input), slices[output], input * axes.taps(), axes.taps());
            }
        }
        return slices;
    }

    private static WeightAxes axes(Graph graph, Node node) {
        return WeightAxes.of(graph, node).filter(axes -> axes.groups() == 1).orElseThrow();
    }
}
