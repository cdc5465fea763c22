package dev.upscale.runtime.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.Upscale;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.Precision;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.Tensor;
import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanSummary;
import dev.upscale.plan.PlanText;
import dev.upscale.plan.Step;
import dev.upscale.runtime.SessionOptions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole networks on the simulated device whose matrix products go to cuBLASLt, and what becomes of faults there. */
@Tag(SimulatedDevice.TAG)
class SimulatedProductsTest {
    private static final List<String> CUBLASLT_FIRST = List.of("cublaslt", "cudnn");

    /** Two images, four heads: the heads of both lie at no common distance. */
    private static final Graph ATTENTION = GraphText.parse("""
            graph attention(x: f32[2,3,8,8]) -> y {
              w0: f32[32,3,3,3] = random(1)
              b0: f32[32] = random(2)
              t0 = Conv(x, w0, b0) kernel=3x3 stride=2x2 pad=1 : f32[2,32,4,4]
              t1 = Apply(t0) relu : f32[2,32,4,4]
              t2 = Reshape(t1) dims=[2,32,16] : f32[2,32,16]
              t3 = Transpose(t2) permutation=[0,2,1] : f32[2,16,32]
              wq: f32[32,32] = random(3)
              wk: f32[32,32] = random(4)
              wv: f32[32,32] = random(5)
              q0 = Linear(t3, wq) : f32[2,16,32]
              k0 = Linear(t3, wk) : f32[2,16,32]
              v0 = Linear(t3, wv) : f32[2,16,32]
              q1 = Reshape(q0) dims=[2,16,4,8] : f32[2,16,4,8]
              k1 = Reshape(k0) dims=[2,16,4,8] : f32[2,16,4,8]
              v1 = Reshape(v0) dims=[2,16,4,8] : f32[2,16,4,8]
              q2 = Transpose(q1) permutation=[0,2,1,3] : f32[2,4,16,8]
              k2 = Transpose(k1) permutation=[0,2,3,1] : f32[2,4,8,16]
              v2 = Transpose(v1) permutation=[0,2,1,3] : f32[2,4,16,8]
              s0 = MatMul(q2, k2) : f32[2,4,16,16]
              s1 = Softmax(s0) axis=3 : f32[2,4,16,16]
              o0 = MatMul(s1, v2) : f32[2,4,16,8]
              o1 = Transpose(o0) permutation=[0,2,1,3] : f32[2,16,4,8]
              o2 = Reshape(o1) dims=[2,16,32] : f32[2,16,32]
              wo: f32[24,32] = random(6)
              bo: f32[24] = random(7)
              o3 = Linear(o2, wo, bo) : f32[2,16,24]
              o4 = Apply(o3) relu : f32[2,16,24]
              y = Reduce(o4) mean axes=[1] : f32[2,24]
            }
            """);

    @BeforeAll
    static void simulatedDevice() {
        SimulatedDevice.assumeBuilt();
    }

    private static Plan compile(Graph graph, Variant variant, Precision precision, List<String> engines) {
        DeviceDescription device = DeviceDescription.of("h100");
        return Upscale.compileForGpu(graph, device, CudaCatalog.options(variant, device, precision).withEngines(engines));
    }

    private static List<Step> products(Plan plan) {
        return plan.steps().stream().filter(step -> step.kernel().equals(MatrixCall.KERNEL)).toList();
    }

    private static double error(Graph graph, Plan plan) {
        Map<String, Tensor> inputs = SimulatedNetworksTest.inputs(graph);
        return SimulatedNetworksTest.error(plan, inputs, Interpreter.run(graph, inputs).values().iterator().next().values());
    }

    @ParameterizedTest
    @EnumSource(Precision.class)
    void productsOfTwoActivationsGoThereWithoutBeingAsked(Precision precision) {
        Plan plan = compile(ATTENTION, Variant.UNPRUNED, precision, CompileOptions.GPU_ENGINES);

        assertEquals(List.of("s0", "o0"), products(plan).stream().map(Step::name).toList(), PlanText.print(plan));
        assertEquals(0, PlanSummary.of(plan).hiddenCopyBytes());
        assertEquals(plan.inputs().size() * (plan.accelerator().orElseThrow().precision().endsWith("f32") ? 0 : 2), PlanSummary.of(plan).copies(),
                "nothing moves but what is converted: " + PlanText.print(plan));
        double error = error(ATTENTION, plan);
        System.out.printf("simulated device: attention %s, products by cuBLASLt: relative error %.2g%n", precision.label(), error);
        assertTrue(error <= (precision == Precision.F32 || precision == Precision.TF32 ? 2e-5 : precision == Precision.F16 ? 1e-2 : 0.1), "error " + error);
    }

    @Test
    void ourOwnKernelTakesThemWhereCuBlasLtIsNotAmongTheEngines() {
        Plan plan = compile(ATTENTION, Variant.UNPRUNED, Precision.F32, List.of("cudnn"));

        assertEquals(0, products(plan).size());
        assertEquals(2, plan.steps().stream().filter(step -> step.kernel().equals("cuda.matmul")).count(), PlanText.print(plan));
        assertTrue(error(ATTENTION, plan) <= 2e-5);
    }

    @ParameterizedTest
    @EnumSource(value = Precision.class, names = {"F32", "F16"})
    void linearLayersToo(Precision precision) {
        Plan plan = compile(ATTENTION, Variant.UNPRUNED, precision, CUBLASLT_FIRST);

        assertEquals(6, products(plan).size(), PlanText.print(plan));
        double error = error(ATTENTION, plan);
        assertTrue(error <= (precision == Precision.F32 ? 2e-5 : 1e-2), "error " + error);
    }

    /** In variant baseline and upscale, slices and residuals among them. */
    @ParameterizedTest
    @CsvSource({"resnet, F32, 2e-5", "googlenet, F32, 2e-5", "densenet, F32, 2e-5", "effnetv2, F32, 2e-5", "resnet, TF32, 2e-5", "densenet, F16, 1e-2",
        "googlenet, F16, 1e-2", "effnetv2, F16, 3e-2", "googlenet, BF16, 1e-1"})
    void networks(String name, Precision precision, double tolerance) {
        Graph graph = SimulatedNetworksTest.masked(SimulatedNetworksTest.fashion(name), 7);
        for (Variant variant : List.of(Variant.BASELINE, Variant.UPSCALE)) {
            Plan plan = compile(graph, variant, precision, CUBLASLT_FIRST);
            assertTrue(products(plan).size() > 0, "no product went to cuBLASLt");
            assertEquals(0, PlanSummary.of(plan).hiddenCopyBytes());
            double error = error(graph, plan);
            System.out.printf("simulated device: %s %s %s, %d products by cuBLASLt: relative error %.2g%n", name, variant.label(), precision.label(),
                    products(plan).size(), error);
            assertTrue(error <= tolerance, name + " " + variant + " " + precision + ": " + error);
        }
    }

    /** The simulated cuDNN has an engine beforehand for any graph; what it may not be given goes to cuBLASLt whatever the order. */
    @Test
    void theOrderOfTheEnginesDecidesBetweenEqualOffers() {
        Plan plan = compile(ATTENTION, Variant.UPSCALE, Precision.F32, List.of("cudnn", "cublaslt"));

        assertEquals(2, products(plan).size(), PlanText.print(plan));
    }

    /** No handle, no algorithm, a product that is refused in the first run or while it is captured, memory that is missing, a lost device. */
    @ParameterizedTest
    @ValueSource(strings = {"cublasltcreate:1", "algorithms:1", "algorithms:6", "cublaslt:1", "cublaslt:6", "cublaslt:9", "lost:8", "lost:20", "alloc:2"})
    void survivesFaults(String fault) {
        Plan plan = compile(ATTENTION, Variant.UPSCALE, Precision.F32, CUBLASLT_FIRST);
        Map<String, float[]> given = new LinkedHashMap<>();
        SimulatedNetworksTest.inputs(ATTENTION).forEach((name, tensor) -> given.put(name, tensor.floats()));
        SimulatedDevice.begin(fault);
        try (Gpu gpu = Gpu.open(0)) {
            RuntimeException failure = assertThrows(RuntimeException.class, () -> {
                try (CudaExecutable executable = CudaExecutable.prepare(plan, gpu);
                        CudaSession session = executable.open(SessionOptions.threads(1))) {
                    for (int run = 0; run < 3; run++) {
                        session.run(given);
                    }
                }
            });
            String text = String.valueOf(failure.getMessage());
            if (fault.startsWith("algorithms") || fault.startsWith("cublaslt")) {
                assertTrue(text.contains("CUBLAS_STATUS_") && plan.steps().stream().map(Step::name).anyMatch(text::contains), text);
            }
            if (fault.startsWith("algorithms")) {
                assertTrue(text.contains("--engines cudnn"), "tells no cure: " + text);
            }
        }
        SimulatedDevice.assertClean();
    }
}
