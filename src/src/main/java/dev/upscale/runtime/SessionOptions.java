package dev.upscale.runtime;

import java.util.Optional;

/**
 * How a session runs.
 *
 * @param threads      how many threads kernels may use, the caller's included; with 1 no other thread is started or spins
 * @param poisoned     whether arena and outputs are filled with NaN before every run: for tests, since a plan that reads what it has
 *                     not written then shows
 * @param profiledRuns for how many of the latest runs each step's time is kept; 0 for none, which costs nothing
 * @param copyFree     whether copies are left out: a bound for benchmarks, whose results are not valid
 * @param fetchesAhead whether convolutions fetch the weights of small steps behind them on the side
 * @param memory       what the session works in, with others that do not run at once; if absent, a memory of its own
 */
public record SessionOptions(int threads, boolean poisoned, int profiledRuns, boolean copyFree, boolean fetchesAhead,
        Optional<SessionMemory> memory) {
    private static final int MOST_THREADS = 256;

    public SessionOptions {
        if (threads < 1 || threads > MOST_THREADS) {
            throw new IllegalArgumentException(threads + " threads; from 1 to " + MOST_THREADS + " can be had");
        }
        if (profiledRuns < 0) {
            throw new IllegalArgumentException(profiledRuns + " profiled runs");
        }
    }

    public static SessionOptions threads(int threads) {
        return new SessionOptions(threads, false, 0, false, true, Optional.empty());
    }

    public SessionOptions withPoison() {
        return new SessionOptions(threads, true, profiledRuns, copyFree, fetchesAhead, memory);
    }

    public SessionOptions withProfile(int runs) {
        return new SessionOptions(threads, poisoned, runs, copyFree, fetchesAhead, memory);
    }

    public SessionOptions withoutCopies() {
        return new SessionOptions(threads, poisoned, profiledRuns, true, fetchesAhead, memory);
    }

    /** Works in a memory that other sessions work in too, though never at once. It is its maker's to close, not the session's. */
    public SessionOptions withMemory(SessionMemory shared) {
        return new SessionOptions(threads, poisoned, profiledRuns, copyFree, fetchesAhead, Optional.of(shared));
    }

    /** For comparisons. */
    public SessionOptions withoutFetching() {
        return new SessionOptions(threads, poisoned, profiledRuns, copyFree, false, memory);
    }
}
