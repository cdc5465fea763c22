package dev.upscale.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.upscale.channels.Masking;
import dev.upscale.channels.Pattern;
import dev.upscale.channels.PatternFile;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.Compiler;
import dev.upscale.compile.Precision;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Tensor;
import dev.upscale.onnx.ImportOptions;
import dev.upscale.onnx.OnnxImporter;
import dev.upscale.onnx.SharedModels;
import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanSummary;
import dev.upscale.plan.Step;
import dev.upscale.runtime.cpu.CpuCatalog;
import dev.upscale.runtime.kernel.KernelFailure;
import dev.upscale.runtime.upscale.CpuKernels;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The real networks, compiled for the variants and engines, in a poisoned arena, against the masked models' outputs. */
class RealNetworksTest {
    private static final List<String> LIBRARIES = List.of("onednn", "xnnpack");
    private static final double TOLERANCE = 2e-5;

    @ParameterizedTest
    @ValueSource(strings = {"squeezenet1_1", "mobilenet_v2", "resnet18", "shufflenet_v2_x1_0", "googlenet", "densenet121",
        "resnet50", "efficientnet_v2_s"})
    void variantsComputeTheMaskedModel(String network) throws IOException {
        Graph graph = OnnxImporter.read(SharedModels.find("torchvision/" + network + ".onnx.gz"));
        Tensor input = SharedModels.floats(SharedModels.find("torchvision/" + network + ".input.f32"), 1, 3, 224, 224);
        JsonNode masks = JsonMapper.shared().readTree(
                Files.readString(SharedModels.find("torchvision/" + network + ".masks.json")));
        for (int row = 0; row < masks.size(); row++) {
            String mask = masks.get(row).path("mask").asString();
            double[] expected = SharedModels.doubles(
                    SharedModels.find("torchvision/" + network + ".masked_outputs.f64"), row, 1000);
            Pattern pattern = PatternFile.parse(masks.get(row));
            Graph masked = Masking.apply(graph, pattern);

            Plan upscale = compile(masked, Variant.UPSCALE, CompileOptions.ALL_ENGINES);
            compare(network + " " + mask, upscale, input, expected);
            if (CpuCatalog.ofMachine().engines().contains("upscale")) {
                assertEquals(List.of(), PlanSummary.of(upscale).remaining(), network + " " + mask);
            }
            Plan paper = compile(masked, Variant.PAPER, LIBRARIES);
            compare(network + " " + mask, paper, input, expected);
            JsonNode reference = masks.get(row).path("reference").path("upscale");
            if (reference.isObject()) {
                long bytes = gathers(paper).mapToLong(copy -> copy.destination().bytes()).sum();
                assertTrue(bytes <= reference.path("bytes_copied").asLong(), network + " " + mask + ": " + bytes
                        + " bytes, the reference implementation copies " + reference.path("bytes_copied"));
            }
            if (row == 0) {
                compare(network + " " + mask, compile(masked, Variant.BASELINE, LIBRARIES), input, expected);
            }
            CompileOptions libraries = new CompileOptions(Variant.UPSCALE, LIBRARIES);
            copiesNothing(network + " " + mask + " with libraries", masked, libraries, input, expected);
            copiesNothing(network + " " + mask + " with libraries, NHWC", masked, libraries.withChannelsLastInputs(), input, expected);
        }
    }

    private static void copiesNothing(String what, Graph masked, CompileOptions options, Tensor input, double[] expected) {
        Plan plan = Compiler.compile(masked, options, CpuCatalog.ofMachine());
        compare(what, plan, input, expected);
        if (CpuCatalog.ofMachine().engines().containsAll(LIBRARIES)) {
            assertEquals(List.of(), PlanSummary.of(plan).remaining(), what);
        }
    }

    /** Measured: 2.6e-3 to 4e-2, by network and mask. */
    @ParameterizedTest
    @ValueSource(strings = {"resnet18", "mobilenet_v2"})
    void bf16IsNearTheMaskedModel(String network) throws IOException {
        assumeTrue(CpuCatalog.hasBf16(), "this CPU has no AVX-512 BF16");
        Graph graph = OnnxImporter.read(SharedModels.find("torchvision/" + network + ".onnx.gz"));
        Tensor input = SharedModels.floats(SharedModels.find("torchvision/" + network + ".input.f32"), 1, 3, 224, 224);
        JsonNode mask = JsonMapper.shared().readTree(
                Files.readString(SharedModels.find("torchvision/" + network + ".masks.json"))).get(0);
        double[] expected = SharedModels.doubles(SharedModels.find("torchvision/" + network + ".masked_outputs.f64"), 0, 1000);
        CompileOptions options = CompileOptions.of(Variant.UPSCALE).withPrecision(Precision.BF16);
        Plan plan = Compiler.compile(Masking.apply(graph, PatternFile.parse(mask)), options, CpuCatalog.ofMachine());
        assertTrue(plan.steps().stream().filter(step -> step.kernel().equals("upscale.conv.bf16")).count() > 3, network);
        double difference = difference(run(plan, input), expected);
        assertTrue(TOLERANCE < difference && difference <= 2e-2, network + ": relative L2 " + difference);
    }

    @Test
    void aPlanWithBf16IsRefusedWhereItCannotRun() {
        assumeTrue(CpuCatalog.hasBf16(), "this CPU has no AVX-512 BF16");
        CompileOptions options = CompileOptions.of(Variant.UPSCALE).withPrecision(Precision.BF16);
        Plan plan = Compiler.compile(fashion("resnet", 1), options, CpuCatalog.ofMachine());
        CpuKernels kernels = CpuKernels.load();
        try {
            kernels.useInstructionSet("avx2");
            String message = assertThrows(KernelFailure.class, () -> Executable.prepare(plan)).getMessage();
            assertTrue(message.contains("upscale.conv.bf16") && message.contains("--precision f32"), message);
        } finally {
            kernels.useInstructionSet(kernels.bestInstructionSet());
        }
    }

    /** A trained text detector: transposed convolutions, resizes, a feature pyramid. */
    @Test
    void findsTheTextOnAPage() {
        Graph graph = OnnxImporter.read(SharedModels.find("ocr/ch_PP-OCRv4_det_infer.onnx"),
                new ImportOptions(OptionalInt.of(1), Map.of("x", List.of(1, 3, 640, 640)), Map.of()));
        Tensor input = SharedModels.floats(SharedModels.find("ocr/page.input.f32.gz"), 1, 3, 640, 640);
        float[] expected = SharedModels.floats(SharedModels.find("ocr/page.expected_output.f32.gz")).floats();
        double[] probabilities = new double[expected.length];
        for (int k = 0; k < expected.length; k++) {
            probabilities[k] = expected[k];
        }
        Plan plan = compile(graph, Variant.UPSCALE, CompileOptions.ALL_ENGINES);
        assertTrue(PlanSummary.of(plan).arenaBytes() <= 1.05 * PlanSummary.of(plan).arenaLowerBoundBytes());
        compare("text detector", plan, input, probabilities);
    }

    /** A plan is made for one batch size; each image gets what it gets alone. */
    @ParameterizedTest
    @CsvSource({"resnet, 1", "densenet, 3", "effnetv2, 8", "googlenet, 2"})
    void imagesOfABatchDoNotMix(String network, int batch) {
        Graph alone = fashion(network, 1);
        Graph together = fashion(network, batch);
        Tensor images = Tensor.random(together.type("input"), batch);
        float[] all = run(compile(together, Variant.UPSCALE, CompileOptions.ALL_ENGINES), images);
        Plan plan = compile(alone, Variant.UPSCALE, LIBRARIES);
        for (int image = 0; image < batch; image++) {
            Tensor one = images.take(0, List.of(image));
            double[] expected = new double[10];
            float[] logits = run(plan, one);
            for (int k = 0; k < 10; k++) {
                expected[k] = logits[k];
            }
            close(network + ", image " + image, java.util.Arrays.copyOfRange(all, 10 * image, 10 * image + 10), expected);
        }
    }

    private static Graph fashion(String network, int batch) {
        return OnnxImporter.read(SharedModels.find("fashion/" + network + ".onnx"),
                new ImportOptions(OptionalInt.of(batch), Map.of(), Map.of()));
    }

    private static java.util.stream.Stream<Step.Copy> gathers(Plan plan) {
        return plan.steps().stream()
                .filter(Step.Copy.class::isInstance)
                .map(Step.Copy.class::cast)
                .filter(copy -> copy.kind() == Step.Copy.Kind.GATHER);
    }

    private static Plan compile(Graph graph, Variant variant, List<String> engines) {
        return Compiler.compile(graph, new CompileOptions(variant, engines), CpuCatalog.ofMachine());
    }

    private static void compare(String what, Plan plan, Tensor input, double[] expected) {
        close(what + ", " + plan.variant(), run(plan, input), expected);
    }

    private static float[] run(Plan plan, Tensor input) {
        try (Executable executable = Executable.prepare(plan);
                Session session = executable.open(SessionOptions.threads(1).withPoison())) {
            return session.run(Map.of(plan.inputs().getFirst().name(), input.floats()))
                    .get(plan.outputs().getFirst().name());
        }
    }

    private static void close(String what, float[] actual, double[] expected) {
        double relative = difference(actual, expected);
        assertTrue(relative <= TOLERANCE, what + ": relative L2 " + relative);
    }

    private static double difference(float[] actual, double[] expected) {
        double difference = 0;
        double norm = 0;
        for (int k = 0; k < expected.length; k++) {
            difference += Math.pow(actual[k] - expected[k], 2);
            norm += expected[k] * expected[k];
        }
        return Math.sqrt(difference / norm);
    }
}
