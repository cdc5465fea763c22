package dev.upscale.runtime.cpu;

import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Binding;
import dev.upscale.runtime.kernel.Invocation;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.Location;
import dev.upscale.runtime.onednn.Execution;
import dev.upscale.runtime.onednn.MemoryDescriptor;
import dev.upscale.runtime.onednn.OneDnn;
import dev.upscale.runtime.onednn.Primitive;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A primitive of oneDNN. A primitive runs on as many threads as it was made for, so there is one, with its packed weights, for each
 * number of threads that sessions have.
 */
final class OneDnnKernel implements Kernel {
    private static final long ALIGNMENT = 64;

    /** An argument in a session's or the caller's memory. */
    record Argument(int kind, MemoryDescriptor descriptor, View view) {}

    /** An argument that is the same for all sessions. */
    record Weight(int kind, MemoryDescriptor descriptor, MemorySegment values) {}

    /** A primitive and what it is run with. */
    record Prepared(Primitive primitive, List<Argument> arguments, List<Weight> weights) {}

    /** Makes a primitive, for as many threads as the calling thread has set. */
    @FunctionalInterface
    interface Maker {
        Prepared make();
    }

    private final OneDnn oneDnn;
    private final String implementation;
    private final Optional<View> workspace;
    private final Maker maker;
    private final Map<Integer, Prepared> prepared = new HashMap<>();

    OneDnnKernel(OneDnn oneDnn, String implementation, Optional<View> workspace, Maker maker) {
        this.oneDnn = oneDnn;
        this.implementation = implementation;
        this.workspace = workspace;
        this.maker = maker;
    }

    @Override
    public String implementation() {
        return implementation;
    }

    private synchronized Prepared forThreads(int threads) {
        return prepared.computeIfAbsent(threads, absent -> OpenMp.with(threads, maker::make));
    }

    @Override
    public Invocation bind(Binding binding) {
        binding.shared(OpenMp.class, () -> OpenMp.enteredBy(binding, oneDnn));
        Prepared chosen = forThreads(binding.threads());
        Execution execution = chosen.primitive().execution(binding.owner());
        chosen.weights().forEach(weight -> execution.bind(weight.kind(), weight.descriptor(), weight.values().address()));
        int[] kinds = chosen.arguments().stream().mapToInt(Argument::kind).toArray();
        Location[] locations = chosen.arguments().stream().map(argument -> binding.locate(argument.view())).toArray(Location[]::new);
        for (int i = 0; i < kinds.length; i++) {
            execution.bind(kinds[i], chosen.arguments().get(i).descriptor(), locations[i].address());
        }
        long scratchpad = chosen.primitive().scratchpadBytes();
        if (scratchpad > 0) {
            execution.bindScratchpad(scratchpad(binding, scratchpad));
        }
        return new Call(execution, kinds, locations, chosen.weights().stream().map(Weight::values).toList());
    }

    /** The step's workspace if it is large enough: other threads or another machine may need more than was planned. */
    private long scratchpad(Binding binding, long bytes) {
        return workspace.filter(view -> view.bytes() >= bytes && view.offset() % ALIGNMENT == 0)
                .map(view -> binding.locate(view).address()).orElseGet(() -> binding.workspace(bytes).address());
    }

    private record Call(Execution execution, int[] kinds, Location[] locations, List<MemorySegment> weights) implements Invocation {
        @Override
        public void run() {
            execution.run();
        }

        @Override
        public void repoint() {
            for (int i = 0; i < kinds.length; i++) {
                execution.point(kinds[i], locations[i].address());
            }
        }
    }
}
