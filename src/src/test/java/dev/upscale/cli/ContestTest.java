package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ContestTest {
    private long now;

    @Test
    void mediansAndRatiosAreThoseOfTheContenders() {
        Contest contest = new Contest(() -> now).add("slow", () -> now += 3_000_000).add("fast", () -> now += 2_000_000);
        contest.run(Duration.ofMillis(400), 5);
        assertEquals(3e6, contest.timing("slow").medianNs());
        assertEquals(2e6, contest.timing("fast").p75Ns());
        assertEquals(1.5, contest.ratio("slow", "fast"));
        assertTrue(contest.rounds() >= 5);
    }

    @Test
    void aMachineThatSlowsDownDoesNotChangeTheRatio() {
        Contest contest = new Contest(() -> now).add("slow", () -> now += 2_000_000 + now / 100).add("fast", () -> now += 1_000_000 + now / 200);
        contest.run(Duration.ofMillis(300), 5);
        assertEquals(2, contest.ratio("slow", "fast"), 0.1);
    }

    @Test
    void quartilesAreInterpolated() {
        Timing timing = Timing.of(new double[] {4, 1, 3, 2});
        assertEquals(2.5, timing.medianNs());
        assertEquals(1.75, timing.p25Ns());
        assertEquals(3.25, timing.p75Ns());
        assertEquals(7, Timing.of(new double[] {7}).medianNs());
    }
}
