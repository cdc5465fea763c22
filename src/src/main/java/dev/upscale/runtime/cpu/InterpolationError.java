package dev.upscale.runtime.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;

/**
 * How far interpolated times of one kind of step are from measured ones, where each measured one in turn is left out of the table.
 *
 * @param kind kernel, threads ({@code t1}) and groups ({@code g1})
 * @param times measured ones, of kernels that did not fail
 * @param interpolated those with a neighbour close enough
 * @param median of the error: the factor between both times, less 1
 * @param p90 what nine of ten are below
 * @param p95 what 19 of 20 are below
 */
public record InterpolationError(String kind, int times, int interpolated, double median, double p90, double p95) {

    /** Of all times in the user's table for this machine, by kind; kinds without any interpolated are left out. */
    public static List<InterpolationError> ofUserTable() {
        return of(CostTable.ofUser());
    }

    static List<InterpolationError> of(CostTable table) {
        Map<String, List<Double>> errors = new TreeMap<>();
        Map<String, Integer> times = new TreeMap<>();
        table.all().forEach((key, measured) -> {
            if (measured < Double.POSITIVE_INFINITY) {
                String kind = key.kind();
                times.merge(kind, 1, Integer::sum);
                List<Double> found = errors.computeIfAbsent(kind, name -> new ArrayList<>());
                OptionalDouble interpolated = table.interpolated(key);
                interpolated.ifPresent(nanos -> found.add(Math.exp(Math.abs(Math.log(nanos / measured))) - 1));
            }
        });
        List<InterpolationError> result = new ArrayList<>();
        errors.forEach((kind, found) -> {
            double[] sorted = found.stream().mapToDouble(Double::doubleValue).sorted().toArray();
            if (sorted.length > 0) {
                result.add(new InterpolationError(kind, times.get(kind), sorted.length, quantile(sorted, 0.5), quantile(sorted, 0.9), quantile(sorted, 0.95)));
            }
        });
        return result;
    }

    private static double quantile(double[] sorted, double share) {
        return sorted[(int) Math.ceil(share * sorted.length) - 1];
    }
}
