package dev.upscale.compile;

import dev.upscale.graph.Op;
import dev.upscale.plan.Step;
import java.util.Locale;

/** The names of the kernels that run steps on a GPU: cuDNN's for convolutions, cuBLASLt's for
 * matrix products, those of {@code native/cuda} for all else. */
final class GpuKernels {
    /** A convolution with its epilogue, by the engines that cuDNN has for that pattern. */
    static final String CONV = "cudnn.conv";

    /** The same by an engine that cuDNN compiles for the operation graph: reads and writes slices where they lie. */
    static final String FUSED = "cudnn.fused";

    /** A matrix product by cuBLASLt: a convolution of one pixel, a linear layer, or a product of two activations. */
    static final String MATMUL = "cublaslt.matmul";

    private GpuKernels() {}

    /** Our own kernel for a step, which reads channels by index. */
    static String ours(Step step) {
        return switch (step) {
            case Step.Convolve convolve -> "cuda.convolve";
            case Step.Copy copy -> "cuda.map";
            case Step.Compute compute -> "cuda." + switch (compute.op()) {
                case Op.Apply op -> "map";
                case Op.ScaleShift op -> "map";
                case Op.Binary op -> "map";
                case Op.PRelu op -> "map";
                case Op.ConvTranspose op -> "convolve";
                default -> compute.op().getClass().getSimpleName().toLowerCase(Locale.ROOT);
            };
        };
    }
}
