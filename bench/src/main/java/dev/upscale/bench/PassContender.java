package dev.upscale.bench;

import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.onednn.OneDnn;
import dev.upscale.runtime.upscale.CpuKernels;
import dev.upscale.runtime.upscale.CpuPool;
import dev.upscale.runtime.upscale.KernelCall;
import dev.upscale.runtime.upscale.KernelCalls;
import dev.upscale.runtime.upscale.Source;
import dev.upscale.runtime.upscale.Target;
import dev.upscale.runtime.xnnpack.XnnpackPool;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Locale;

/** A kernel that computes a {@link PassProblem}; its output has been compared with plain loops. */
final class PassContender implements Contender {
    /** The largest relative L2 error that is no mistake. */
    private static final double MOST_ERROR = 1e-5;
    private static final int SLICE_START = 5;

    /** Whose kernel. oneDNN scales and shifts in two ways: with a binary product and post-ops, and as a batch normalisation. */
    enum Engine { UPSCALE, ONEDNN, ONEDNN_NORMALISATION, XNNPACK }

    /** What of the source is read: all channels of a tensor; half of the channels of a wider one; the same, gathered by our kernel before. */
    enum Reading { DENSE, SLICE, INDEX, GATHERED }

    /** A contender by name, for example {@code onednn-gathered}. */
    record Kind(Engine engine, Reading reading) {
        @Override
        public String toString() {
            return (engine + "-" + reading).toLowerCase(Locale.ROOT).replace('_', '-');
        }

        static Kind of(String name) {
            return Arrays.stream(Engine.values()).flatMap(engine -> Arrays.stream(Reading.values()).map(reading -> new Kind(engine, reading)))
                    .filter(kind -> kind.toString().equals(name)).findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("no kernel: '" + name + "'; for example upscale-index, onednn-gathered"));
        }
    }

    private final Kind kind;
    private final PassProblem problem;
    private final int stride;
    private final int[] positions;
    private final Arena arena = Arena.ofShared();
    private AutoCloseable gatherer;
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
    PassContender(Kind kind, PassProblem problem, int threads) {
        this.kind = kind;
        this.problem = problem;
        int channels = problem.shape().channels();
        stride = kind.reading() == Reading.DENSE ? channels : 2 * channels + 16;
        positions = switch (kind.reading()) {
            case DENSE -> ConvolutionProblem.slice(0, channels);
            case SLICE -> ConvolutionProblem.slice(SLICE_START, channels);
            case INDEX, GATHERED -> ConvolutionProblem.subset(channels, 2 * channels);
        };
        try {
            run = kind.reading() == Reading.GATHERED ? gathered(threads) : prepare(source(), stride, threads);
            check();
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private MemorySegment source() {
        MemorySegment source = problem.source(stride);
        return kind.reading() == Reading.SLICE ? source.asSlice((long) SLICE_START * Float.BYTES) : source;
    }

    private Runnable gathered(int threads) {
        PassShape shape = problem.shape();
        CpuPool pool = new CpuPool(threads);
        gatherer = pool;
        KernelCall gather = KernelCalls.gather(arena, kind.toString(), shape.batch() * shape.pixels(), shape.channels(),
                new Source(source(), stride, indices()), new Target(problem.gathered(), shape.channels()));
        Runnable pass = prepare(problem.gathered(), shape.channels(), threads);
        return () -> {
            gather.run(pool);
            pass.run();
        };
    }

    private MemorySegment indices() {
        return arena.allocateFrom(ValueLayout.JAVA_INT, positions);
    }

    private Runnable prepare(MemorySegment source, int pixelStride, int threads) {
        return switch (kind.engine()) {
            case UPSCALE -> {
                CpuPool pool = new CpuPool(threads);
                engine = pool;
                implementation = CpuKernels.load().instructionSet();
                MemorySegment index = kind.reading() == Reading.INDEX ? indices() : MemorySegment.NULL;
                KernelCall call = UpscalePass.call(arena, problem, new Source(source, pixelStride, index));
                yield () -> call.run(pool);
            }
            case ONEDNN, ONEDNN_NORMALISATION -> {
                OneDnn.useThreads(threads);
                OneDnn oneDnn = new OneDnn();
                engine = oneDnn;
                OneDnnPass pass = new OneDnnPass(oneDnn, arena, problem, source, pixelStride);
                implementation = (kind.engine() == Engine.ONEDNN ? pass.make() : pass.normalise()).implementation();
                yield pass::run;
            }
            case XNNPACK -> {
                XnnpackPool pool = new XnnpackPool(threads);
                engine = pool;
                implementation = "XNNPACK";
                yield XnnpackPass.prepare(arena, problem, source, pixelStride, pool);
            }
        };
    }

    private void check() {
        problem.spoil();
        run();
        relL2 = problem.relativeError(stride, positions);
        if (!(relL2 <= MOST_ERROR)) {
            throw new IllegalStateException(kind + " (" + implementation + ") computes " + problem.shape().name() + " wrongly: relative L2 error " + relL2
                    + ", more than " + MOST_ERROR);
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

    /** Frees the kernel before what it runs on. */
    @Override
    public void close() {
        arena.close();
        try {
            for (AutoCloseable pool : new AutoCloseable[] {engine, gatherer}) {
                if (pool != null) {
                    pool.close();
                }
            }
        } catch (Exception e) {
            throw new IllegalStateException(kind + " cannot be closed", e);
        }
    }
}
