package dev.upscale.prune;

import java.util.Arrays;
import java.util.BitSet;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;

/**
 * Takes input channels from a layer, one at a time, while the weights that remain are always those of least squares. With P the inverse
 * of the normal equations' left side and W their solution, leaving channel c out raises the objective by tr(W_cᵀ P_cc⁻¹ W_c); then
 * W ← W − P_·c P_cc⁻¹ W_c and P ← P − P_·c P_cc⁻¹ P_c·. This is the optimal brain surgeon (Hassibi and Stork, NIPS 1992,
 * equations 5 and 6) for a layer's quadratic error, as in Frantar and Alistarh, "Optimal Brain Compression", NeurIPS 2022, on blocks of
 * rows: all taps of a channel.
 *
 * <p>Not safe for use by several threads at once.
 */
public final class BackwardElimination {
    private final int rows;
    private final int targets;
    private final int taps;
    private final double[] inverse;
    private final double[] solution;
    private final BitSet remaining = new BitSet();
    private double raised;

    /**
     * Begins with all channels.
     *
     * @param problem its rows are channels × taps and the constant
     */
    public BackwardElimination(LeastSquares problem, int channels) {
        rows = problem.rows();
        targets = problem.targets();
        taps = (rows - 1) / channels;
        if (channels * taps + 1 != rows) {
            throw new IllegalArgumentException(channels + " channels in " + rows + " rows");
        }
        DMatrixRMaj inverted = new DMatrixRMaj(rows, rows);
        var solver = problem.factored();
        solver.invert(inverted);
        DMatrixRMaj solved = new DMatrixRMaj(rows, targets);
        solver.solve(problem.right(), solved);
        inverse = inverted.data;
        solution = solved.data;
        remaining.set(0, channels);
    }

    private BackwardElimination(BackwardElimination other) {
        rows = other.rows;
        targets = other.targets;
        taps = other.taps;
        inverse = other.inverse.clone();
        solution = other.solution.clone();
        remaining.or(other.remaining);
        raised = other.raised;
    }

    /** The same state, to go on from separately. */
    public BackwardElimination copy() {
        return new BackwardElimination(this);
    }

    /** The channels that were not taken. */
    public BitSet remaining() {
        return (BitSet) remaining.clone();
    }

    /** How much the objective has risen since the beginning. */
    public double raised() {
        return raised;
    }

    /** By how much the objective would rise if one more channel were taken; infinite for those that were. */
    public double[] increments() {
        double[] increments = new double[(rows - 1) / taps];
        Arrays.fill(increments, Double.POSITIVE_INFINITY);
        IntStream range = remaining.stream();
        (rows > 256 ? range.parallel() : range).forEach(channel -> increments[channel] = increment(channel));
        return increments;
    }

    private double increment(int channel) {
        double[] factor = factor(channel);
        double sum = 0;
        double[] half = new double[taps];
        int first = channel * taps;
        for (int target = 0; target < targets; target++) {
            for (int i = 0; i < taps; i++) {
                double value = solution[(first + i) * targets + target];
                for (int j = 0; j < i; j++) {
                    value -= factor[i * taps + j] * half[j];
                }
                half[i] = value / factor[i * taps + i];
                sum += half[i] * half[i];
            }
        }
        return sum;
    }

    /** The lower Cholesky factor of P_cc. */
    private double[] factor(int channel) {
        double[] factor = new double[taps * taps];
        int first = channel * taps;
        for (int i = 0; i < taps; i++) {
            for (int j = 0; j <= i; j++) {
                double value = inverse[(first + i) * rows + first + j];
                for (int k = 0; k < j; k++) {
                    value -= factor[i * taps + k] * factor[j * taps + k];
                }
                factor[i * taps + j] = i == j ? Math.sqrt(Math.max(value, 1e-300)) : value / factor[j * taps + j];
            }
        }
        return factor;
    }

    /** Takes a channel. */
    public void take(int channel) {
        if (!remaining.get(channel)) {
            throw new IllegalArgumentException("channel " + channel + " was taken before");
        }
        raised += increment(channel);
        double[] factor = factor(channel);
        int first = channel * taps;
        // L⁻¹ P_c·, so that the downdates are products with its transpose.
        double[] scaled = new double[taps * rows];
        double[] half = new double[taps * targets];
        for (int i = 0; i < taps; i++) {
            for (int column = 0; column < rows; column++) {
                double value = inverse[(first + i) * rows + column];
                for (int j = 0; j < i; j++) {
                    value -= factor[i * taps + j] * scaled[j * rows + column];
                }
                scaled[i * rows + column] = value / factor[i * taps + i];
            }
        }
        for (int i = 0; i < taps; i++) {
            for (int target = 0; target < targets; target++) {
                double value = solution[(first + i) * targets + target];
                for (int j = 0; j < i; j++) {
                    value -= factor[i * taps + j] * half[j * targets + target];
                }
                half[i * targets + target] = value / factor[i * taps + i];
            }
        }
        remaining.clear(channel);
        IntStream range = IntStream.range(0, rows);
        (rows > 256 ? range.parallel() : range).forEach(row -> downdate(row, scaled, half));
    }

    private void downdate(int row, double[] scaled, double[] half) {
        boolean taken = row < rows - 1 && !remaining.get(row / taps);
        if (taken) {
            Arrays.fill(inverse, row * rows, (row + 1) * rows, 0);
            Arrays.fill(solution, row * targets, (row + 1) * targets, 0);
            return;
        }
        for (int i = 0; i < taps; i++) {
            double factor = scaled[i * rows + row];
            for (int target = 0; target < targets; target++) {
                solution[row * targets + target] -= factor * half[i * targets + target];
            }
            for (int column = 0; column < rows; column++) {
                inverse[row * rows + column] -= factor * scaled[i * rows + column];
            }
        }
    }

    /** The solution on the channels that remain, rows × targets; zero for those that were taken. */
    public double[] solution() {
        return solution.clone();
    }

    /**
     * Takes all channels but one, the one that raises the objective least each time.
     *
     * @return for each channel, what the objective had risen by when it was taken; infinite for the last
     */
    public double[] takeAll() {
        double[] risen = new double[(rows - 1) / taps];
        Arrays.fill(risen, Double.POSITIVE_INFINITY);
        while (remaining.cardinality() > 1) {
            double[] increments = increments();
            int least = remaining.nextSetBit(0);
            for (int channel = least; channel >= 0; channel = remaining.nextSetBit(channel + 1)) {
                least = increments[channel] < increments[least] ? channel : least;
            }
            take(least);
            risen[least] = raised;
        }
        return risen;
    }
}
