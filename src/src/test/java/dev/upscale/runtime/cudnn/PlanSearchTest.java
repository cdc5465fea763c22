package dev.upscale.runtime.cudnn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.upscale.graph.Function;
import dev.upscale.plan.Element;
import dev.upscale.runtime.natives.LibraryReport;
import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Against the real cuDNN, for an H100 that is not there. */
class PlanSearchTest {
    private static final String H100 = """
            {"deviceVer":900,"driverVer":13000,"cudaDeviceId":0,"maxGridSize":[2147483647,65535,65535],"maxBlockSize":[1024,1024,64],
            "regsPerBlock":65536,"multiProcessorCount":132,"smClockRateKHz":1980000,"memClockRateKHz":2619000,"l2CacheSize":52428800,
            "warpSize":32,"maxSharedMemoryPerBlock":49152,"maxSharedMemoryPerBlockOptin":232448,"reservedSharedMemoryPerBlock":1024,
            "maxRegistersPerSM":65536,"pciDeviceId":0,"maxCtasPerSM":32,"maxThreadsPerBlock":1024,"maxThreadsPerSM":2048,"isTccDriver":0,
            "supportCoopLaunch":1,"totalGlobalMem":85899345920,"deviceName":"NVIDIA H100 80GB HBM3"}""";

    @Test
    void aDenseConvolutionNeedsNoWorkspace() {
        PlanSearch.Found found = search(graph(64, 64, false));

        assertEquals(0, found.plans().getFirst().workspaceBytes());
        assertTrue(found.plans().getFirst().json().contains("cudnnVersion"), found.plans().getFirst().json());
    }

    @Test
    void aSliceIsCopiedByTheEnginesForTheUsualPattern() {
        OperationGraph graph = graph(64, 128, false);

        assertTrue(search(graph).plans().getFirst().workspaceBytes() >= graph.tensors().getFirst().bytes());
    }

    @Test
    void aSliceIsReadInPlaceByAnEngineCompiledForIt() {
        assumeDriver();

        Candidate first = search(graph(64, 128, true)).plans().getFirst();

        assertEquals(0, first.workspaceBytes());
        assertTrue(first.notes().contains(Candidate.Note.RUNTIME_COMPILATION), first.notes().toString());
    }

    @Test
    void anIncompleteDeviceIsRefusedInTheLibrarysWords() {
        assumeCuDnn();

        NativeError error = assertThrows(NativeError.class, () -> Device.describedBy("none", "{\"deviceVer\":900}"));

        assertTrue(error.getMessage().startsWith("device none: cudnnBackendFinalize says CUDNN_STATUS_BAD_PARAM ("), error.getMessage());
        assertTrue(error.getMessage().contains("maxGridSize"), error.getMessage());
    }

    @Test
    void sizesAreCheckedBeforeTheLibraryIsCalled() {
        TensorDescription x = image(1, 64, 56, 64);
        TensorDescription w = TensorDescription.of(2, Element.F16, List.of(64L, 32L, 3L, 3L), List.of(288L, 1L, 96L, 32L), 16);
        TensorDescription y = image(3, 64, 55, 64);

        IllegalArgumentException error = assertThrows(IllegalArgumentException.class, () -> convolution(x, w, y));

        assertEquals("convolution gives 56 along axis 2, its result is [1, 64, 55, 55]", error.getMessage());
        assertThrows(IllegalArgumentException.class, () -> image(0, 64, 56, 64));
    }

    @Test
    void aSearchCanEndBeforeAPlanIsBuilt() {
        assumeCuDnn();
        try (Device device = Device.describedBy("h100", H100)) {
            PlanSearch.Found found = PlanSearch.search(graph(64, 64, false), device, notes -> true, plan -> true);
            assertEquals(new PlanSearch.Found(List.of(), 0, List.of(), true), found);
        }
    }

    private static PlanSearch.Found search(OperationGraph graph) {
        assumeCuDnn();
        try (Device device = Device.describedBy("h100", H100)) {
            PlanSearch.Found found = PlanSearch.search(graph, device, notes -> false, plan -> true);
            assertFalse(found.plans().isEmpty(), found.refusals().toString());
            return found;
        }
    }

    /** relu(conv3x3(x) + bias) of 64 channels, which lie {@code pixelStride} elements from pixel to pixel. */
    private static OperationGraph graph(int channels, int pixelStride, boolean generic) {
        TensorDescription x = image(1, channels, 56, pixelStride);
        TensorDescription w = TensorDescription.of(2, Element.F16, List.of(64L, (long) channels, 3L, 3L),
                List.of(9L * channels, 1L, 3L * channels, (long) channels), 16);
        TensorDescription y = image(3, 64, 56, 64);
        TensorDescription bias = TensorDescription.of(4, Element.F16, List.of(1L, 64L, 1L, 1L), List.of(64L, 1L, 64L, 64L), 16);
        TensorDescription sums = y.intermediate(10);
        TensorDescription same = generic ? y.intermediate(11) : sums;
        TensorDescription biased = y.intermediate(12);
        Operation relu = new Operation.Pointwise(Mode.of(Function.RELU).orElseThrow(), biased, Optional.empty(), y);
        Operation add = new Operation.Pointwise(new Mode.Add(), same, Optional.of(bias), biased);
        Operation conv = convolution(x, w, sums);
        return new OperationGraph(generic
                ? List.of(conv, new Operation.Pointwise(new Mode.Identity(), sums, Optional.empty(), same), add, relu)
                : List.of(conv, add, relu));
    }

    private static Operation convolution(TensorDescription x, TensorDescription w, TensorDescription y) {
        List<Long> one = List.of(1L, 1L);
        return new Operation.ConvolutionForward(x, w, y, one, one, one, one);
    }

    private static TensorDescription image(long id, int channels, int side, int pixelStride) {
        return TensorDescription.channelsLast(id, Element.F16, 1, channels, side, side, pixelStride, 16);
    }

    private static void assumeCuDnn() {
        assumeTrue(CuDnn.obstacle().isEmpty(), CuDnn::obstacle);
    }

    private static void assumeDriver() {
        assumeCuDnn();
        assumeTrue(NativeLibraries.isAvailable(NativeLibrary.CUDA_DRIVER) || NativeLibraries.isAvailable(NativeLibrary.BUILD_DRIVER),
                () -> ((LibraryReport.Missing) NativeLibraries.find(NativeLibrary.BUILD_DRIVER)).cure());
    }
}
