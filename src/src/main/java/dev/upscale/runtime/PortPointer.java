package dev.upscale.runtime;

import dev.upscale.runtime.kernel.Invocation;
import dev.upscale.runtime.kernel.Location;

/** The kernel calls of one worker that touch an input or output: pointed at it only when it has moved. */
final class PortPointer {
    private final long microBatchBytes;
    private final Location[] locations;
    private final Invocation[] calls;
    private long address = -1;

    PortPointer(long microBatchBytes, Location[] locations, Invocation[] calls) {
        this.microBatchBytes = microBatchBytes;
        this.locations = locations;
        this.calls = calls;
    }

    /** Points the calls at a micro-batch of what lies at an address. */
    void point(long batch, int microBatch) {
        long now = batch + microBatch * microBatchBytes;
        if (now != address) {
            address = now;
            for (Location location : locations) {
                location.moveTo(now);
            }
            for (Invocation call : calls) {
                call.repoint();
            }
        }
    }
}
