package dev.upscale.prune;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.upscale.channels.Pattern;
import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.graph.InvalidInput;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PrunerTest {
    /** Two convolutions and a matrix product read what one convolution makes. */
    private static final Graph FORK = GraphText.parse("""
            graph fork(x: f32[1,2,1,1]) -> y, z {
              w0: f32[4,2,1,1] = ones
              wa: f32[1,4,1,1] = [3, -4, 1, 2]
              wb: f32[1,4,1,1] = [1, 1, 9, 8]
              wl: f32[1,4] = [1, 1, 1, 20]
              a = Conv(x, w0) kernel=1
              b = Conv(a, wa) kernel=1
              c = Conv(a, wb) kernel=1
              y = Binary(b, c) add
              f = Reshape(a) dims=[1,4]
              z = Linear(f, wl)
            }
            """);

    @Test
    void eachConvolutionRetainsWhatMattersToItself() {
        Pattern pattern = Pruner.prune(FORK, Heuristic.L1, 0.5, Pruner.Method.UNCONSTRAINED);
        assertRetained(Map.of("wa", new int[] {0, 1}, "wb", new int[] {2, 3}), pattern);
    }

    @Test
    void aSegmentRetainsWhatMattersToAllOfItsConsumers() {
        Pattern pattern = Pruner.prune(FORK, Heuristic.L1, 0.5, Pruner.Method.CONSTRAINED);
        assertRetained(Map.of("wa", new int[] {2, 3}, "wb", new int[] {2, 3}, "wl", new int[] {2, 3}), pattern);
    }

    @Test
    void theShareIsRoundedInFavourOfChannelsAndOneIsAlwaysRetained() {
        assertEquals(4, retained(0));
        assertEquals(4, retained(0.2));
        assertEquals(3, retained(0.25));
        assertEquals(1, retained(0.99));
        assertThrows(InvalidInput.class, () -> retained(1));
        assertThrows(InvalidInput.class, () -> retained(Double.NaN));
    }

    @Test
    void tiesAreDecidedByPosition() {
        Pattern pattern = Pruner.prune(FORK, Heuristic.L2, 0.5, Pruner.Method.UNCONSTRAINED);
        assertArrayEquals(new int[] {2, 3}, pattern.consumers().get("wb"));
        Graph even = GraphText.parse("""
                graph even(x: f32[1,1,1,1]) -> y {
                  w0: f32[4,1,1,1] = ones
                  w1: f32[1,4,1,1] = ones
                  a = Conv(x, w0) kernel=1
                  y = Conv(a, w1) kernel=1
                }
                """);
        assertArrayEquals(new int[] {0, 1}, Pruner.prune(even, Heuristic.L2, 0.5, Pruner.Method.UNCONSTRAINED).consumers().get("w1"));
    }

    @Test
    void anUnconstrainedPatternIsConstrainedByVotes() {
        Pattern unconstrained = new Pattern("fork", Map.of("wa", new int[] {0, 2}, "wb", new int[] {2}), Map.of());
        Pattern constrained = ConstrainPattern.apply(FORK, unconstrained);
        // Retained on average: (2 + 1 + 4) / 3 of 4. Channel 2 has three votes, 0 two, of 1 and 3 neither is retained.
        assertRetained(Map.of("w0", new int[] {0, 1}, "wa", new int[] {0, 2}, "wb", new int[] {0, 2}, "wl", new int[] {0, 2}), constrained);
    }

    private static int retained(double amount) {
        return Pruner.prune(FORK, Heuristic.L1, amount, Pruner.Method.UNCONSTRAINED).consumers().get("wa").length;
    }

    private static void assertRetained(Map<String, int[]> expected, Pattern pattern) {
        assertEquals(Set.copyOf(expected.keySet()), pattern.consumers().keySet());
        expected.forEach((weight, channels) -> assertArrayEquals(channels, pattern.consumers().get(weight), weight));
    }
}
