package dev.upscale.runtime.onednn;

import static dev.upscale.bindings.onednn.dnnl_h.*;

import dev.upscale.bindings.onednn.dnnl_addresses_h;
import dev.upscale.bindings.onednn.dnnl_exec_arg_t;
import dev.upscale.runtime.natives.NativeError;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A primitive with its arguments, bound once and run any number of times without allocation. Its memory objects live as long as the
 * arena that it was made in, which must be closed before the engine; the buffers that it points at must live as long as it runs. One thread at a time; executions of one
 * primitive do not disturb each other.
 */
public final class Execution {
    /** Argument: the source. */
    public static final int SOURCE = DNNL_ARG_SRC_0();
    /** Argument: the second source of a binary primitive. */
    public static final int SECOND_SOURCE = DNNL_ARG_SRC_1();
    /** Arguments of a normalisation: vectors of channels. */
    public static final int MEAN = DNNL_ARG_MEAN(), VARIANCE = DNNL_ARG_VARIANCE(), SCALE = DNNL_ARG_SCALE(), SHIFT = DNNL_ARG_SHIFT();
    /** Argument: packed weights. */
    public static final int WEIGHTS = DNNL_ARG_WEIGHTS_0();
    /** Argument: the bias. */
    public static final int BIAS = DNNL_ARG_BIAS();
    /** Argument: the destination. */
    public static final int DESTINATION = DNNL_ARG_DST_0();

    private static final int SCRATCHPAD = DNNL_ARG_SCRATCHPAD();
    private static final int MOST_ARGUMENTS = 12;

    private final OneDnn oneDnn;
    private final Primitive primitive;
    private final Arena owner;
    private final MemorySegment primitiveHandle;
    private final MemorySegment stream;
    private final MemorySegment arguments;
    private final MemorySegment[] memories = new MemorySegment[MOST_ARGUMENTS];
    private final int[] kinds = new int[MOST_ARGUMENTS];
    private int number;

    Execution(OneDnn oneDnn, Primitive primitive, Arena owner) {
        this.oneDnn = oneDnn;
        this.primitive = primitive;
        this.owner = owner;
        this.primitiveHandle = primitive.handle();
        this.stream = OneDnn.create(owner, "dnnl_stream_create", primitive.subject(),
                out -> dnnl_stream_create(out, oneDnn.engine(), dnnl_stream_default_flags()), pointer -> dnnl_stream_destroy(pointer));
        this.arguments = dnnl_exec_arg_t.allocateArray(MOST_ARGUMENTS, owner);
    }

    /** The argument of the operand of the binary post-op at a place in the list of post-ops. */
    public static int postOp(int place) {
        return DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE() * (place + 1) | DNNL_ARG_SRC_1();
    }

    /** Says where an argument lies; its descriptor is the one that the primitive was made with. */
    public Execution bind(int argument, MemoryDescriptor descriptor, long address) {
        if (number == MOST_ARGUMENTS) {
            throw new IllegalStateException(primitive.subject() + ": more than " + MOST_ARGUMENTS + " arguments");
        }
        MemorySegment memory = OneDnn.create(owner, "dnnl_memory_create", primitive.subject(),
                out -> dnnl_memory_create(out, descriptor.handle(), oneDnn.engine(), MemorySegment.ofAddress(address)),
                pointer -> dnnl_memory_destroy(pointer));
        MemorySegment entry = dnnl_exec_arg_t.asSlice(arguments, number);
        dnnl_exec_arg_t.arg(entry, argument);
        dnnl_exec_arg_t.memory(entry, memory);
        kinds[number] = argument;
        memories[number] = memory;
        number++;
        return this;
    }

    /** Says where the scratchpad lies: {@link Primitive#scratchpadBytes()} bytes, aligned to 64. Without a scratchpad it does nothing. */
    public Execution bindScratchpad(long address) {
        primitive.scratchpad().ifPresent(descriptor -> bind(SCRATCHPAD, descriptor, address));
        return this;
    }

    /** Points a bound argument at other memory; allocates nothing. */
    public void point(int argument, long address) {
        for (int i = 0; i < number; i++) {
            if (kinds[i] == argument) {
                OneDnn.check(dnnl_addresses_h.dnnl_memory_set_data_handle(memories[i], address), "dnnl_memory_set_data_handle",
                        primitive.subject());
                return;
            }
        }
        throw new IllegalArgumentException(primitive.subject() + ": argument " + argument + " is not bound");
    }

    /**
     * Runs the primitive to its end, on as many OpenMP threads as the calling thread has set.
     *
     * @throws NativeError           if oneDNN refuses
     * @throws IllegalStateException if the engine or the arguments' owner is closed
     */
    public void run() {
        int status;
        try {
            status = dnnl_primitive_execute(primitiveHandle, stream, number, arguments);
        } catch (IllegalStateException e) {
            throw new IllegalStateException(primitive.subject() + ": oneDNN's engine or the arguments are closed", e);
        }
        if (status != 0) {
            OneDnn.check(status, "dnnl_primitive_execute", primitive.subject());
        }
    }
}
