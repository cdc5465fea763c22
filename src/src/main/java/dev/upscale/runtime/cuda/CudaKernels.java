package dev.upscale.runtime.cuda;

import dev.upscale.compile.KernelCatalog;
import dev.upscale.graph.Op;
import dev.upscale.plan.Step;

/**
 * The engine {@code cuda}: our own kernels (native/cuda), by name. Whether one takes a step is known without a device. Stateless.
 *
 * <p>{@code cuda.map} (gathers, copies, elementwise operations), {@code cuda.pool}, {@code cuda.resize}, {@code cuda.pad},
 * {@code cuda.lrn}, {@code cuda.reduce}, {@code cuda.softmax}, {@code cuda.layernorm}, {@code cuda.convolve}, {@code cuda.matmul}.
 */
public final class CudaKernels {
    private CudaKernels() {}

    /** Whether a kernel runs a step. */
    public static KernelCatalog.Answer offer(String kernel, Step step) {
        try {
            Launch launch = launch(kernel, step, DeviceAddresses.IMAGINED);
            return new KernelCatalog.Offer(0, launch.kernel());
        } catch (Unsuited e) {
            return new KernelCatalog.Refusal(e.getMessage());
        }
    }

    static Launch launch(String kernel, Step step, DeviceAddresses memory) {
        if (kernel.equals("cuda.map")) {
            return MapLaunch.of(step, memory);
        }
        return switch (step) {
            case Step.Convolve convolve when kernel.equals("cuda.convolve") -> ProductLaunch.convolve(convolve, memory);
            case Step.Convolve convolve when kernel.equals("cuda.matmul") -> ProductLaunch.linear(convolve, memory);
            case Step.Compute compute -> compute(kernel, compute, memory);
            default -> throw new Unsuited(kernel + " does not do that");
        };
    }

    private static Launch compute(String kernel, Step.Compute step, DeviceAddresses memory) {
        return switch (step.op()) {
            case Op.Pool pool when kernel.equals("cuda.pool") -> ImageLaunch.pool(step, pool, memory);
            case Op.Resize resize when kernel.equals("cuda.resize") -> ImageLaunch.resize(step, resize, memory);
            case Op.Pad pad when kernel.equals("cuda.pad") -> ImageLaunch.pad(step, pad, memory);
            case Op.Lrn lrn when kernel.equals("cuda.lrn") -> ImageLaunch.lrn(step, lrn, memory);
            case Op.Reduce reduce when kernel.equals("cuda.reduce") -> RowLaunch.reduce(step, reduce, memory);
            case Op.Softmax softmax when kernel.equals("cuda.softmax") -> RowLaunch.softmax(step, softmax, memory);
            case Op.LayerNorm norm when kernel.equals("cuda.layernorm") -> RowLaunch.layerNorm(step, norm, memory);
            case Op.MatMul matMul when kernel.equals("cuda.matmul") -> ProductLaunch.matMul(step, memory);
            case Op.Conv conv when kernel.equals("cuda.convolve") -> ProductLaunch.convolve(step, conv.window(), conv.groups(), false, memory);
            case Op.ConvTranspose conv when kernel.equals("cuda.convolve") ->
                ProductLaunch.convolve(step, conv.window(), conv.groups(), true, memory);
            default -> throw new Unsuited(kernel + " does not do that");
        };
    }
}
