package dev.upscale.prune;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BackwardEliminationTest {

    /** x = (1, 2, 3), y = 2x + 1: found exactly, and without the channel only the mean 5 is left, with error 4 + 0 + 4. */
    @Test
    void aLineIsFoundAndLeavingItOutLeavesTheVariance() {
        LeastSquares line = new LeastSquares(2, 1, new double[] {14, 6, 6, 3}, new double[] {34, 15}, 83, new double[2], 0);
        double[] solution = line.solve();
        assertArrayEquals(new double[] {2, 1}, solution, 1e-6);
        assertEquals(0, line.error(solution), 1e-6);
        assertEquals(8, line.variance(), 1e-9);
        assertEquals(8, new BackwardElimination(line, 1).increments()[0], 1e-6);
    }

    /** The same line, where the weight was 1: twice as much, and 1 more. With two such inputs, of which one is twice the other, as well. */
    @Test
    void aGainAndABiasAreFoundForEachTarget() {
        LeastSquares line = new LeastSquares(2, 1, new double[] {14, 6, 6, 3}, new double[] {34, 15}, 83, new double[] {1, 9}, 1);
        assertArrayEquals(new double[] {2, 1}, line.scaled(), 1e-9);
        LeastSquares two = new LeastSquares(3, 1, new double[] {14, 28, 6, 28, 56, 12, 6, 12, 3}, new double[] {34, 68, 15}, 83,
                new double[] {1, 0.5, 9}, 1);
        assertArrayEquals(new double[] {1, 0.5, 1}, two.scaled(), 1e-9);
        LeastSquares nothing = new LeastSquares(2, 1, new double[] {14, 6, 6, 3}, new double[] {34, 15}, 83, new double[] {0, 9}, 1);
        assertArrayEquals(new double[] {0, 5}, nothing.scaled(), 1e-9);
    }

    /** x² summed is 4, so λ = 4; the weight is drawn from 6/4 half of the way to 3: (6 + 4 · 3) / (4 + 4). */
    @Test
    void aRidgeHoldsWeightsWhereTheyWere() {
        LeastSquares problem = new LeastSquares(2, 1, new double[] {4, 0, 0, 2}, new double[] {6, 0}, 9, new double[] {3, 7}, 1);
        assertArrayEquals(new double[] {18 / 8.0, 0}, problem.solve(), 1e-9);
    }

    /** What the downdates say must be what solving anew without the channels gives. */
    @Test
    void takingChannelsIsSolvingWithoutThem() {
        int channels = 5;
        int taps = 3;
        Problem all = new Problem(channels, taps);
        BackwardElimination elimination = new BackwardElimination(all.without(), channels);
        double begin = all.objective();
        for (int[] taken : new int[][] {{3}, {3, 0}, {3, 0, 4}}) {
            double promised = elimination.raised() + elimination.increments()[taken[taken.length - 1]];
            elimination.take(taken[taken.length - 1]);
            assertEquals(all.objective(taken) - begin, elimination.raised(), 1e-6 * begin);
            assertEquals(promised, elimination.raised(), 1e-9 * begin);
            double[] expected = all.without(taken).solve();
            double[] actual = elimination.solution();
            int row = 0;
            for (int channel = 0; channel < channels; channel++) {
                for (int tap = 0; tap < taps && elimination.remaining().get(channel); tap++, row++) {
                    assertEquals(expected[row], actual[channel * taps + tap], 1e-7);
                }
            }
            assertEquals(expected[row], actual[channels * taps], 1e-7);
        }
        assertEquals(2, elimination.remaining().cardinality());
        assertEquals(Double.POSITIVE_INFINITY, elimination.increments()[3]);
    }

    @Test
    void theLeastUsefulChannelGoesFirst() {
        Problem problem = new Problem(5, 1);
        double[] risen = new BackwardElimination(problem.without(), 5).takeAll();
        BackwardElimination again = new BackwardElimination(problem.without(), 5);
        double[] increments = again.increments();
        int first = 0;
        for (int channel = 1; channel < 5; channel++) {
            first = increments[channel] < increments[first] ? channel : first;
        }
        assertEquals(increments[first], risen[first], 1e-9);
        long infinite = Arrays.stream(risen).filter(Double::isInfinite).count();
        assertEquals(1, infinite);
        BackwardElimination copy = again.copy();
        copy.take(first);
        assertFalse(again.remaining().equals(copy.remaining()));
    }

    /** Random inputs that hang together, and random outputs. */
    private static final class Problem {
        private static final int SAMPLES = 60;
        private final int channels;
        private final int taps;
        private final double[][] inputs;
        private final double[] outputs = new double[SAMPLES];

        Problem(int channels, int taps) {
            this.channels = channels;
            this.taps = taps;
            Random random = new Random(channels);
            inputs = new double[SAMPLES][channels * taps + 1];
            for (int sample = 0; sample < SAMPLES; sample++) {
                double common = random.nextGaussian();
                for (int row = 0; row < channels * taps; row++) {
                    inputs[sample][row] = random.nextGaussian() + common;
                    outputs[sample] += inputs[sample][row] * (row % 4);
                }
                inputs[sample][channels * taps] = 1;
                outputs[sample] += random.nextGaussian();
            }
        }

        /** The least-squares problem without some channels. The ridge is 0, so that the objective is the error. */
        LeastSquares without(int... taken) {
            int[] rows = IntStream.range(0, channels * taps + 1)
                    .filter(row -> row == channels * taps || Arrays.stream(taken).noneMatch(channel -> channel == row / taps)).toArray();
            double[] gram = new double[rows.length * rows.length];
            double[] products = new double[rows.length];
            double squares = 0;
            for (int sample = 0; sample < SAMPLES; sample++) {
                for (int i = 0; i < rows.length; i++) {
                    products[i] += inputs[sample][rows[i]] * outputs[sample];
                    for (int j = 0; j < rows.length; j++) {
                        gram[i * rows.length + j] += inputs[sample][rows[i]] * inputs[sample][rows[j]];
                    }
                }
                squares += outputs[sample] * outputs[sample];
            }
            return new LeastSquares(rows.length, 1, gram, products, squares, new double[rows.length], 0);
        }

        double objective(int... taken) {
            LeastSquares problem = without(taken);
            return problem.error(problem.solve());
        }
    }
}
