package dev.upscale.runtime.cublaslt;

import static dev.upscale.bindings.cublaslt.cublaslt_h.*;

import dev.upscale.bindings.cublaslt.cublasLtMatmulHeuristicResult_t;
import dev.upscale.runtime.natives.NativeError;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * A product on a device's memory, by the algorithm that cuBLASLt's heuristics rank first there: asked once, when it is bound. One thread at
 * a time; to be closed before the handle.
 */
public final class BoundProduct implements AutoCloseable {
    private static final int MOST_ALGORITHMS = 8;

    private final Handle handle;
    private final String subject;
    private final Product product;
    private final List<Memory> runs;
    private final Arena owner = Arena.ofShared();
    private final List<Descriptor> descriptors = new ArrayList<>();
    private Descriptor operation;
    private MemorySegment one;
    private MemorySegment zero;
    private MemorySegment algorithm;
    private long workspaceBytes;

    /**
     * Where matrices lie on the device.
     *
     * @param c what is added; 0 if nothing is
     * @param bias 0 if there is none
     * @param workspace at a multiple of 256 bytes; 0 if the product may have none
     */
    public record Memory(long a, long b, long c, long d, long bias, long workspace) {}

    private BoundProduct(Handle handle, String subject, Product product, List<Memory> runs) {
        this.handle = handle;
        this.subject = subject;
        this.product = product;
        this.runs = List.copyOf(runs);
    }

    /**
     * Asks for an algorithm.
     *
     * @param subject what it computes, for errors
     * @param runs the memories of products that differ in nothing else and run one after the other; a bias is common to all
     * @throws NativeError if cuBLASLt has no algorithm for it on this device
     * @throws IllegalArgumentException if an address is not aligned as the product promises
     */
    public static BoundProduct of(Handle handle, String subject, Product product, List<Memory> runs) {
        runs.forEach(memory -> requireAligned(subject, product, memory));
        BoundProduct bound = new BoundProduct(handle, subject, product, runs);
        try {
            bound.describe();
            bound.choose();
            return bound;
        } catch (RuntimeException e) {
            bound.close();
            throw e;
        }
    }

    private static void requireAligned(String subject, Product product, Memory memory) {
        boolean aligned = memory.a % product.a().alignment() == 0 && memory.b % product.b().alignment() == 0
                && memory.d % product.d().alignment() == 0 && memory.c % product.c().orElse(product.d()).alignment() == 0
                && (!product.hasBias() || memory.bias % product.biasAlignment() == 0) && memory.workspace % 256 == 0;
        Matrix.require(aligned && memory.a != 0 && memory.b != 0 && memory.d != 0 && product.hasBias() == (memory.bias != 0)
                && product.c().isPresent() == (memory.c != 0) && (product.workspaceBytes() == 0 || memory.workspace != 0),
                subject + ": " + memory + " is not where the product " + product + " needs it");
    }

    /** Of the operation, a, b, c and d. */
    private void describe() {
        operation = product.makeOperation(subject, runs.getFirst().bias);
        descriptors.add(operation);
        for (Matrix matrix : List.of(product.a(), product.b(), product.c().orElse(product.d()), product.d())) {
            descriptors.add(matrix.make(subject));
        }
        one = owner.allocateFrom(ValueLayout.JAVA_FLOAT, 1);
        zero = owner.allocateFrom(ValueLayout.JAVA_FLOAT, 0);
    }

    private void choose() {
        MemorySegment results = cublasLtMatmulHeuristicResult_t.allocateArray(MOST_ALGORITHMS, owner);
        MemorySegment count = owner.allocate(ValueLayout.JAVA_INT);
        try (Descriptor preference = product.makePreference(subject)) {
            CuBlasLt.check(cublasLtMatmulAlgoGetHeuristic(handle.pointer(), operation.handle(), layout(0), layout(1), layout(2), layout(3),
                    preference.handle(), MOST_ALGORITHMS, results, count), "cublasLtMatmulAlgoGetHeuristic", subject + ", " + product);
        }
        for (int i = 0; i < count.get(ValueLayout.JAVA_INT, 0); i++) {
            MemorySegment result = cublasLtMatmulHeuristicResult_t.asSlice(results, i);
            long bytes = cublasLtMatmulHeuristicResult_t.workspaceSize(result);
            if (cublasLtMatmulHeuristicResult_t.state(result) == CUBLAS_STATUS_SUCCESS() && bytes <= product.workspaceBytes()) {
                algorithm = cublasLtMatmulHeuristicResult_t.algo(result);
                workspaceBytes = bytes;
                return;
            }
        }
        throw new NativeError("cublasLtMatmulAlgoGetHeuristic", "nothing that serves", subject + ", " + product);
    }

    private MemorySegment layout(int matrix) {
        return descriptors.get(1 + matrix).handle();
    }

    /** What the algorithm uses of its workspace, in bytes. */
    public long workspaceBytes() {
        return workspaceBytes;
    }

    /** Queues the work on a stream, whether it is being captured or not. */
    public void enqueue(MemorySegment stream) {
        for (Memory memory : runs) {
            long added = product.c().isPresent() ? memory.c : memory.d;
            CuBlasLt.check(cublasLtMatmul(handle.pointer(), operation.handle(), one, at(memory.a), layout(0), at(memory.b), layout(1),
                    product.c().isPresent() ? one : zero, at(added), layout(2), at(memory.d), layout(3), algorithm, at(memory.workspace),
                    product.workspaceBytes(), stream), "cublasLtMatmul", subject);
        }
    }

    private static MemorySegment at(long address) {
        return MemorySegment.ofAddress(address);
    }

    @Override
    public void close() {
        try {
            descriptors.forEach(Descriptor::close);
        } finally {
            descriptors.clear();
            if (owner.scope().isAlive()) {
                owner.close();
            }
        }
    }
}
