package dev.upscale.runtime.cudnn;

import static dev.upscale.bindings.cudnn.cudnn_h.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** cuDNN on the device whose context is current ({@code cudnnHandle_t}). One thread at a time; to be closed after the plans loaded with it. */
public final class Handle implements AutoCloseable {
    private MemorySegment handle;

    private Handle(MemorySegment handle) {
        this.handle = handle;
    }

    /** @throws dev.upscale.runtime.natives.NativeError if cuDNN cannot use the device */
    public static Handle create() {
        CuDnn.require();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment out = call.allocate(ValueLayout.ADDRESS);
            CuDnn.check(cudnnCreate(out), "cudnnCreate", "cuDNN");
            return new Handle(out.get(ValueLayout.ADDRESS, 0));
        }
    }

    /** What is executed from now on runs on that stream. */
    public void onStream(MemorySegment stream) {
        CuDnn.check(cudnnSetStream(pointer(), stream), "cudnnSetStream", "cuDNN");
    }

    MemorySegment pointer() {
        if (handle == null) {
            throw new IllegalStateException("the cuDNN handle is closed");
        }
        return handle;
    }

    @Override
    public void close() {
        if (handle != null) {
            MemorySegment closed = handle;
            handle = null;
            CuDnn.check(cudnnDestroy(closed), "cudnnDestroy", "cuDNN");
        }
    }
}
