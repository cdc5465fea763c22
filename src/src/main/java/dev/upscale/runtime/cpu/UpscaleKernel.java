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
 * A kernel of ours: one call, or one for each part where the library cannot go from part to part by itself, such as from image to
 * image of planes.
 *
 * @param sources        in the order in which the calls number them
 * @param implementation the instruction set
 */
record UpscaleKernel(List<View> sources, View destination, List<Part> parts, String implementation) implements Kernel {

    /** Makes a call. */
    @FunctionalInterface
    interface Caller {
        KernelCall call(Arena owner, MemorySegment[] sources, MemorySegment target);
    }

    /** One call, and how far from the start of sources and destination it works, in bytes. */
    record Part(Caller caller, long[] sourceOffsets, long targetOffset) {}

    /** Makes the kernel when the constants are there. */
    @FunctionalInterface
    interface Maker {
        UpscaleKernel make(Constants constants);
    }

    /** A kernel of one call. */
    static UpscaleKernel single(List<View> sources, View destination, String implementation, Caller caller) {
        return new UpscaleKernel(sources, destination, List.of(new Part(caller, new long[sources.size()], 0)), implementation);
    }

    @Override
    public Invocation bind(Binding binding) {
        CpuPool pool = binding.shared(CpuPool.class, () -> new CpuPool(binding.threads()));
        Location[] from = sources.stream().map(binding::locate).toArray(Location[]::new);
        Location to = binding.locate(destination);
        KernelCall[] calls = parts.stream().map(part -> part.caller().call(binding.owner(),
                IntStream.range(0, from.length).mapToObj(source -> segment(from[source], part.sourceOffsets()[source]))
                        .toArray(MemorySegment[]::new),
                segment(to, part.targetOffset()))).toArray(KernelCall[]::new);
        return new Call(calls, from, to, pool);
    }

    private static MemorySegment segment(Location location, long offset) {
        return MemorySegment.ofAddress(location.address() + offset);
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
        public List<MemorySegment> weights() {
            MemorySegment weights = calls[0].weights();
            return weights.byteSize() == 0 ? List.of() : List.of(weights);
        }

        @Override
        public boolean fetches() {
            return calls[0].fetches();
        }

        @Override
        public void fetch(List<MemorySegment> ranges) {
            calls[0].fetch(ranges);
        }

        @Override
        public void repoint() {
            for (int i = 0; i < calls.length; i++) {
                Part part = parts.get(i);
                for (int source = 0; source < from.length; source++) {
                    calls[i].pointSource(source, from[source].address() + part.sourceOffsets()[source]);
                }
                calls[i].pointTarget(to.address() + part.targetOffset());
            }
        }
    }
}
