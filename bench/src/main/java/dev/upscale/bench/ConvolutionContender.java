package dev.upscale.bench;

import dev.upscale.graph.Function;
import dev.upscale.runtime.natives.ConvolutionShape;
import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.onednn.Execution;
import dev.upscale.runtime.onednn.MemoryDescriptor;
import dev.upscale.runtime.onednn.OneDnn;
import dev.upscale.runtime.onednn.Primitive;
import dev.upscale.runtime.upscale.Bf16Convolution;
import dev.upscale.runtime.upscale.CpuKernels;
import dev.upscale.runtime.upscale.CpuPool;
import dev.upscale.runtime.upscale.KernelCall;
import dev.upscale.runtime.upscale.PackedConvolution;
import dev.upscale.runtime.upscale.Source;
import dev.upscale.runtime.upscale.Target;
import dev.upscale.runtime.upscale.WinogradConvolution;
import dev.upscale.runtime.xnnpack.XnnpackOperator;
import dev.upscale.runtime.xnnpack.XnnpackPool;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** A kernel that computes a {@link ConvolutionProblem}; its output has been compared with plain loops. */
final class ConvolutionContender implements Contender {
    /** The outputs of Winograd's tiles. */
    private static final int WINOGRAD_TILE = 4;
    private static final int SLICE_START = 5;

    /** Which kernel reads what. Dense: all channels of a tensor; slice and index: half of the channels of a wider one. */
    enum Kind {
        UPSCALE_DENSE, UPSCALE_PADDED, UPSCALE_SLICE, UPSCALE_INDEX, UPSCALE_WINOGRAD, UPSCALE_BF16, ONEDNN_DENSE, ONEDNN_MATMUL, XNNPACK_DENSE, XNNPACK_SLICE,
        /** Computes nothing: reads what the convolution by index must read. */
        READING_INDEX;

        /** For example {@code upscale-dense}. */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        static Kind of(String name) {
            return Arrays.stream(values()).filter(kind -> kind.toString().equals(name)).findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("no kernel: '" + name + "'; there are " + Arrays.toString(values())));
        }

        /** The largest relative L2 error that is no mistake: of direct sums, of Winograd's transforms, of factors rounded to 8 bits. */
        double mostError() {
            return switch (this) {
                case UPSCALE_WINOGRAD -> 1e-4;
                case UPSCALE_BF16 -> 1e-2;
                default -> 1e-5;
            };
        }

        private boolean isIndexed() {
            return this == UPSCALE_INDEX || this == READING_INDEX;
        }

        private int pixelStride(int channels) {
            return switch (this) {
                case UPSCALE_DENSE, UPSCALE_WINOGRAD, UPSCALE_BF16, ONEDNN_DENSE, ONEDNN_MATMUL, XNNPACK_DENSE -> channels;
                case UPSCALE_PADDED -> channels + 16;
                case UPSCALE_SLICE, UPSCALE_INDEX, READING_INDEX, XNNPACK_SLICE -> 2 * channels + 16;
            };
        }

        private int[] positions(int channels) {
            return switch (this) {
                case UPSCALE_DENSE, UPSCALE_PADDED, UPSCALE_WINOGRAD, UPSCALE_BF16, ONEDNN_DENSE, ONEDNN_MATMUL, XNNPACK_DENSE -> ConvolutionProblem.slice(0, channels);
                case UPSCALE_SLICE, XNNPACK_SLICE -> ConvolutionProblem.slice(SLICE_START, channels);
                case UPSCALE_INDEX, READING_INDEX -> ConvolutionProblem.subset(channels, 2 * channels);
            };
        }
    }

    private final Kind kind;
    private final ConvolutionProblem problem;
    private final ConvolutionShape shape;
    private final int stride;
    private final int[] positions;
    private final MemorySegment source;
    private final Arena arena = Arena.ofShared();
    private AutoCloseable engine;
    private Runnable run;
    private String implementation;
    private double relL2;

    /**
     * Prepares a kernel and checks its output.
     *
     * @throws NativeError           if the library has no kernel for it but an unoptimised one
     * @throws IllegalStateException if its output is wrong
     */
    ConvolutionContender(Kind kind, ConvolutionProblem problem, int threads) {
        this.kind = kind;
        this.problem = problem;
        shape = problem.shape();
        stride = kind.pixelStride(shape.inChannels());
        positions = kind.positions(shape.inChannels());
        source = problem.source(stride).asSlice(kind.isIndexed() ? 0 : (long) positions[0] * Float.BYTES);
        try {
            switch (kind) {
                case UPSCALE_DENSE, UPSCALE_PADDED, UPSCALE_SLICE -> upscale(threads, MemorySegment.NULL);
                case UPSCALE_INDEX -> upscale(threads, arena.allocateFrom(ValueLayout.JAVA_INT, positions));
                case UPSCALE_WINOGRAD -> winograd(threads);
                case UPSCALE_BF16 -> bf16(threads);
                case ONEDNN_DENSE -> onednnConvolution(threads);
                case ONEDNN_MATMUL -> onednnMatmul(threads);
                case XNNPACK_DENSE, XNNPACK_SLICE -> xnnpack(threads);
                case READING_INDEX -> reading(threads);
            }
            if (kind != Kind.READING_INDEX) {
                check();
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    @Override
    public String name() {
        return kind.toString();
    }

    @Override
    public String implementation() {
        return implementation;
    }

    @Override
    public double relL2() {
        return relL2;
    }

    @Override
    public void run() {
        run.run();
    }

    private void upscale(int threads, MemorySegment index) {
        CpuPool pool = pool(threads);
        PackedConvolution packed = PackedConvolution.pack(arena, kind.toString(), shape, Function.NONE, problem.weights(), problem.bias());
        KernelCall call = packed.call(arena, new Source(source, stride, index), null, new Target(problem.target(), shape.outChannels()));
        run = () -> call.run(pool);
    }

    private void winograd(int threads) {
        CpuPool pool = pool(threads);
        WinogradConvolution packed = WinogradConvolution.pack(arena, kind.toString(), shape, WINOGRAD_TILE, Function.NONE, problem.weights(), problem.bias());
        long bytes = WinogradConvolution.workspaceBytes(kind.toString(), shape, WINOGRAD_TILE, threads);
        KernelCall call = packed.call(arena, denseSource(), null, workspace(bytes), bytes, new Target(problem.target(), shape.outChannels()));
        run = () -> call.run(pool);
    }

    private void bf16(int threads) {
        CpuPool pool = pool(threads);
        Bf16Convolution packed = Bf16Convolution.pack(arena, kind.toString(), shape, Function.NONE, problem.weights(), problem.bias());
        long bytes = Bf16Convolution.workspaceBytes(kind.toString(), shape, threads);
        KernelCall call = packed.call(arena, denseSource(), null, workspace(bytes), bytes, new Target(problem.target(), shape.outChannels()));
        run = () -> call.run(pool);
    }

    private CpuPool pool(int threads) {
        CpuPool pool = new CpuPool(threads);
        engine = pool;
        implementation = CpuKernels.load().instructionSet();
        return pool;
    }

    private Source denseSource() {
        return new Source(source, stride, MemorySegment.NULL);
    }

    private MemorySegment workspace(long bytes) {
        return arena.allocate(Math.max(1, bytes), ConvolutionProblem.ALIGNMENT);
    }

    private void onednnConvolution(int threads) {
        OneDnn oneDnn = oneDnn(threads);
        MemoryDescriptor from = MemoryDescriptor.channelsLast(oneDnn, shape.batch(), shape.inChannels(), shape.inHeight(), shape.inWidth(), stride);
        MemoryDescriptor to = MemoryDescriptor.channelsLast(oneDnn, shape.batch(), shape.outChannels(), shape.outHeight(), shape.outWidth(),
                shape.outChannels());
        Primitive primitive = Primitive.convolution(oneDnn, kind.toString(), shape, from, to, true, List.of()).requireOptimised();
        execute(primitive, from, to, MemoryDescriptor.dense(oneDnn, Primitive.weightDims(shape)), MemoryDescriptor.dense(oneDnn, shape.outChannels()));
    }

    private void onednnMatmul(int threads) {
        OneDnn oneDnn = oneDnn(threads);
        long rows = (long) shape.batch() * shape.inHeight() * shape.inWidth();
        long inner = shape.inChannels();
        long outer = shape.outChannels();
        MemoryDescriptor from = MemoryDescriptor.matrix(oneDnn, rows, inner, stride);
        MemoryDescriptor to = MemoryDescriptor.matrix(oneDnn, rows, outer, outer);
        Primitive primitive = Primitive.matmul(oneDnn, kind.toString(), from, inner, outer, to, true, List.of()).requireOptimised();
        execute(primitive, from, to, MemoryDescriptor.strided(oneDnn, new long[] {inner, outer}, new long[] {1, inner}),
                MemoryDescriptor.dense(oneDnn, 1, outer));
    }

    private OneDnn oneDnn(int threads) {
        OneDnn.useThreads(threads);
        OneDnn oneDnn = new OneDnn();
        engine = oneDnn;
        return oneDnn;
    }

    private void execute(Primitive primitive, MemoryDescriptor from, MemoryDescriptor to, MemoryDescriptor weights, MemoryDescriptor bias) {
        implementation = primitive.implementation();
        MemorySegment packed = primitive.packWeights(arena, weights, problem.weights());
        Execution execution = primitive.execution(arena)
                .bind(Execution.SOURCE, from, source.address())
                .bind(Execution.WEIGHTS, primitive.weights(), packed.address())
                .bind(Execution.BIAS, bias, problem.bias().address())
                .bind(Execution.DESTINATION, to, problem.target().address())
                .bindScratchpad(workspace(primitive.scratchpadBytes()).address());
        run = execution::run;
    }

    private void xnnpack(int threads) {
        XnnpackPool pool = new XnnpackPool(threads);
        engine = pool;
        implementation = "XNNPACK";
        XnnpackOperator operator = XnnpackOperator.convolution(arena, kind.toString(), shape, problem.weights(), problem.bias(), stride,
                shape.outChannels(), Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, pool);
        operator.useWorkspace(workspace(operator.workspaceBytes()).address())
                .point(source.address(), problem.target().address());
        run = operator::run;
    }

    private void reading(int threads) {
        if (threads > 1) {
            throw new IllegalArgumentException(kind + " is for one thread");
        }
        LineReader reader = LineReader.of(source, shape, stride, positions);
        reader.check();
        implementation = "java";
        run = reader;
    }

    private void check() {
        problem.spoilTarget();
        run();
        relL2 = problem.relativeError(stride, positions);
        if (!(relL2 <= kind.mostError())) {
            throw new IllegalStateException(kind + " (" + implementation + ") computes " + shape + " wrongly: relative L2 error " + relL2 + ", more than "
                    + kind.mostError());
        }
    }

    /** Frees the kernel before what it runs on. */
    @Override
    public void close() {
        arena.close();
        try {
            if (engine != null) {
                engine.close();
            }
        } catch (Exception e) {
            throw new IllegalStateException(kind + " cannot be closed", e);
        }
    }
}
