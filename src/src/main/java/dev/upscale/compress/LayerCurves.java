package dev.upscale.compress;

import java.util.Arrays;
import java.util.List;

/**
 * What dropping channels does to each consumer of a network, and to the network: the facts that a {@link BudgetSearch} needs of the
 * calibration inputs. Errors are relative to the variance of a layer's outputs; damage is the mean Kullback-Leibler divergence of the
 * network's class probabilities from those of the unpruned network, with one layer's channels dropped and its weights solved for.
 *
 * @param consumers each prunable consumer, in the graph's order
 * @param segments each segment with a prunable consumer
 */
public record LayerCurves(List<ConsumerCurve> consumers, List<SegmentCurve> segments) {

    /**
     * One consumer by itself.
     *
     * @param weight its weight
     * @param order its channels, in the order in which they were taken; the last is the one that stays
     * @param errors the error after none, one, two ... of them were taken
     * @param probes errors at which the damage was measured, ascending
     * @param damages the damage there
     */
    public record ConsumerCurve(String weight, int[] order, double[] errors, double[] probes, double[] damages) {

        /** The damage at an error: straight lines between the probes and through nothing at nothing. */
        public double damage(double error) {
            double lastError = 0;
            double lastDamage = 0;
            double slope = 0;
            for (int k = 0; k < probes.length; k++) {
                if (probes[k] > lastError) {
                    slope = Math.max(0, damages[k] - lastDamage) / (probes[k] - lastError);
                }
                if (error <= probes[k]) {
                    return lastDamage + slope * Math.max(0, error - lastError);
                }
                lastError = Math.max(lastError, probes[k]);
                lastDamage = Math.max(lastDamage, damages[k]);
            }
            return lastDamage + slope * Math.max(0, error - lastError);
        }

        /** Damage for each unit of error, where there is little. */
        double sensitivity() {
            return damage(probes[0]) / Math.max(probes[0], Double.MIN_NORMAL);
        }
    }

    /**
     * The consumers of a segment together.
     *
     * @param weights those whose channels are taken
     * @param order labels in the order in which they were taken from all of them; the last is the one that stays
     * @param errors for each weight, its error after none, one, two ... labels were taken
     */
    public record SegmentCurve(List<String> weights, int[] order, double[][] errors) {
        public SegmentCurve {
            weights = List.copyOf(weights);
        }
    }

    public LayerCurves {
        consumers = List.copyOf(consumers);
        segments = List.copyOf(segments);
    }

    ConsumerCurve consumer(String weight) {
        return consumers.stream().filter(curve -> curve.weight.equals(weight)).findFirst().orElseThrow();
    }

    @Override
    public String toString() {
        return consumers.size() + " consumers in " + segments.size() + " segments, orders "
                + consumers.stream().map(curve -> Arrays.toString(curve.order)).toList();
    }
}
