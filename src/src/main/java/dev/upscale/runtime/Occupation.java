package dev.upscale.runtime;

import java.util.concurrent.atomic.AtomicInteger;

/** Whether something idles, is in use by one run, or is closed. Changes take no lock. What was done in one use is seen by the next. */
final class Occupation {
    private static final int IDLE = 0;
    private static final int IN_USE = 1;
    private static final int CLOSED = 2;

    private final AtomicInteger state = new AtomicInteger(IDLE);

    /** Takes it into use, if it idles. */
    boolean begin() {
        return state.compareAndSet(IDLE, IN_USE);
    }

    /** It idles again; called by who began. */
    void end() {
        state.setRelease(IDLE);
    }

    /** Closes it for good, if it idles. */
    boolean close() {
        return state.compareAndSet(IDLE, CLOSED);
    }

    boolean isInUse() {
        return state.getAcquire() == IN_USE;
    }

    boolean isClosed() {
        return state.getAcquire() == CLOSED;
    }
}
