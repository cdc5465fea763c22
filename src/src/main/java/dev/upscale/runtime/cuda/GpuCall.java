package dev.upscale.runtime.cuda;

import static dev.upscale.bindings.cuda.cuda_h.*;

import dev.upscale.runtime.cublaslt.BoundProduct;
import dev.upscale.runtime.cudnn.LoadedPlan;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** One step of a plan, bound to a session's memory. */
sealed interface GpuCall {

    /** Queues the work on the session's stream, whether it is being captured or not. */
    void enqueue(MemorySegment stream);

    /** Puts the work into an empty graph, if that goes without capturing a stream. */
    default boolean populate(MemorySegment graph) {
        return false;
    }

    /** A launch of one of our kernels. */
    record Kernel(String step, Launch launch, MemorySegment function, MemorySegment parameters) implements GpuCall {

        /** @param owner holds the arguments */
        static Kernel of(String step, Launch launch, KernelModule module, Arena owner) {
            MemorySegment arguments = owner.allocate(launch.arguments().length, Long.BYTES);
            MemorySegment.copy(launch.arguments(), 0, arguments, ValueLayout.JAVA_BYTE, 0, launch.arguments().length);
            return new Kernel(step, launch, module.function(launch.kernel()), owner.allocateFrom(ValueLayout.ADDRESS, arguments));
        }

        @Override
        public void enqueue(MemorySegment stream) {
            int[] grid = launch.grid();
            int[] block = launch.block();
            CudaDriver.check(cuLaunchKernel(function, grid[0], grid[1], grid[2], block[0], block[1], 1, 0, stream, parameters, MemorySegment.NULL),
                    "cuLaunchKernel", launch.kernel());
        }
    }

    /** An execution of a cuDNN plan. */
    record Library(LoadedPlan plan) implements GpuCall {
        @Override
        public void enqueue(MemorySegment stream) {
            plan.execute();
        }

        @Override
        public boolean populate(MemorySegment graph) {
            return plan.populate(graph);
        }
    }

    /** A product of cuBLASLt, which is captured from the stream. */
    record Multiplication(BoundProduct product) implements GpuCall {
        @Override
        public void enqueue(MemorySegment stream) {
            product.enqueue(stream);
        }
    }
}
