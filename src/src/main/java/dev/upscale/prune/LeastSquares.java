package dev.upscale.prune;

import dev.upscale.graph.InvalidInput;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.LinearSolverFactory_DDRM;
import org.ejml.interfaces.linsol.LinearSolverDense;

/**
 * Ridge regression of a layer's outputs on its inputs: the W that makes ‖Wᵀ X − Y‖² + λ‖W − V‖² smallest, where V are the weights
 * that the layer had, so that what the inputs say little about stays as it was. The last row of X is the constant 1, whose row of W
 * is the bias; it is not penalised.
 *
 * @param rows of X, the constant included
 * @param targets rows of Y
 * @param gram X·Xᵀ, rows × rows
 * @param products X·Yᵀ, rows × targets
 * @param targetSquares the sum of the squares of Y
 * @param prior V, rows × targets; its last row is the bias and does not count
 * @param ridge λ over the mean of the diagonal of the Gram matrix
 */
public record LeastSquares(int rows, int targets, double[] gram, double[] products, double targetSquares, double[] prior, double ridge) {

    /** λ. */
    double lambda() {
        double sum = 0;
        for (int row = 0; row < rows - 1; row++) {
            sum += gram[row * rows + row];
        }
        return Math.max(ridge * sum / Math.max(1, rows - 1), 1e-12);
    }

    /** The left side of the normal equations, X·Xᵀ + λ. */
    DMatrixRMaj left() {
        DMatrixRMaj left = new DMatrixRMaj(rows, rows, true, gram.clone());
        double lambda = lambda();
        for (int row = 0; row < rows - 1; row++) {
            left.add(row, row, lambda);
        }
        left.add(rows - 1, rows - 1, 1e-12);
        return left;
    }

    /** The right side, X·Yᵀ + λ V. */
    DMatrixRMaj right() {
        DMatrixRMaj right = new DMatrixRMaj(rows, targets, true, products.clone());
        double lambda = lambda();
        for (int k = 0; k < (rows - 1) * targets; k++) {
            right.data[k] += lambda * prior[k];
        }
        return right;
    }

    /**
     * W, rows × targets, row-major.
     *
     * @throws InvalidInput if the normal equations are not positive definite: inputs that are not finite
     */
    public double[] solve() {
        DMatrixRMaj solution = new DMatrixRMaj(rows, targets);
        factored().solve(right(), solution);
        return solution.data;
    }

    /** How many columns X has. */
    public double observations() {
        return gram[rows * rows - 1];
    }

    /**
     * The best W of those that scale what each target had, and give it another bias: two unknowns for each target, for data that are too
     * few for all of them. rows × targets, row-major.
     */
    public double[] scaled() {
        int last = rows - 1;
        double count = observations();
        double[] solution = new double[rows * targets];
        for (int target = 0; target < targets; target++) {
            double sum = 0;
            double squares = 0;
            double product = 0;
            for (int row = 0; row < last; row++) {
                double image = 0;
                for (int other = 0; other < last; other++) {
                    image += gram[row * rows + other] * prior[other * targets + target];
                }
                double weight = prior[row * targets + target];
                sum += weight * gram[row * rows + last];
                squares += weight * image;
                product += weight * products[row * targets + target];
            }
            double wanted = products[last * targets + target];
            double variance = squares - sum * sum / count;
            double gain = variance > 1e-9 * squares ? (product - sum * wanted / count) / variance : 1;
            for (int row = 0; row < last; row++) {
                solution[row * targets + target] = gain * prior[row * targets + target];
            }
            solution[last * targets + target] = (wanted - gain * sum) / count;
        }
        return solution;
    }

    /** The Cholesky factors of the left side. */
    LinearSolverDense<DMatrixRMaj> factored() {
        LinearSolverDense<DMatrixRMaj> solver = LinearSolverFactory_DDRM.symmPosDef(rows);
        if (!solver.setA(left())) {
            throw new InvalidInput("the normal equations of " + rows + " inputs are not positive definite: the calibration data or"
                    + " what the network makes of them is not finite");
        }
        return solver;
    }

    /** ‖Wᵀ X − Y‖² without the penalty. */
    public double error(double[] solution) {
        double error = targetSquares;
        double[] image = new double[targets];
        for (int row = 0; row < rows; row++) {
            java.util.Arrays.fill(image, 0);
            for (int other = 0; other < rows; other++) {
                double factor = gram[row * rows + other];
                for (int target = 0; target < targets; target++) {
                    image[target] += factor * solution[other * targets + target];
                }
            }
            for (int target = 0; target < targets; target++) {
                error += solution[row * targets + target] * (image[target] - 2 * products[row * targets + target]);
            }
        }
        return Math.max(0, error);
    }

    /** ‖Y − mean(Y)‖²: what a layer that retains nothing leaves. */
    public double variance() {
        double count = observations();
        double variance = targetSquares;
        for (int target = 0; target < targets; target++) {
            double sum = products[(rows - 1) * targets + target];
            variance -= sum * sum / count;
        }
        return variance;
    }
}
