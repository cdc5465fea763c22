package dev.upscale.runtime.portable;

import dev.upscale.runtime.kernel.Binding;
import dev.upscale.runtime.kernel.Invocation;
import dev.upscale.runtime.kernel.Kernel;
import java.util.List;

/** Several kernels, one after the other: the parts of a concat. */
record Sequence(List<Kernel> parts) implements Kernel {

    @Override
    public String implementation() {
        return PortableEngine.IMPLEMENTATION;
    }

    @Override
    public Invocation bind(Binding binding) {
        Invocation[] calls = parts.stream().map(part -> part.bind(binding)).toArray(Invocation[]::new);
        return () -> {
            for (Invocation call : calls) {
                call.run();
            }
        };
    }
}
