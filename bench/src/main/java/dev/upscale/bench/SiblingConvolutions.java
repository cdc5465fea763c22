package dev.upscale.bench;

import dev.upscale.graph.Function;
import dev.upscale.graph.Window;
import dev.upscale.runtime.natives.ConvolutionShape;
import dev.upscale.runtime.upscale.CpuPool;
import dev.upscale.runtime.upscale.KernelCall;
import dev.upscale.runtime.upscale.PackedConvolution;
import dev.upscale.runtime.upscale.Source;
import dev.upscale.runtime.upscale.Target;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Convolutions of one tensor on our kernels, all on one pool, ready to run in any grouping. What each grouping writes is compared with
 * plain sums in double precision before it runs for anybody. One thread at a time.
 */
final class SiblingConvolutions implements AutoCloseable {
    private static final long ALIGNMENT = 64;
    private static final int CHECKED_OUTPUTS = 2000;
    private static final double MOST_ERROR = 1e-5;

    private final Siblings siblings;
    private final CpuPool pool;
    private final Arena arena = Arena.ofShared();
    private final Random random = new Random(1);
    private final long pixels;
    private final MemorySegment source;

    SiblingConvolutions(Siblings siblings, CpuPool pool) {
        this.siblings = siblings;
        this.pool = pool;
        pixels = (long) siblings.batch() * siblings.height() * siblings.width();
        source = random(pixels * siblings.channels());
    }

    /**
     * Convolutions to run one after the other.
     *
     * @throws IllegalStateException if one of them computes something else
     */
    Runnable grouping(List<Siblings.Part> parts) {
        List<KernelCall> calls = parts.stream().map(this::call).toList();
        return () -> calls.forEach(call -> call.run(pool));
    }

    private KernelCall call(Siblings.Part part) {
        int inputs = part.reads().length;
        Function function = siblings.function();
        ConvolutionShape shape = new ConvolutionShape(siblings.batch(), siblings.height(), siblings.width(), inputs, part.outputs(),
                Window.square(1, 1, 0), 1);
        MemorySegment weights = random((long) inputs * part.outputs());
        MemorySegment bias = random(part.outputs());
        MemorySegment target = random(pixels * part.outputs());
        PackedConvolution packed = PackedConvolution.pack(arena, part.node(), shape, function, weights, bias);
        KernelCall call = packed.call(arena, source(part.reads()), null, new Target(target, part.outputs()));
        target.fill((byte) 0xFF);
        call.run(pool);
        check(part, weights, bias, target);
        return call;
    }

    /** Channels side by side are a slice. */
    private Source source(int[] reads) {
        boolean slice = reads[reads.length - 1] - reads[0] == reads.length - 1;
        return slice
                ? Source.of(source.asSlice((long) reads[0] * Float.BYTES), siblings.channels())
                : new Source(source, siblings.channels(), arena.allocateFrom(ValueLayout.JAVA_INT, reads));
    }

    private void check(Siblings.Part part, MemorySegment weights, MemorySegment bias, MemorySegment target) {
        double difference = 0;
        double size = 0;
        for (int k = 0; k < CHECKED_OUTPUTS; k++) {
            long pixel = random.nextLong(pixels);
            int output = random.nextInt(part.outputs());
            double sum = bias.getAtIndex(ValueLayout.JAVA_FLOAT, output);
            for (int input = 0; input < part.reads().length; input++) {
                sum += (double) source.getAtIndex(ValueLayout.JAVA_FLOAT, pixel * siblings.channels() + part.reads()[input])
                        * weights.getAtIndex(ValueLayout.JAVA_FLOAT, (long) output * part.reads().length + input);
            }
            double expected = siblings.function().apply(sum);
            double error = expected - target.getAtIndex(ValueLayout.JAVA_FLOAT, pixel * part.outputs() + output);
            difference += error * error;
            size += expected * expected;
        }
        double relL2 = Math.sqrt(difference / size);
        if (!(relL2 <= MOST_ERROR)) {
            throw new IllegalStateException(part.node() + ", of " + part.reads().length + " channels of " + siblings.tensor()
                    + ", is computed wrongly: relative L2 error " + relL2 + ", more than " + MOST_ERROR);
        }
    }

    private MemorySegment random(long floats) {
        MemorySegment memory = arena.allocate(floats * Float.BYTES, ALIGNMENT);
        for (long k = 0; k < floats; k++) {
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, k, random.nextFloat() - 0.5f);
        }
        return memory;
    }

    /** The pool stays the caller's. */
    @Override
    public void close() {
        arena.close();
    }
}
