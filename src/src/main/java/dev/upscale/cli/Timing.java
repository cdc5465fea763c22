package dev.upscale.cli;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How long runs took, nanoseconds: median and quartiles over all timed runs.
 *
 * @param runs how many runs were timed
 */
public record Timing(double medianNs, double p25Ns, double p75Ns, int runs) {

    static Timing of(double[] samples) {
        double[] sorted = samples.clone();
        Arrays.sort(sorted);
        return new Timing(quantile(sorted, 0.5), quantile(sorted, 0.25), quantile(sorted, 0.75), sorted.length);
    }

    /** As JSON documents have them: whole nanoseconds. */
    Map<String, Object> fields() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("medianNs", Math.round(medianNs));
        fields.put("p25Ns", Math.round(p25Ns));
        fields.put("p75Ns", Math.round(p75Ns));
        fields.put("runs", runs);
        return fields;
    }

    /** The quantile of sorted values, interpolated between neighbours. */
    static double quantile(double[] sorted, double share) {
        double place = share * (sorted.length - 1);
        int below = (int) Math.floor(place);
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }
}
