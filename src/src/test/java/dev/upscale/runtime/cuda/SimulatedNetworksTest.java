package dev.upscale.runtime.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.Upscale;
import dev.upscale.channels.ChannelFlow;
import dev.upscale.channels.Masking;
import dev.upscale.channels.Pattern;
import dev.upscale.channels.PatternFile;
import dev.upscale.compile.Precision;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.Tensor;
import dev.upscale.onnx.SharedModels;
import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import dev.upscale.plan.StepDependencies;
import dev.upscale.runtime.Profile;
import dev.upscale.runtime.SessionMemory;
import dev.upscale.runtime.SessionOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole networks on the simulated device, compiled with its cuDNN, run by our bindings and session; and what becomes of faults. */
@Tag(SimulatedDevice.TAG)
class SimulatedNetworksTest {
    private static final String DEVICE = "h100";

    @BeforeAll
    static void simulatedDevice() {
        SimulatedDevice.assumeBuilt();
    }

    static Graph fashion(String name) {
        return Upscale.read(SharedModels.find("fashion/" + name + ".onnx"));
    }

    /** Half of each consumer's channels, at random: unconstrained. */
    static Graph masked(Graph graph, long seed) {
        Random random = new Random(seed);
        Map<String, int[]> retained = new LinkedHashMap<>();
        ChannelFlow.of(graph).consumers().forEach(consumer -> {
            int channels = graph.type(consumer.weight()).dim(1);
            if (channels >= 4) {
                int[] kept = IntStream.range(0, channels).filter(c -> c == 0 || random.nextBoolean()).toArray();
                retained.put(consumer.weight(), kept);
            }
        });
        return Masking.apply(graph, new Pattern(graph.name(), retained, Map.of()));
    }

    static Map<String, Tensor> inputs(Graph graph) {
        Random random = new Random(5);
        Map<String, Tensor> values = new LinkedHashMap<>();
        for (String name : graph.inputs()) {
            float[] elements = new float[Math.toIntExact(graph.type(name).elements())];
            for (int i = 0; i < elements.length; i++) {
                elements[i] = (float) random.nextGaussian();
            }
            values.put(name, Tensor.of(graph.type(name), elements));
        }
        return values;
    }

    static double relativeL2(float[] actual, double[] expected) {
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < expected.length; i++) {
            difference += Math.pow(actual[i] - expected[i], 2);
            norm += expected[i] * expected[i];
        }
        return Math.sqrt(difference / norm);
    }

    /** Step by step, then twice from the graph, in an arena full of NaN. */
    static double error(Plan plan, Map<String, Tensor> inputs, double[] expected) {
        Map<String, float[]> given = new LinkedHashMap<>();
        inputs.forEach((name, tensor) -> given.put(name, tensor.floats()));
        double worst = 0;
        SimulatedDevice.begin("");
        try (Gpu gpu = Gpu.open(0);
                CudaExecutable executable = CudaExecutable.prepare(plan, gpu);
                CudaSession session = executable.open(SessionOptions.threads(1).withPoison().withProfile(1))) {
            for (int run = 0; run < 3; run++) {
                worst = Math.max(worst, relativeL2(session.run(given).values().iterator().next(), expected));
            }
            Profile profile = session.profile();
            assertEquals(plan.steps().size(), profile.ns().length);
            assertEquals(plan.steps().size(), session.graphParts()[0] + session.graphParts()[1]);
        }
        assertEquals(2, SimulatedDevice.count("graphlaunches"));
        SimulatedDevice.assertClean();
        return Math.max(worst, branchesAtOnce(plan, given, expected));
    }

    /** The graph with no other edges than memory asks for, its nodes in an order as unlike the plan's as they allow. */
    private static double branchesAtOnce(Plan plan, Map<String, float[]> given, double[] expected) {
        double error;
        SimulatedDevice.begin("");
        try (Gpu gpu = Gpu.open(0);
                CudaExecutable executable = CudaExecutable.prepare(plan, gpu);
                CudaSession session = executable.open(SessionOptions.threads(1).withPoison())) {
            session.run(given);
            error = relativeL2(session.run(given).values().iterator().next(), expected);
        }
        SimulatedDevice.assertClean();
        return error;
    }

    /** A step that is captured from the stream comes after those that its memory asks for, as one that cuDNN puts into the graph, and after no others. */
    @ParameterizedTest
    @ValueSource(strings = {"", "capture:1"})
    void branchesStayBranchesWhoeverPutsStepsIntoTheGraph(String how) {
        Graph graph = masked(fashion("googlenet"), 7);
        Map<String, Tensor> inputs = inputs(graph);
        double[] expected = Interpreter.run(graph, inputs).values().iterator().next().values();
        Plan plan = Upscale.compileForGpu(graph, DEVICE, Variant.UPSCALE, Precision.F32);
        int rounds = StepDependencies.of(plan.steps()).levels();
        Map<String, float[]> given = new LinkedHashMap<>();
        inputs.forEach((name, tensor) -> given.put(name, tensor.floats()));
        SimulatedDevice.begin(how);
        try (Gpu gpu = Gpu.open(0);
                CudaExecutable executable = CudaExecutable.prepare(plan, gpu);
                CudaSession session = executable.open(SessionOptions.threads(1).withPoison())) {
            session.run(given);
            assertTrue(relativeL2(session.run(given).values().iterator().next(), expected) <= 2e-5);
            assertEquals(how.isEmpty(), session.graphParts()[0] > 0, "steps that cuDNN put into the graph");
        }
        assertEquals(rounds, SimulatedDevice.count("rounds"));
        assertTrue(rounds < plan.steps().size());
        SimulatedDevice.assertClean();
    }

    /** The device finds each edge that is left out: that of a read, of an overwritten source, of an overwritten result. */
    @Test
    void anEdgeThatIsMissingIsFound() {
        Graph graph = masked(fashion("googlenet"), 7);
        Plan plan = Upscale.compileForGpu(graph, DEVICE, Variant.UPSCALE, Precision.F32);
        Map<String, float[]> given = new LinkedHashMap<>();
        inputs(graph).forEach((name, tensor) -> given.put(name, tensor.floats()));
        StepDependencies all = StepDependencies.of(plan.steps());
        assertTrue(all.levels() < plan.steps().size(), "no branches: " + all);
        Set<String> hazards = new TreeSet<>();
        for (int step = 0; step < plan.steps().size(); step++) {
            for (int edge = 0; edge < all.before().get(step).size(); edge++) {
                String told = violationWithout(all, step, edge, plan, given);
                assertTrue(told.contains("another stream or branch may still be"),
                        plan.steps().get(step).name() + " without " + plan.steps().get(all.before().get(step).get(edge)).name() + ": " + told);
                hazards.add(told.substring(0, told.indexOf(' ')) + told.substring(told.lastIndexOf(' ')));
            }
        }
        System.out.println("simulated device: of googlenet's " + all.edges() + " edges each is missed where it is left out: " + hazards);
        assertTrue(hazards.containsAll(Set.of("read writing", "write reading")), hazards.toString());
    }

    private static String violationWithout(StepDependencies all, int step, int edge, Plan plan, Map<String, float[]> given) {
        List<List<Integer>> fewer = new ArrayList<>(all.before());
        List<Integer> before = new ArrayList<>(fewer.get(step));
        before.remove(edge);
        fewer.set(step, before);
        SimulatedDevice.begin("");
        try (Gpu gpu = Gpu.open(0);
                CudaExecutable executable = CudaExecutable.prepare(plan, gpu);
                CudaSession session = CudaSession.open(executable, SessionOptions.threads(1), new StepDependencies(fewer))) {
            session.run(given);
            assertThrows(RuntimeException.class, () -> session.run(given), () -> "not missed: " + all.before().get(step).get(edge) + " before " + step);
        }
        return SimulatedDevice.report("violation").getFirst();
    }

    @ParameterizedTest
    @CsvSource({"resnet, F32, 2e-5", "googlenet, F32, 2e-5", "densenet, F32, 2e-5", "effnetv2, F32, 2e-5", "resnet, F16, 1e-2",
        "densenet, F16, 1e-2", "googlenet, F16, 1e-2", "effnetv2, F16, 3e-2", "resnet, BF16, 1e-1"})
    void fashionNetworks(String name, Precision precision, double tolerance) {
        Graph graph = masked(fashion(name), 7);
        Map<String, Tensor> inputs = inputs(graph);
        double[] expected = Interpreter.run(graph, inputs).values().iterator().next().values();
        for (Variant variant : List.of(Variant.BASELINE, Variant.UPSCALE)) {
            Plan plan = Upscale.compileForGpu(graph, DEVICE, variant, precision);
            double error = error(plan, inputs, expected);
            assertTrue(error <= tolerance, name + " " + variant + " " + precision + ": " + error);
            System.out.printf("simulated device: %s %s %s: relative error %.2g%n", name, variant.label(), precision.label(), error);
            assertTrue(plan.steps().stream().anyMatch(step -> step.kernel().startsWith("cudnn.")), "no convolution went to cuDNN");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"squeezenet1_1"})
    void aTorchvisionNetwork(String name) {
        Path masks = SharedModels.find("torchvision/" + name + ".masks.json");
        Graph network = Upscale.read(SharedModels.find("torchvision/" + name + ".onnx.gz"));
        Graph graph = Upscale.prune(network, PatternFile.read(masks + "#l2_0.25"));
        Tensor input = SharedModels.floats(SharedModels.find("torchvision/" + name + ".input.f32"), 1, 3, 224, 224);
        double[] expected = SharedModels.doubles(SharedModels.find("torchvision/" + name + ".masked_outputs.f64"), 0, 1000);
        Plan plan = Upscale.compileForGpu(graph, DEVICE, Variant.UPSCALE, Precision.F32);
        double error = error(plan, Map.of(network.inputs().getFirst(), input), expected);
        System.out.printf("simulated device: %s upscale f32: relative error %.2g%n", name, error);
        assertTrue(error <= 2e-5, name + ": " + error);
    }

    @Test
    void aNetworkThatNormalisesResponses() {
        Graph graph = Upscale.read(SharedModels.find("light/light_inception_v1.onnx"));
        Map<String, Tensor> inputs = inputs(graph);
        double[] expected = Interpreter.run(graph, inputs).values().iterator().next().values();
        Plan plan = Upscale.compileForGpu(graph, DEVICE, Variant.UNPRUNED, Precision.F32);
        assertTrue(plan.steps().stream().anyMatch(step -> step.kernel().equals("cuda.lrn")), "nothing is normalised");
        double error = error(plan, inputs, expected);
        System.out.printf("simulated device: light_inception_v1 unpruned f32: relative error %.2g%n", error);
        assertTrue(error <= 2e-5, String.valueOf(error));
    }

    /** Each kind of fault, early and late: told with the step's name where there is one, and nothing is left behind. */
    @ParameterizedTest
    @ValueSource(strings = {"alloc:1", "alloc:2", "hostalloc:1", "hostalloc:2", "module:1", "launch:1", "launch:7", "refuse:1", "refuse:5", "copy:1",
        "copy:2", "lost:1", "lost:9", "lost:60", "cudnn:1", "cudnn:4", "cudnn:20"})
    void survivesFaults(String fault) {
        Graph graph = masked(fashion("resnet"), 7);
        Plan plan = Upscale.compileForGpu(graph, DEVICE, Variant.BASELINE, Precision.F32);
        Map<String, float[]> given = new LinkedHashMap<>();
        inputs(graph).forEach((name, tensor) -> given.put(name, tensor.floats()));
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
            if (fault.startsWith("launch") || fault.startsWith("refuse") || fault.startsWith("cudnn")) {
                assertTrue(plan.steps().stream().map(Step::name).anyMatch(text::contains), "names no step: " + text);
            }
            if (fault.startsWith("alloc")) {
                assertTrue(failure instanceof InvalidInput && text.contains("smaller batch"), text);
            }
        }
        SimulatedDevice.assertClean();
        try (Gpu gpu = Gpu.open(0)) {
            SimulatedDevice.begin("");
            try (CudaExecutable executable = CudaExecutable.prepare(plan, gpu); CudaSession session = executable.open(SessionOptions.threads(1))) {
                session.run(given);
            }
        }
        SimulatedDevice.assertClean();
    }

    @Test
    void closedSessionsAndOtherPlansAreRefused() {
        Graph graph = masked(fashion("resnet"), 3);
        Plan plan = Upscale.compileForGpu(graph, DEVICE, Variant.UPSCALE, Precision.F32);
        SimulatedDevice.begin("");
        try (Gpu gpu = Gpu.open(0)) {
            CudaExecutable executable = CudaExecutable.prepare(plan, gpu);
            CudaSession session = executable.open(SessionOptions.threads(1));
            try (SessionMemory memory = SessionMemory.of(1, List.of(plan))) {
                SessionOptions inMemory = SessionOptions.threads(1).withMemory(memory);
                assertTrue(assertThrows(IllegalArgumentException.class, () -> executable.open(inMemory)).getMessage().contains("memory of the device"));
            }
            executable.close();
            executable.close();
            session.close();
            assertThrows(IllegalStateException.class, () -> session.run(Map.of(plan.inputs().getFirst().name(),
                    new float[(int) plan.inputs().getFirst().bytes() / Float.BYTES])));
            assertThrows(IllegalStateException.class, () -> executable.open(SessionOptions.threads(1)));
            Plan cpu = Upscale.compile(graph);
            assertTrue(assertThrows(InvalidInput.class, () -> CudaExecutable.prepare(cpu, gpu)).getMessage().contains("--target cuda"));
        }
        SimulatedDevice.assertClean();
    }

    @Test
    void aFailedDeviceIsNotUsedAgain() {
        Graph graph = masked(fashion("resnet"), 3);
        Plan plan = Upscale.compileForGpu(graph, DEVICE, Variant.UPSCALE, Precision.F32);
        Map<String, float[]> given = new LinkedHashMap<>();
        inputs(graph).forEach((name, tensor) -> given.put(name, tensor.floats()));
        SimulatedDevice.begin("");
        try (Gpu gpu = Gpu.open(0);
                CudaExecutable executable = CudaExecutable.prepare(plan, gpu);
                CudaSession session = executable.open(SessionOptions.threads(1))) {
            session.run(given);
            SimulatedDevice.begin("lost:3");
            RuntimeException failure = assertThrows(RuntimeException.class, () -> session.run(given));
            assertTrue(failure.getMessage().contains("CUDA_ERROR_DEVICE_UNAVAILABLE"), failure.getMessage());
            assertTrue(assertThrows(IllegalStateException.class, () -> session.run(given)).getMessage().contains("failed in an earlier run"));
        }
        SimulatedDevice.assertClean();
    }
}
