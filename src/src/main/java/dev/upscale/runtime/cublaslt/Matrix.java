package dev.upscale.runtime.cublaslt;

import static dev.upscale.bindings.cublaslt.cublaslt_h.*;

import dev.upscale.plan.Element;

/**
 * A matrix in column-major order, or several of one shape at one distance ({@code cublasLtMatrixLayout_t}).
 *
 * @param rows elements that lie side by side
 * @param columns how many of such columns there are
 * @param leadingDimension elements from column to column
 * @param batches how many matrices
 * @param batchStride elements from matrix to matrix; 0 if all are the same, or there is one
 * @param alignment of every matrix's address, in bytes: a power of two
 */
public record Matrix(Element type, long rows, long columns, long leadingDimension, int batches, long batchStride, int alignment) {

    /** @throws IllegalArgumentException if cuBLASLt could not take it */
    public Matrix {
        require(rows > 0 && columns > 0 && batches > 0, "a matrix of " + rows + " rows, " + columns + " columns and " + batches + " batches is empty");
        require(rows <= Integer.MAX_VALUE && columns <= Integer.MAX_VALUE, "a matrix of " + rows + " rows and " + columns + " columns is too large");
        require(leadingDimension >= rows, "a leading dimension of " + leadingDimension + " is smaller than the " + rows + " rows");
        require(batchStride >= 0, "a batch stride of " + batchStride + " is negative");
        require(Integer.bitCount(alignment) == 1 && alignment >= type.bytes(), "an alignment of " + alignment + " bytes is none for " + type);
    }

    /** Whether two of the matrices may have an element in common: they lie one after the other, or side by side between the columns. */
    boolean overlaps() {
        long extent = (columns - 1) * leadingDimension + rows;
        boolean follow = batchStride >= extent;
        boolean interleave = batchStride >= rows && leadingDimension >= (batches - 1) * batchStride + rows;
        return batches > 1 && !follow && !interleave;
    }

    Descriptor make(String subject) {
        Descriptor made = Descriptor.layout(subject, CuBlasLt.code(type), rows, columns, leadingDimension);
        try {
            return batches == 1 ? made : made.setInt(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT(), batches)
                    .setLong(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET(), batchStride);
        } catch (RuntimeException e) {
            made.close();
            throw e;
        }
    }

    static void require(boolean holds, String complaint) {
        if (!holds) {
            throw new IllegalArgumentException(complaint);
        }
    }

    @Override
    public String toString() {
        return type + "[" + rows + "x" + columns + " by " + leadingDimension + "]" + (batches == 1 ? "" : " " + batches + " times by " + batchStride);
    }
}
