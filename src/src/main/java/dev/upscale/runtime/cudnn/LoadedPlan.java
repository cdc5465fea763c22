package dev.upscale.runtime.cudnn;

import static dev.upscale.bindings.cudnn.cudnn_h.*;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;

/**
 * An execution plan, loaded from its JSON for the device of a handle, and bound to memory. One thread at a time; to be closed before the
 * handle.
 */
public final class LoadedPlan implements AutoCloseable {
    private final Handle handle;
    private final String subject;
    private final Descriptor plan;
    private final Descriptor pack;

    private LoadedPlan(Handle handle, String subject, Descriptor plan, Descriptor pack) {
        this.handle = handle;
        this.subject = subject;
        this.plan = plan;
        this.pack = pack;
    }

    /**
     * @param subject what it computes, for errors
     * @param json what {@link Candidate#json} gave, on whatever machine
     * @param addresses of the tensors' first elements on the device, by the ids that the plan was built with
     * @param workspace an address on the device, or 0 if the plan needs none
     * @param workspaceBytes what lies there
     * @throws dev.upscale.runtime.natives.NativeError if cuDNN does not take the plan on this device
     * @throws IllegalArgumentException if the workspace is too small
     */
    public static LoadedPlan load(Handle handle, String subject, String json, Map<Long, Long> addresses, long workspace, long workspaceBytes) {
        Descriptor plan = Descriptor.make(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR(), subject, made -> made
                .setHandle(CUDNN_ATTR_EXECUTION_PLAN_HANDLE(), handle.pointer())
                .setText(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION(), json));
        try {
            long needed = plan.getLong(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE());
            if (needed > workspaceBytes) {
                throw new IllegalArgumentException(subject + " needs a workspace of " + needed + " bytes, and has " + workspaceBytes);
            }
            List<Map.Entry<Long, Long>> tensors = List.copyOf(addresses.entrySet());
            Descriptor pack = Descriptor.make(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR(), subject, made -> made
                    .setLongs(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS(), tensors.stream().map(Map.Entry::getKey).toList())
                    .setPointers(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS(), tensors.stream().mapToLong(Map.Entry::getValue).toArray())
                    .setPointers(CUDNN_ATTR_VARIANT_PACK_WORKSPACE(), workspace));
            return new LoadedPlan(handle, subject, plan, pack);
        } catch (RuntimeException e) {
            plan.close();
            throw e;
        }
    }

    /** Queues the work on the handle's stream. */
    public void execute() {
        CuDnn.check(cudnnBackendExecute(handle.pointer(), plan.handle(), pack.handle()), "cudnnBackendExecute", subject);
    }

    /** Puts the work into an empty CUDA graph ({@code cudaGraph_t}), or tells that this engine has to be captured. */
    public boolean populate(MemorySegment graph) {
        int status = cudnnBackendPopulateCudaGraph(handle.pointer(), plan.handle(), pack.handle(), graph);
        if (status / 1000 == CUDNN_STATUS_NOT_SUPPORTED() / 1000) {
            return false;
        }
        CuDnn.check(status, "cudnnBackendPopulateCudaGraph", subject);
        return true;
    }

    @Override
    public void close() {
        pack.close();
        plan.close();
    }
}
