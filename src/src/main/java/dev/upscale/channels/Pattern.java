package dev.upscale.channels;

import dev.upscale.graph.InvalidInput;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * What pruning left: for weights of convolutions and matrix products, by name, the input channels that the consumer
 * retains and the output channels that the producer retains, ascending. Whatever is not named is whole. What a pattern
 * means is its masked model: see {@link Masking}.
 *
 * @param model the network that it was made for, for messages; may be empty
 * @param consumers by weight, the retained input channels
 * @param producers by weight, the retained output channels
 */
public record Pattern(String model, Map<String, int[]> consumers, Map<String, int[]> producers) {

    /** The pattern that retains everything. */
    public static final Pattern WHOLE = new Pattern("", Map.of(), Map.of());

    public Pattern {
        consumers = Collections.unmodifiableMap(new TreeMap<>(consumers));
        producers = Collections.unmodifiableMap(new TreeMap<>(producers));
        consumers.forEach(Pattern::requireAscending);
        producers.forEach(Pattern::requireAscending);
    }

    private static void requireAscending(String weight, int[] retained) {
        for (int k = 0; k < retained.length; k++) {
            if (retained[k] < 0 || k > 0 && retained[k] <= retained[k - 1]) {
                throw new InvalidInput("pattern for weight " + weight
                        + ": retained channels must be ascending and not negative, but position " + k + " holds "
                        + retained[k] + "; sort them and remove repetitions");
            }
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Pattern that
                && model.equals(that.model)
                && same(consumers, that.consumers)
                && same(producers, that.producers);
    }

    private static boolean same(Map<String, int[]> one, Map<String, int[]> other) {
        return one.keySet().equals(other.keySet())
                && one.keySet().stream().allMatch(weight -> Arrays.equals(one.get(weight), other.get(weight)));
    }

    @Override
    public int hashCode() {
        return model.hashCode() + consumers.keySet().hashCode() + producers.keySet().hashCode();
    }
}
