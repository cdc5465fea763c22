package dev.upscale.runtime.cpu;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * Times of convolutions from those of the same family with other widths. Kernels compute whole vectors of outputs for each input, so times
 * grow with the product of both, and a little with each: the nearest few times, scaled by that, are averaged.
 */
final class Interpolation {
    /** Widths that differ by more than this factor tell nothing of each other. */
    private static final double REACH = 1.5;
    private static final int NEIGHBOURS = 3;
    private static final int VECTOR = 16;

    /** What is read and written for each input and output takes as long as so many of the other. */
    private static final double PER_OUTPUT = 6;
    private static final double PER_INPUT = 4;

    /** In logarithms of widths: within this, nearness does not count. */
    private static final double NEAR = 0.02;

    private record Neighbour(double distance, double nanos) {}

    private Interpolation() {}

    /**
     * A time for the key.
     *
     * @param family measured times of the key's family; its own, if there, does not count
     */
    static OptionalDouble nanos(CostKey key, Map<CostKey, Double> family) {
        List<Neighbour> near = new ArrayList<>();
        family.forEach((other, nanos) -> {
            double distance = distance(key, other);
            if (distance <= Math.log(REACH) && nanos < Double.POSITIVE_INFINITY && !other.equals(key)) {
                near.add(new Neighbour(distance, nanos * work(key) / work(other)));
            }
        });
        near.sort(Comparator.comparingDouble(Neighbour::distance).thenComparingDouble(Neighbour::nanos));
        double sum = 0;
        double weights = 0;
        for (Neighbour neighbour : near.subList(0, Math.min(NEIGHBOURS, near.size()))) {
            double weight = 1 / (NEAR + neighbour.distance);
            sum += weight * Math.log(neighbour.nanos);
            weights += weight;
        }
        return near.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(Math.exp(sum / weights));
    }

    private static double distance(CostKey one, CostKey other) {
        return Math.max(Math.abs(Math.log((double) one.inputs() / other.inputs())), Math.abs(Math.log((double) one.outputs() / other.outputs())));
    }

    private static double work(CostKey key) {
        return (key.inputs() + PER_OUTPUT) * (Math.ceilDiv(key.outputs(), VECTOR) * VECTOR + PER_INPUT);
    }
}
