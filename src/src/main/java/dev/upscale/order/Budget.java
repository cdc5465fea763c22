package dev.upscale.order;

/**
 * How much a search may do, counted in leaves of trees that reductions visit, so that the same problem gets the same
 * answer on every machine. About 100 million leaves are a second.
 */
final class Budget {

    private long left;

    Budget(long leaves) {
        left = leaves;
    }

    void spend(long leaves) {
        left -= leaves;
    }

    boolean spent() {
        return left <= 0;
    }

    long left() {
        return Math.max(0, left);
    }

    /** A part of what is left; what the part spends is not taken from the whole. */
    Budget share(double share) {
        return new Budget((long) (left() * share));
    }

    /** Takes what a {@link #share} of {@code granted} leaves has spent. */
    void settle(long granted, Budget share) {
        left -= granted - share.left;
    }
}
