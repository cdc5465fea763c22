package dev.upscale.prune;

import dev.upscale.graph.InvalidInput;
import java.util.Map;

/**
 * What a {@link Pruner} is to prune.
 *
 * @param amount share of channels to prune, in [0, 1)
 * @param method who chooses
 * @param side whose channels: those that consumers read, or those that producers make
 * @param global whether all channels of the network are ranked together, so that {@code amount} is their share; otherwise it is the
 *     share of each weight's or segment's
 * @param amounts shares for single weights, by name, instead of {@code amount}; 0 leaves a weight whole. Where consumers share a
 *     mask, the smallest of their amounts counts
 */
public record PruneOptions(double amount, Method method, Side side, boolean global, Map<String, Double> amounts) {

    /** Who chooses. */
    public enum Method {
        /** Each weight for itself: the paper's unconstrained pruning. On the input side matrix products keep all. */
        UNCONSTRAINED,
        /** All that share channels together: one mask per segment, so that no order leaves a copy. */
        CONSTRAINED
    }

    /** Whose channels are pruned. */
    public enum Side {
        /** Those that a consumer reads. */
        INPUT,
        /** Those that a producer makes. */
        OUTPUT
    }

    public PruneOptions {
        requireShare("amount", amount);
        amounts = Map.copyOf(amounts);
        amounts.forEach((weight, share) -> requireShare("amount of " + weight, share));
        if (global && amounts.values().stream().anyMatch(share -> share != 0)) {
            throw new InvalidInput("a global ranking has one amount; with it, single weights can only be left whole (0)");
        }
    }

    /** Input channels, ranked for each weight or segment by itself. */
    public static PruneOptions of(double amount, Method method) {
        return new PruneOptions(amount, method, Side.INPUT, false, Map.of());
    }

    public PruneOptions withSide(Side chosen) {
        return new PruneOptions(amount, method, chosen, global, amounts);
    }

    public PruneOptions globally() {
        return new PruneOptions(amount, method, side, true, amounts);
    }

    public PruneOptions withAmounts(Map<String, Double> chosen) {
        return new PruneOptions(amount, method, side, global, chosen);
    }

    double amount(String weight) {
        return amounts.getOrDefault(weight, amount);
    }

    private static void requireShare(String what, double share) {
        if (!(share >= 0 && share < 1)) {
            throw new InvalidInput(what + " " + share + " is not in [0, 1): it is the share of channels to prune");
        }
    }
}
