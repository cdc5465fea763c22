package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
    void neitherOfTwoIsFirstMoreOften() {
        List<String> runs = new ArrayList<>();
        Contest contest = new Contest(() -> now);
        for (String name : List.of("a", "b", "c")) {
            contest.add(name, () -> {
                now += 6_000_000;
                runs.add(name);
            });
        }
        contest.runWarm(10, Duration.ofDays(1));
        assertEquals(10, contest.rounds());
        Map<String, Integer> places = new HashMap<>();
        for (int turn = 0; turn < runs.size() / 2; turn++) {
            places.merge(runs.get(2 * turn), turn % 3, Integer::sum);
        }
        assertEquals(Map.of("a", 10, "b", 10, "c", 10), places, "each is in the middle on average");
    }

    @Test
    void roundsEndWithTheTimeButNotBeforeTheSecond() {
        Contest contest = new Contest(() -> now).add("slow", () -> now += 50_000_000);
        contest.runWarm(100, Duration.ofMillis(350));
        assertEquals(4, contest.rounds());
        Contest slower = new Contest(() -> now).add("slower", () -> now += 500_000_000);
        slower.runWarm(100, Duration.ofMillis(350));
        assertEquals(2, slower.rounds());
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
