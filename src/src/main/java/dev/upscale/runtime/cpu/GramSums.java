package dev.upscale.runtime.cpu;

import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import dev.upscale.runtime.onednn.MatrixProducts;
import dev.upscale.runtime.onednn.OneDnn;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The sums of a least-squares problem, gathered block by block: of inputs X (rows × columns) and targets Y (targets × columns), X·Xᵀ,
 * X·Yᵀ and the squares of Y, summed over any number of blocks of columns. A block is multiplied in f32 by oneDNN, or in pure Java
 * where that is missing; sums over blocks are in doubles. Memory does not grow with the number of blocks.
 *
 * <p>For one thread at a time, which does the work by itself.
 */
public final class GramSums implements AutoCloseable {
    /** The upper triangle is made in panels of that many rows. */
    private static final int PANEL = 192;

    private final int rows;
    private final int targets;
    private final int capacity;
    private final boolean nativeProducts;
    private final Arena owner = Arena.ofShared();
    private final MemorySegment inputMemory;
    private final MemorySegment targetMemory;
    private final MemorySegment productMemory;
    private final double[] gram;
    private final double[] products;
    private double targetSquares;

    /**
     * Memory for blocks of at most {@code capacity} columns.
     *
     * @param rows of X
     * @param targets rows of Y
     */
    public GramSums(int rows, int targets, int capacity) {
        this.rows = rows;
        this.targets = targets;
        this.capacity = capacity;
        this.nativeProducts = NativeLibraries.isAvailable(NativeLibrary.ONEDNN);
        inputMemory = owner.allocate(4L * rows * capacity, 64);
        targetMemory = owner.allocate(4L * targets * capacity, 64);
        productMemory = owner.allocate(4L * PANEL * Math.max(rows, targets), 64);
        gram = new double[Math.multiplyExact(rows, rows)];
        products = new double[Math.multiplyExact(rows, targets)];
    }

    /**
     * Adds a block.
     *
     * @param inputs rows × capacity, of each row the first {@code columns} count
     * @param wanted targets × capacity, likewise
     */
    public void add(float[] inputs, float[] wanted, int columns) {
        if (inputs.length != rows * capacity || wanted.length != targets * capacity || columns < 1 || columns > capacity) {
            throw new IllegalArgumentException(columns + " columns of " + inputs.length + " and " + wanted.length + " elements");
        }
        for (int target = 0; target < targets; target++) {
            double sum = 0;
            for (int column = 0; column < columns; column++) {
                double value = wanted[target * capacity + column];
                sum += value * value;
            }
            targetSquares += sum;
        }
        if (nativeProducts) {
            MemorySegment.copy(inputs, 0, inputMemory, ValueLayout.JAVA_FLOAT, 0, inputs.length);
            MemorySegment.copy(wanted, 0, targetMemory, ValueLayout.JAVA_FLOAT, 0, wanted.length);
            OneDnn.useThreads(1);
            for (int row = 0; row < rows; row += PANEL) {
                addPanel(row, Math.min(PANEL, rows - row), columns);
            }
        } else {
            addInJava(inputs, wanted, columns);
        }
    }

    private void addPanel(int row, int height, int columns) {
        MemorySegment panel = inputMemory.asSlice(4L * row * capacity);
        int width = rows - row;
        MatrixProducts.timesTransposed(height, width, columns, panel, capacity, panel, capacity, productMemory, width);
        for (int i = 0; i < height; i++) {
            addRow(gram, (row + i) * rows + row, i * width, width);
        }
        if (targets > 0) {
            MatrixProducts.timesTransposed(height, targets, columns, panel, capacity, targetMemory, capacity, productMemory, targets);
            for (int i = 0; i < height; i++) {
                addRow(products, (row + i) * targets, i * targets, targets);
            }
        }
    }

    private void addRow(double[] sums, int to, int from, int count) {
        for (int k = 0; k < count; k++) {
            sums[to + k] += productMemory.getAtIndex(ValueLayout.JAVA_FLOAT, from + k);
        }
    }

    private void addInJava(float[] inputs, float[] wanted, int columns) {
        for (int row = 0; row < rows; row++) {
            for (int other = row; other < rows; other++) {
                gram[row * rows + other] += dot(inputs, row * capacity, inputs, other * capacity, columns);
            }
            for (int target = 0; target < targets; target++) {
                products[row * targets + target] += dot(inputs, row * capacity, wanted, target * capacity, columns);
            }
        }
    }

    private static double dot(float[] one, int from, float[] other, int otherFrom, int count) {
        double sum = 0;
        for (int k = 0; k < count; k++) {
            sum += (double) one[from + k] * other[otherFrom + k];
        }
        return sum;
    }

    /** Adds what another gathered of the same problem. */
    public void add(GramSums other) {
        for (int k = 0; k < gram.length; k++) {
            gram[k] += other.gram[k];
        }
        for (int k = 0; k < products.length; k++) {
            products[k] += other.products[k];
        }
        targetSquares += other.targetSquares;
    }

    /** X·Xᵀ, rows × rows, row-major, both triangles. */
    public double[] gram() {
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < row; column++) {
                gram[row * rows + column] = gram[column * rows + row];
            }
        }
        return gram;
    }

    /** X·Yᵀ, rows × targets, row-major. */
    public double[] products() {
        return products;
    }

    /** The sum of the squares of all targets. */
    public double targetSquares() {
        return targetSquares;
    }

    @Override
    public void close() {
        owner.close();
    }
}
