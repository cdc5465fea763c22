package dev.upscale.runtime.cuda;

import static dev.upscale.bindings.cublaslt.cublaslt_h.*;
import static dev.upscale.bindings.cuda.cuda_h.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.bindings.cublaslt.cublasLtMatmulHeuristicResult_t;
import dev.upscale.runtime.cublaslt.CuBlasLt;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Mistakes that the simulated cuBLASLt must not miss. */
@Tag(SimulatedDevice.TAG)
class SimulatedCuBlasLtTest {
    private static final int ROWS = 6;
    private static final int COLUMNS = 5;
    private static final int INNER = 40;
    private static final long BYTES = 4096;

    @BeforeAll
    static void simulatedDevice() {
        SimulatedDevice.assumeBuilt();
        CuBlasLt.require();
    }

    /** One product as the library is asked for it; what a mistake changes. */
    private static final class Call {
        private final Arena arena;
        private final DeviceResources resources;
        private final MemorySegment handle;
        private final MemorySegment operation;
        private final MemorySegment[] layouts = new MemorySegment[3];
        private final MemorySegment preference;
        private final MemorySegment result;
        private final MemorySegment stream;
        private final long[] addresses = new long[3];
        private long workspace;
        private long workspaceBytes = BYTES;
        private int status;

        Call(Arena arena, DeviceResources resources) {
            this.arena = arena;
            this.resources = resources;
            handle = made("cublasLtDestroy", out -> cublasLtCreate(out), pointer -> cublasLtDestroy(pointer));
            operation = made("cublasLtMatmulDescDestroy", out -> cublasLtMatmulDescCreate(out, CUBLAS_COMPUTE_32F(), CUDA_R_32F()),
                    pointer -> cublasLtMatmulDescDestroy(pointer));
            int[][] sizes = {{ROWS, INNER}, {INNER, COLUMNS}, {ROWS, COLUMNS}};
            stream = resources.stream("test");
            for (int i = 0; i < 3; i++) {
                int[] size = sizes[i];
                layouts[i] = made("cublasLtMatrixLayoutDestroy", out -> cublasLtMatrixLayoutCreate(out, CUDA_R_32F(), size[0], size[1], size[0]),
                        pointer -> cublasLtMatrixLayoutDestroy(pointer));
                addresses[i] = resources.memory("matrix " + i, BYTES);
                cuMemsetD8Async(addresses[i], (byte) 0, BYTES, stream);
            }
            workspace = resources.memory("workspace", BYTES);
            preference = made("cublasLtMatmulPreferenceDestroy", out -> cublasLtMatmulPreferenceCreate(out), pointer -> cublasLtMatmulPreferenceDestroy(pointer));
            set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES(), arena.allocateFrom(ValueLayout.JAVA_LONG, BYTES));
            set(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK(), arena.allocateFrom(ValueLayout.JAVA_INT, CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE()));
            result = cublasLtMatmulHeuristicResult_t.allocate(arena);
        }

        private MemorySegment made(String function, ToIntFunction<MemorySegment> create, ToIntFunction<MemorySegment> destroy) {
            MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
            assertEquals(CUBLAS_STATUS_SUCCESS(), create.applyAsInt(out));
            MemorySegment pointer = out.get(ValueLayout.ADDRESS, 0);
            resources.add(function, "test", () -> destroy.applyAsInt(pointer) == CUBLAS_STATUS_SUCCESS() ? CUDA_SUCCESS() : CUDA_ERROR_ILLEGAL_ADDRESS());
            return pointer;
        }

        private static int set(MemorySegment preference, int attribute, MemorySegment value) {
            return cublasLtMatmulPreferenceSetAttribute(preference, attribute, value, value.byteSize());
        }

        void layout(int matrix, int attribute, long value) {
            assertEquals(CUBLAS_STATUS_SUCCESS(),
                    cublasLtMatrixLayoutSetAttribute(layouts[matrix], attribute, arena.allocateFrom(ValueLayout.JAVA_LONG, value), Long.BYTES));
        }

        Call asked() {
            status = cublasLtMatmulAlgoGetHeuristic(handle, operation, layouts[0], layouts[1], layouts[2], layouts[2], preference, 1, result,
                    arena.allocate(ValueLayout.JAVA_INT));
            return this;
        }

        Call queued() {
            MemorySegment d = MemorySegment.ofAddress(addresses[2]);
            status = cublasLtMatmul(handle, operation, arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1), MemorySegment.ofAddress(addresses[0]), layouts[0],
                    MemorySegment.ofAddress(addresses[1]), layouts[1], arena.allocateFrom(ValueLayout.JAVA_FLOAT, 0), d, layouts[2], d, layouts[2],
                    cublasLtMatmulHeuristicResult_t.algo(result), MemorySegment.ofAddress(workspace), workspaceBytes, stream);
            return this;
        }

        void waitedFor() {
            status = cuStreamSynchronize(stream);
        }
    }

    private static Arguments mistake(String told, Consumer<Call> mistake) {
        return Arguments.of(told, mistake);
    }

    private static Stream<Arguments> mistakes() {
        return Stream.of(
                mistake("leading dimension of 5 for 6 rows", call -> {
                    call.layout(2, CUBLASLT_MATRIX_LAYOUT_LD(), ROWS - 1);
                    call.asked();
                }),
                mistake("factors that do not fit", call -> {
                    call.layout(0, CUBLASLT_MATRIX_LAYOUT_COLS(), INNER - 1);
                    call.asked();
                }),
                mistake("with 8 bytes", call -> call.layout(0, CUBLASLT_MATRIX_LAYOUT_LD(), call.status = cublasLtMatrixLayoutSetAttribute(call.layouts[0],
                        CUBLASLT_MATRIX_LAYOUT_TYPE(), call.arena.allocate(Long.BYTES), Long.BYTES))),
                mistake("sums in another type", call -> {
                    Call.set(call.preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK(), call.arena.allocateFrom(ValueLayout.JAVA_INT, 7));
                    call.asked();
                }),
                mistake("asked for another product, or none", Call::queued),
                mistake("asked for another product, or none", call -> {
                    call.asked().layout(2, CUBLASLT_MATRIX_LAYOUT_LD(), 2 * ROWS);
                    call.queued();
                }),
                mistake("is not aligned to the 256 bytes", call -> {
                    call.asked().addresses[2] += 16;
                    call.queued();
                }),
                mistake("a workspace that is too small", call -> {
                    call.asked().workspaceBytes = 64;
                    call.queued();
                }),
                mistake("not at a multiple of 256", call -> {
                    call.asked().workspace += 64;
                    call.queued();
                }),
                mistake("a descriptor that does not exist", call -> {
                    call.asked().layouts[1] = call.operation;
                    call.queued();
                }),
                mistake("in no device memory", call -> {
                    call.layout(1, CUBLASLT_MATRIX_LAYOUT_LD(), 255);
                    call.asked().queued().waitedFor();
                }),
                mistake("nothing has written", call -> {
                    call.addresses[0] = call.resources.memory("not written", BYTES);
                    call.asked().queued().waitedFor();
                }));
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void isTold(String told, Consumer<Call> mistake) {
        SimulatedDevice.begin("");
        try (Arena arena = Arena.ofConfined(); Gpu gpu = Gpu.open(0)) {
            gpu.enter();
            try (DeviceResources resources = new DeviceResources(gpu)) {
                Call call = new Call(arena, resources);
                mistake.accept(call);
                assertTrue(call.status != 0, "the call was not refused");
                gpu.fail();
            }
        }
        assertFalse(SimulatedDevice.report("violation").isEmpty(), "nothing was told");
        assertTrue(SimulatedDevice.report("violation").getFirst().contains(told), SimulatedDevice.report("violation").toString());
    }

    @Test
    void whatIsRightIsDoneAndLeavesNothing() {
        SimulatedDevice.begin("");
        try (Arena arena = Arena.ofConfined(); Gpu gpu = Gpu.open(0)) {
            gpu.enter();
            try (DeviceResources resources = new DeviceResources(gpu)) {
                Call call = new Call(arena, resources).asked().queued();
                assertEquals(CUBLAS_STATUS_SUCCESS(), call.status);
                assertEquals(0, SimulatedDevice.count("products"), "work is done when somebody waits for it");
                call.waitedFor();
                assertEquals(1, SimulatedDevice.count("products"));
            }
        }
        SimulatedDevice.assertClean();
    }

    @Test
    void aDescriptorThatWasDestroyedIsNoticed() {
        SimulatedDevice.begin("");
        try (Arena arena = Arena.ofConfined(); Gpu gpu = Gpu.open(0)) {
            gpu.enter();
            try (DeviceResources resources = new DeviceResources(gpu)) {
                Call call = new Call(arena, resources).asked();
                assertEquals(CUBLAS_STATUS_SUCCESS(), cublasLtMatrixLayoutDestroy(call.layouts[0]));
                assertEquals(CUBLAS_STATUS_INVALID_VALUE(), call.queued().status);
                gpu.fail();
            }
        }
        assertTrue(SimulatedDevice.report("violation").getFirst().contains("no longer"), SimulatedDevice.report("violation").toString());
    }
}
