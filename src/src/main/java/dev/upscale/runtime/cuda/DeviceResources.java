package dev.upscale.runtime.cuda;

import static dev.upscale.bindings.cuda.cuda_h.*;

import dev.upscale.graph.InvalidInput;
import dev.upscale.runtime.natives.NativeError;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.IntSupplier;

/**
 * What an executable or a session has made on a device, freed in the opposite order. One thread at a time. If the device has failed,
 * freeing fails as well: the memory is the context's then, and goes with it.
 */
final class DeviceResources implements AutoCloseable {

    /** How one resource is freed. */
    private record Release(String function, String subject, IntSupplier call) {}

    private final Gpu gpu;
    private final Deque<Release> made = new ArrayDeque<>();

    DeviceResources(Gpu gpu) {
        this.gpu = gpu;
    }

    Gpu gpu() {
        return gpu;
    }

    /** Device memory, at a multiple of 256 bytes. */
    long memory(String subject, long bytes) {
        long room = Math.max(bytes, 1);
        long address;
        try {
            address = CudaDriver.longNumber("cuMemAlloc", subject, out -> cuMemAlloc_v2(out, room));
        } catch (NativeError e) {
            if (e.status().startsWith("CUDA_ERROR_OUT_OF_MEMORY")) {
                throw new InvalidInput(subject + " needs " + bytes + " bytes on " + gpu + ", which it does not have; compile for a smaller batch", e);
            }
            throw e;
        }
        made.push(new Release("cuMemFree", subject, () -> cuMemFree_v2(address)));
        return address;
    }

    /** Host memory that the device copies from and to. */
    MemorySegment pinned(String subject, long bytes) {
        long room = Math.max(bytes, 1);
        MemorySegment memory = CudaDriver.handle("cuMemHostAlloc", subject, out -> cuMemHostAlloc(out, room, 0));
        made.push(new Release("cuMemFreeHost", subject, () -> cuMemFreeHost(memory)));
        return memory.reinterpret(room);
    }

    MemorySegment stream(String subject) {
        MemorySegment stream = CudaDriver.handle("cuStreamCreate", subject, out -> cuStreamCreate(out, CU_STREAM_NON_BLOCKING()));
        made.push(new Release("cuStreamDestroy", subject, () -> cuStreamDestroy_v2(stream)));
        return stream;
    }

    MemorySegment event(String subject) {
        MemorySegment event = CudaDriver.handle("cuEventCreate", subject, out -> cuEventCreate(out, CU_EVENT_DEFAULT()));
        made.push(new Release("cuEventDestroy", subject, () -> cuEventDestroy_v2(event)));
        return event;
    }

    /** Something else, with the function that frees it. */
    void add(String function, String subject, IntSupplier release) {
        made.push(new Release(function, subject, release));
    }

    /**
     * Frees all; what fails does not keep the rest from being freed. The first failure is thrown, unless the device has failed before:
     * then every call fails, and that says nothing new.
     */
    @Override
    public void close() {
        gpu.enter();
        NativeError failure = null;
        while (!made.isEmpty()) {
            Release release = made.pop();
            try {
                CudaDriver.check(release.call.getAsInt(), release.function, release.subject);
            } catch (NativeError e) {
                failure = failure == null ? e : failure;
            }
        }
        if (failure != null && !gpu.hasFailed()) {
            throw failure;
        }
    }

    /** Frees all after a failure, which is what the caller is told. */
    void closeAfter(RuntimeException cause) {
        try {
            close();
        } catch (NativeError e) {
            cause.addSuppressed(e);
        }
    }
}
