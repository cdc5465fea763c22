package dev.upscale.runtime.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.upscale.channels.Masking;
import dev.upscale.channels.PatternFile;
import dev.upscale.cli.CommandLineProcess;
import dev.upscale.compile.Compiler;
import dev.upscale.compile.Precision;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.onnx.OnnxImporter;
import dev.upscale.plan.Element;
import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanFile;
import dev.upscale.plan.PlanSummary;
import dev.upscale.plan.PlanText;
import dev.upscale.plan.Step;
import dev.upscale.runtime.cudnn.CuDnn;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import dev.upscale.onnx.SharedModels;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whole networks, compiled by the real cuDNN for GPUs that are not there. */
class GpuPlansTest {
    /** The second convolution retains channels 16 to 31 of 48, the third the others. */
    private static final Graph TWO_READERS = GraphText.parse("""
            graph readers(x: f32[1,3,32,32]) -> y {
              w0: f32[48,3,3,3] = random(1)
              b0: f32[48] = random(2)
              t0 = Conv(x, w0, b0) kernel=3x3 stride=1x1 pad=1,1,1,1 groups=1
              t1 = Apply(t0) relu : f32[1,48,32,32]
              s2 = Slice(t1) axis=1 start=16 size=16 step=1 : f32[1,16,32,32]
              w2: f32[16,16,3,3] = random(3)
              t2 = Conv(s2, w2) kernel=3x3 stride=1x1 pad=1,1,1,1 groups=1
              s3 = Slice(t1) axis=1 start=7 size=25 step=1 : f32[1,25,32,32]
              w3: f32[16,25,1,1] = random(4)
              t3 = Conv(s3, w3) kernel=1x1 stride=1x1 pad=0,0,0,0 groups=1
              t4 = Binary(t2, t3) add : f32[1,16,32,32]
              y = Apply(t4) relu : f32[1,16,32,32]
            }
            """);

    @Test
    void slicesAreReadWhereTheyLieInHalfPrecision() {
        Plan plan = compile(TWO_READERS, "h100", Precision.F16, Variant.UPSCALE);

        PlanSummary summary = PlanSummary.of(plan);
        assertEquals(0, summary.hiddenCopyBytes(), PlanText.print(plan));
        assertEquals(List.of("x", "y"), summary.remaining().stream().map(PlanSummary.Remaining::name).toList(), "the f32 input and output are converted");
        assertTrue(convolutions(plan).stream().allMatch(step -> step.destination().element() == Element.F16), PlanText.print(plan));
        Step.Convolve slice = convolutions(plan).get(1);
        assertTrue(slice.source().view().pixelStride() > slice.source().view().dim(1), PlanText.print(plan));
        assertEquals("cudnn.fused", slice.kernel());
    }

    @Test
    void theFirstChoiceOfTheHeuristicsCopiesInside() {
        Plan plan = compile(TWO_READERS, "h100", Precision.F16, Variant.PAPER);

        assertTrue(PlanSummary.of(plan).hiddenCopyBytes() > 0, PlanText.print(plan));
    }

    @Test
    void aPlanForAGpuIsReadAsItWasWritten(@TempDir Path folder) {
        Plan plan = compile(TWO_READERS, "a100", Precision.TF32, Variant.UPSCALE);
        Path file = folder.resolve("gpu.plan");

        PlanFile.write(plan, file);

        assertEquals(plan, PlanFile.read(file));
        assertEquals("cuda:a100", plan.target());
        assertTrue(plan.accelerator().orElseThrow().libraryPlans().stream().allMatch(library -> library.text().contains("\"cudnnVersion\"")));
    }

    @Test
    void inABuildWithoutNvccAPlanBringsItsKernels(@TempDir Path folder) throws Exception {
        assumeCuDnn();
        Path model = folder.resolve("densenet.onnx");
        try (InputStream resource = Compiler.class.getResourceAsStream("/dev/upscale/demo/densenet.onnx")) {
            Files.write(model, resource.readAllBytes());
        }
        try {
            CommandLineProcess.Ended compiled = new CommandLineProcess(folder).hiding("dev/upscale/cuda", ".cubin", ".ptx")
                    .run("compile", model, "--target", "cuda:l4", "--variant", "unpruned", "-o", folder.resolve("l4.plan"));
            assertEquals(0, compiled.exitCode(), compiled.err());
        } finally {
            CommandLineProcess.unlink(folder);
        }
        Plan plan = PlanFile.read(folder.resolve("l4.plan"));
        assertEquals("sm_89", plan.accelerator().orElseThrow().kernels().orElseThrow().architecture());
    }

    @ParameterizedTest
    @CsvSource({"resnet18, h100, F32", "resnet18, a100, F16", "squeezenet1_1, h100, F16"})
    void everyConvolutionOfARealNetworkIsBuiltWithoutHiddenCopies(String network, String device, Precision precision) {
        assumeCuDnn();
        Graph graph = OnnxImporter.read(SharedModels.find("torchvision/" + network + ".onnx.gz"));
        Graph masked = Masking.apply(graph, PatternFile.read(SharedModels.find("torchvision/" + network + ".masks.json") + "#l2_0.5"));

        Plan upscale = compile(masked, device, precision, Variant.UPSCALE);
        Plan paper = compile(masked, device, precision, Variant.PAPER);

        for (Plan plan : List.of(upscale, paper)) {
            assertTrue(convolutions(plan).stream().allMatch(step -> step.libraryPlan().isPresent()), PlanText.print(plan));
        }
        long hidden = PlanSummary.of(upscale).hiddenCopyBytes();
        assertTrue(10 * hidden <= PlanSummary.of(paper).hiddenCopyBytes(), hidden + " of " + PlanSummary.of(paper).hiddenCopyBytes());
        assertTrue(PlanSummary.of(upscale).copies() <= 2, PlanText.print(upscale));
    }

    private static List<Step.Convolve> convolutions(Plan plan) {
        return plan.steps().stream().filter(Step.Convolve.class::isInstance).map(Step.Convolve.class::cast).toList();
    }

    private static Plan compile(Graph graph, String device, Precision precision, Variant variant) {
        assumeCuDnn();
        DeviceDescription description = DeviceDescription.of(device);
        try (CudaCatalog catalog = CudaCatalog.of(description, precision, variant)) {
            return Compiler.compile(graph, CudaCatalog.options(variant, description, precision), catalog);
        }
    }

    private static void assumeCuDnn() {
        assumeTrue(CuDnn.obstacle().isEmpty(), CuDnn::obstacle);
        assumeTrue(NativeLibraries.isAvailable(NativeLibrary.NVRTC), "NVRTC is missing: cuDNN compiles no engines");
    }
}
