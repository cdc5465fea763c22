package dev.upscale.runtime.cpu;

import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Binding;
import dev.upscale.runtime.kernel.Constants;
import dev.upscale.runtime.kernel.Invocation;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.Location;
import dev.upscale.runtime.upscale.CpuPool;
import dev.upscale.runtime.upscale.KernelCall;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A kernel of ours: one call per part, where a part is an image if the library cannot go from image to image by itself.
 *
 * @param sources      in the order in which the calls number them
 * @param sourceSteps  for each source, bytes from part to part
 * @param targetStep   bytes from part to part of the destination
 * @param implementation the instruction set
 */
record UpscaleKernel(List<View> sources, View destination, int parts, long[] sourceSteps, long targetStep, String implementation,
        Caller caller) implements Kernel {

    /** Makes the call of one part. */
    @FunctionalInterface
    interface Caller {
        KernelCall call(Arena owner, MemorySegment[] sources, MemorySegment target);
    }

    /** Makes the kernel when the constants are there. */
    @FunctionalInterface
    interface Maker {
        UpscaleKernel make(Constants constants);
    }

    /** A kernel of one call. */
    static UpscaleKernel single(List<View> sources, View destination, String implementation, Caller caller) {
        return new UpscaleKernel(sources, destination, 1, new long[sources.size()], 0, implementation, caller);
    }

    @Override
    public Invocation bind(Binding binding) {
        CpuPool pool = binding.shared(CpuPool.class, () -> new CpuPool(binding.threads()));
        Location[] from = sources.stream().map(binding::locate).toArray(Location[]::new);
        Location to = binding.locate(destination);
        KernelCall[] calls = IntStream.range(0, parts).mapToObj(part -> caller.call(binding.owner(),
                IntStream.range(0, from.length).mapToObj(source -> segment(from[source], part * sourceSteps[source]))
                        .toArray(MemorySegment[]::new),
                segment(to, part * targetStep))).toArray(KernelCall[]::new);
        return new Call(calls, from, to, pool);
    }

    private static MemorySegment segment(Location location, long step) {
        return MemorySegment.ofAddress(location.address() + step);
    }

    private final class Call implements Invocation {
        private final KernelCall[] calls;
        private final Location[] from;
        private final Location to;
        private final CpuPool pool;

        Call(KernelCall[] calls, Location[] from, Location to, CpuPool pool) {
            this.calls = calls;
            this.from = from;
            this.to = to;
            this.pool = pool;
        }

        @Override
        public void run() {
            for (KernelCall call : calls) {
                call.run(pool);
            }
        }

        @Override
        public void repoint() {
            for (int part = 0; part < calls.length; part++) {
                for (int source = 0; source < from.length; source++) {
                    calls[part].pointSource(source, from[source].address() + part * sourceSteps[source]);
                }
                calls[part].pointTarget(to.address() + part * targetStep);
            }
        }
    }
}
