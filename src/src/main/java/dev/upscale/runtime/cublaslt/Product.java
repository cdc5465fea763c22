package dev.upscale.runtime.cublaslt;

import static dev.upscale.bindings.cublaslt.cublaslt_h.*;
import static dev.upscale.runtime.cublaslt.Matrix.require;

import dev.upscale.plan.Element;
import java.util.Optional;

/**
 * A matrix product, {@code d = epilogue(op(a) · op(b) + c + bias)}, all in column-major order. A bias has one element for each row of
 * {@code d}, of its type.
 *
 * @param c what is added, of {@code d}'s shape
 * @param biasAlignment of the bias's address in bytes, or 0 if there is none
 * @param rectified whether negative results become 0
 * @param workspaceBytes what the library may have as scratch memory
 */
public record Product(Matrix a, boolean transposeA, Matrix b, boolean transposeB, Optional<Matrix> c, Matrix d, Compute compute,
        int biasAlignment, boolean rectified, long workspaceBytes) {

    /** @throws IllegalArgumentException if the sizes or types do not fit each other, or cuBLASLt has no such product */
    public Product {
        long inner = transposeA ? a.rows() : a.columns();
        require((transposeA ? a.columns() : a.rows()) == d.rows() && (transposeB ? b.rows() : b.columns()) == d.columns()
                && (transposeB ? b.columns() : b.rows()) == inner, "a product of " + a + " and " + b + " is no " + d);
        require(a.type() == b.type(), "factors of types " + a.type() + " and " + b.type());
        require(d.type() == a.type() || d.type() == Element.F32, "a product of " + a.type() + " is not written as " + d.type());
        require(compute != Compute.TF32 || a.type() == Element.F32, "factors of " + a.type() + " are not rounded to TF32");
        require(a.batches() == d.batches() && b.batches() == d.batches(), a.batches() + " and " + b.batches() + " matrices for " + d.batches());
        require(!d.overlaps(), "the matrices of " + d + " overlap");
        c.ifPresent(added -> require(added.rows() == d.rows() && added.columns() == d.columns() && added.type() == d.type()
                && added.batches() == d.batches(), "adds " + added + " to " + d));
        require(biasAlignment == 0 || Integer.bitCount(biasAlignment) == 1 && biasAlignment >= d.type().bytes(),
                "a bias aligned to " + biasAlignment + " bytes");
        require(workspaceBytes >= 0, "a workspace of " + workspaceBytes + " bytes");
    }

    boolean hasBias() {
        return biasAlignment > 0;
    }

    /** @param bias its address on the device, of which cuBLASLt reads the alignment */
    Descriptor makeOperation(String subject, long bias) {
        Descriptor made = Descriptor.operation(subject, compute.code(), CuBlasLt.code(Element.F32));
        try {
            made.setInt(CUBLASLT_MATMUL_DESC_TRANSA(), transposeA ? CUBLAS_OP_T() : CUBLAS_OP_N())
                    .setInt(CUBLASLT_MATMUL_DESC_TRANSB(), transposeB ? CUBLAS_OP_T() : CUBLAS_OP_N())
                    .setInt(CUBLASLT_MATMUL_DESC_EPILOGUE(), epilogue());
            return hasBias() ? made.setLong(CUBLASLT_MATMUL_DESC_BIAS_POINTER(), bias)
                    .setInt(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE(), CuBlasLt.code(d.type())) : made;
        } catch (RuntimeException e) {
            made.close();
            throw e;
        }
    }

    private int epilogue() {
        return hasBias() ? rectified ? CUBLASLT_EPILOGUE_RELU_BIAS() : CUBLASLT_EPILOGUE_BIAS()
                : rectified ? CUBLASLT_EPILOGUE_RELU() : CUBLASLT_EPILOGUE_DEFAULT();
    }

    /** Partial sums are added in f32 alone: in place only where the result is f32. */
    Descriptor makePreference(String subject) {
        Descriptor made = Descriptor.preference(subject);
        int sums = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE() | (d.type() == Element.F32 ? CUBLASLT_REDUCTION_SCHEME_INPLACE() : 0);
        try {
            return made.setLong(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES(), workspaceBytes)
                    .setInt(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK(), sums)
                    .setInt(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES(), a.alignment())
                    .setInt(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES(), b.alignment())
                    .setInt(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES(), c.orElse(d).alignment())
                    .setInt(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES(), d.alignment());
        } catch (RuntimeException e) {
            made.close();
            throw e;
        }
    }

    @Override
    public String toString() {
        return (transposeA ? "transposed " : "") + a + " by " + (transposeB ? "transposed " : "") + b + c.map(added -> " plus " + added).orElse("")
                + " to " + d;
    }
}
