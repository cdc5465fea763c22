package dev.upscale.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.LongSupplier;

/**
 * Times several contenders in turns, so that what else the machine does falls on all of them alike. In each round each has
 * one turn: one run untimed, which brings its own weights and activations into the caches, then timed runs for a few
 * milliseconds. The order is drawn anew for each second round, and reversed in the next, so that of two neither is first
 * more often. Ratios are taken within rounds.
 */
public final class Contest {
    private static final long TURN_NANOS = 5_000_000;
    private static final int MOST_RUNS_PER_TURN = 20;

    private final Map<String, Runnable> contenders = new LinkedHashMap<>();
    private final Map<String, List<Double>> runs = new LinkedHashMap<>();
    private final Map<String, List<Double>> turns = new LinkedHashMap<>();
    private final LongSupplier clock;
    private Duration pause = Duration.ZERO;
    private Runnable beforeRound = () -> {};

    public Contest() {
        this(System::nanoTime);
    }

    /** With another clock, nanoseconds, for tests. */
    Contest(LongSupplier clock) {
        this.clock = clock;
    }

    /** Adds a contender. */
    public Contest add(String name, Runnable run) {
        contenders.put(name, run);
        runs.put(name, new ArrayList<>());
        turns.put(name, new ArrayList<>());
        return this;
    }

    /** Waits before each turn, so that threads of the contender before, which may spin for a while, fall asleep. */
    public Contest pauseBeforeTurns(Duration length) {
        pause = length;
        return this;
    }

    /** Does something before each round, which is not timed. */
    Contest beforeRounds(Runnable action) {
        beforeRound = action;
        return this;
    }

    /**
     * Warms up (a quarter of the budget), then times rounds until the budget is spent.
     *
     * @param leastRounds rounds that are timed whatever they cost, at least 1
     */
    public void run(Duration budget, int leastRounds) {
        long begun = clock.getAsLong();
        long warm = begun + budget.toNanos() / 4;
        do {
            contenders.values().forEach(Runnable::run);
        } while (clock.getAsLong() < warm);
        time(leastRounds, Integer.MAX_VALUE, begun + budget.toNanos());
    }

    /** Times so many rounds of contenders that have run already, or fewer if there is not so much time, at least two. */
    void runWarm(int rounds, Duration most) {
        time(Math.min(rounds, 2), rounds, clock.getAsLong() + most.toNanos());
    }

    private void time(int leastRounds, int mostRounds, long end) {
        Random random = new Random(1);
        List<String> order = new ArrayList<>(contenders.keySet());
        for (int round = 0; round < leastRounds || round < mostRounds && clock.getAsLong() < end; round++) {
            beforeRound.run();
            if (round % 2 == 0) {
                Collections.shuffle(order, random);
            } else {
                Collections.reverse(order);
            }
            order.forEach(this::turn);
        }
    }

    private void turn(String name) {
        Runnable contender = contenders.get(name);
        if (pause.isPositive()) {
            idle();
        }
        contender.run();
        long begun = clock.getAsLong();
        List<Double> timed = new ArrayList<>();
        long now = begun;
        while (timed.size() < MOST_RUNS_PER_TURN && (timed.isEmpty() || now - begun < TURN_NANOS)) {
            long start = now;
            contender.run();
            now = clock.getAsLong();
            timed.add((double) (now - start));
        }
        runs.get(name).addAll(timed);
        turns.get(name).add(Timing.of(array(timed)).medianNs());
    }

    /** Stays awake: when a thread that slept wakes its helpers, they may be put on its own core and stay there for some time. */
    private void idle() {
        long end = clock.getAsLong() + pause.toNanos();
        while (clock.getAsLong() < end) {
            Thread.onSpinWait();
        }
    }

    /** Of all timed runs of a contender. */
    public Timing timing(String name) {
        return Timing.of(array(runs.get(name)));
    }

    /** The median over rounds of one contender's time over another's. */
    public double ratio(String name, String reference) {
        List<Double> own = turns.get(name);
        List<Double> others = turns.get(reference);
        double[] ratios = new double[own.size()];
        for (int round = 0; round < ratios.length; round++) {
            ratios[round] = own.get(round) / others.get(round);
        }
        return Timing.of(ratios).medianNs();
    }

    /** How many rounds were timed. */
    public int rounds() {
        return turns.values().stream().mapToInt(List::size).max().orElse(0);
    }

    private static double[] array(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }
}
