package dev.upscale.runtime.cpu;

import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Binding;
import dev.upscale.runtime.kernel.Invocation;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.Location;
import dev.upscale.runtime.xnnpack.XnnpackOperator;
import dev.upscale.runtime.xnnpack.XnnpackPool;

/** An operator of XNNPACK, which holds the addresses it works on: each session makes its own, weights included. */
record XnnpackKernel(View source, View destination, String implementation, Maker maker) implements Kernel {

    /** Makes a session's operator. */
    @FunctionalInterface
    interface Maker {
        XnnpackOperator make(Binding binding, XnnpackPool pool);
    }

    @Override
    public Invocation bind(Binding binding) {
        XnnpackPool pool = binding.shared(XnnpackPool.class, () -> new XnnpackPool(binding.threads()));
        XnnpackOperator operator = maker.make(binding, pool);
        Location from = binding.locate(source);
        Location to = binding.locate(destination);
        if (operator.workspaceBytes() > 0) {
            operator.useWorkspace(binding.workspace(operator.workspaceBytes()).address());
        }
        operator.point(from.address(), to.address());
        return new Invocation() {
            @Override
            public void run() {
                operator.run();
            }

            @Override
            public void repoint() {
                operator.point(from.address(), to.address());
            }
        };
    }
}
