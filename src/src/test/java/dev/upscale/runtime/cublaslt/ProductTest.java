package dev.upscale.runtime.cublaslt;

import static dev.upscale.bindings.cublaslt.cublaslt_h.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.upscale.plan.Element;
import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Against the real cuBLASLt, as far as it goes without a GPU: descriptors need none, a handle does. */
class ProductTest {
    private static final Matrix WEIGHTS = new Matrix(Element.F16, 37, 51, 37, 1, 0, 256);
    private static final Matrix PIXELS = new Matrix(Element.F16, 37, 3136, 160, 1, 0, 2);
    private static final Matrix RESULT = new Matrix(Element.F16, 51, 3136, 96, 1, 0, 16);
    private static final Product SLICES = new Product(WEIGHTS, true, PIXELS, false, Optional.empty(), RESULT, Compute.AS_STORED, 16, true, 1 << 20);

    private static void assumeCuBlasLt() {
        assumeTrue(CuBlasLt.obstacle().isEmpty(), CuBlasLt::obstacle);
    }

    @Test
    void theLibraryTellsItsVersionAndWhatStatusesMean() {
        assumeCuBlasLt();

        assertTrue(CuBlasLt.version().matches("1[3-9]\\.\\d+\\.\\d+"), CuBlasLt.version());
        assertTrue(CuBlasLt.words(CUBLAS_STATUS_NOT_SUPPORTED()).startsWith("CUBLAS_STATUS_NOT_SUPPORTED ("), CuBlasLt.words(CUBLAS_STATUS_NOT_SUPPORTED()));
    }

    @Test
    void layoutsHoldWhatTheyWereGiven() {
        assumeCuBlasLt();
        Matrix batches = new Matrix(Element.BF16, 64, 49, 192, 12, 9408, 128);

        try (Descriptor layout = batches.make("batches")) {
            assertEquals(CUDA_R_16BF(), layout.getInt(CUBLASLT_MATRIX_LAYOUT_TYPE()));
            assertEquals(CUBLASLT_ORDER_COL(), layout.getInt(CUBLASLT_MATRIX_LAYOUT_ORDER()));
            assertEquals(64, layout.getLong(CUBLASLT_MATRIX_LAYOUT_ROWS()));
            assertEquals(49, layout.getLong(CUBLASLT_MATRIX_LAYOUT_COLS()));
            assertEquals(192, layout.getLong(CUBLASLT_MATRIX_LAYOUT_LD()));
            assertEquals(12, layout.getInt(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT()));
            assertEquals(9408, layout.getLong(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET()));
        }
    }

    @Test
    void operationsHoldWhatTheyWereGiven() {
        assumeCuBlasLt();

        try (Descriptor operation = SLICES.makeOperation("slices", 4096)) {
            assertEquals(CUBLAS_COMPUTE_32F(), operation.getInt(CUBLASLT_MATMUL_DESC_COMPUTE_TYPE()));
            assertEquals(CUDA_R_32F(), operation.getInt(CUBLASLT_MATMUL_DESC_SCALE_TYPE()));
            assertEquals(CUBLAS_OP_T(), operation.getInt(CUBLASLT_MATMUL_DESC_TRANSA()));
            assertEquals(CUBLAS_OP_N(), operation.getInt(CUBLASLT_MATMUL_DESC_TRANSB()));
            assertEquals(CUBLASLT_EPILOGUE_RELU_BIAS(), operation.getInt(CUBLASLT_MATMUL_DESC_EPILOGUE()));
            assertEquals(4096, operation.getLong(CUBLASLT_MATMUL_DESC_BIAS_POINTER()));
            assertEquals(CUDA_R_16F(), operation.getInt(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE()));
        }
    }

    @Test
    void preferencesHoldWhatTheyWereGiven() {
        assumeCuBlasLt();

        try (Descriptor preference = SLICES.makePreference("slices")) {
            assertEquals(1 << 20, preference.getLong(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES()));
            assertEquals(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE(), preference.getInt(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK()));
            assertEquals(256, preference.getInt(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES()));
            assertEquals(2, preference.getInt(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES()));
            assertEquals(16, preference.getInt(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES()));
            assertEquals(16, preference.getInt(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES()));
        }
    }

    @Test
    void whatTheLibraryRefusesIsToldInItsWords() {
        assumeCuBlasLt();

        try (Descriptor layout = RESULT.make("the result")) {
            NativeError error = assertThrows(NativeError.class, () -> layout.setInt(CUBLASLT_MATRIX_LAYOUT_ROWS(), 51));
            assertTrue(error.getMessage().startsWith("the result: cublasLtMatrixLayoutSetAttribute(2) says CUBLAS_STATUS_INVALID_VALUE ("),
                    error.getMessage());
        }
    }

    @Test
    void withoutAGpuAHandleIsRefusedInOneLine() {
        assumeCuBlasLt();
        assumeFalse(NativeLibraries.isAvailable(NativeLibrary.CUDA_DRIVER), "there is a CUDA driver, and perhaps a GPU");

        NativeError error = assertThrows(NativeError.class, Handle::create);

        assertTrue(error.getMessage().startsWith("cuBLASLt: cublasLtCreate says CUBLAS_STATUS_NOT_INITIALIZED ("), error.getMessage());
        assertEquals(1, error.getMessage().lines().count(), error.getMessage());
    }

    private static Stream<Runnable> mistakes() {
        Matrix other = new Matrix(Element.F16, 50, 3136, 96, 1, 0, 16);
        Matrix wide = new Matrix(Element.F32, 51, 3136, 96, 1, 0, 16);
        Matrix batches = new Matrix(Element.F16, 51, 3136, 96, 2, 95, 16);
        return Stream.of(
                () -> new Matrix(Element.F16, 37, 51, 36, 1, 0, 256),
                () -> new Matrix(Element.F16, 37, 0, 37, 1, 0, 256),
                () -> new Matrix(Element.F32, 37, 51, 37, 1, 0, 2),
                () -> new Matrix(Element.F16, 37, 51, 37, 2, -1, 256),
                () -> new Product(WEIGHTS, false, PIXELS, false, Optional.empty(), RESULT, Compute.AS_STORED, 0, false, 0),
                () -> new Product(WEIGHTS, true, PIXELS, false, Optional.of(other), RESULT, Compute.AS_STORED, 0, false, 0),
                () -> new Product(WEIGHTS, true, PIXELS, false, Optional.of(wide), RESULT, Compute.AS_STORED, 0, false, 0),
                () -> new Product(WEIGHTS, true, PIXELS, false, Optional.empty(), RESULT, Compute.TF32, 0, false, 0),
                () -> new Product(WEIGHTS, true, PIXELS, false, Optional.empty(), RESULT, Compute.AS_STORED, 1, false, 0),
                () -> new Product(WEIGHTS, true, PIXELS, false, Optional.empty(), batches, Compute.AS_STORED, 0, false, 0));
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void whatCannotBeIsRefusedBeforeTheLibraryIsCalled(Runnable mistake) {
        assertThrows(IllegalArgumentException.class, mistake::run);
    }

    @Test
    void addressesAreCheckedBeforeTheLibraryIsCalled() {
        BoundProduct.Memory unaligned = new BoundProduct.Memory(1024, 2048, 0, 4098, 256, 512);

        String told = assertThrows(IllegalArgumentException.class, () -> BoundProduct.of(null, "slices", SLICES, List.of(unaligned))).getMessage();

        assertTrue(told.startsWith("slices: ") && told.contains("4098"), told);
    }
}
