package dev.upscale.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.graph.DoubleTensor;
import dev.upscale.graph.ElementType;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/**
 * ONNX's own tests of operators (one-node models, inputs and expected outputs), through importer and interpreter. A model
 * whose weights or shapes are inputs is imported with those inputs as constants; a model that asks for what is not supported
 * must be refused with a reason, and is counted as skipped.
 */
class NodeConformanceTest {
    private static final Path FOLDER = Path.of(
            System.getProperty("upscale.onnx.tests", "/usr/share/libonnx-testdata/data"));
    /** What passes today; a change that lets fewer pass breaks something. */
    private static final int LEAST_PASSED = 600;
    /** ONNX's own tolerances. */
    private static final double RELATIVE = 1e-3;
    private static final double ABSOLUTE = 1e-7;

    /** Tests whose expectation is at fault. */
    private static final Map<String, String> AT_FAULT = Map.of("test_resize_downsample_scales_linear_align_corners",
            "the expectation takes 2.4 pixels for the width of the result (ONNX Runtime computes as we do)");

    private final Map<String, List<String>> skipped = new TreeMap<>();
    private final Map<String, String> failed = new TreeMap<>();
    private int passed;

    @Test
    void everySupportedOperatorComputesWhatOnnxSays() throws IOException {
        Assumptions.assumeTrue(Files.isDirectory(FOLDER), "no ONNX node tests at " + FOLDER
                + ": apt-get install libonnx-testdata, or give -Dupscale.onnx.tests=DIR");
        for (String group : List.of("node", "simple", "pytorch-converted", "pytorch-operator")) {
            List<Path> folders = folders(FOLDER.resolve(group));
            for (Path folder : folders) {
                run(folder);
            }
        }
        report();
        assertEquals(Map.of(), failed);
        assertTrue(passed >= LEAST_PASSED, passed + " passed, fewer than " + LEAST_PASSED);
    }

    private static List<Path> folders(Path group) throws IOException {
        if (!Files.isDirectory(group)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(group)) {
            return entries.filter(folder -> Files.exists(folder.resolve("model.onnx"))).sorted().toList();
        }
    }

    private void run(Path folder) throws IOException {
        String name = folder.getParent().getFileName() + "/" + folder.getFileName();
        try {
            if (AT_FAULT.containsKey(folder.getFileName().toString())) {
                throw new InvalidInput(AT_FAULT.get(folder.getFileName().toString()));
            }
            OnnxModel model = inOpset7(OnnxFile.read(folder.resolve("model.onnx")));
            requireTensors(model);
            for (int set = 0; Files.isDirectory(folder.resolve("test_data_set_" + set)); set++) {
                check(model, folder.resolve("test_data_set_" + set));
            }
            passed++;
        } catch (InvalidInput e) {
            skipped.computeIfAbsent(reason(e.getMessage()), reason -> new ArrayList<>()).add(folder.getFileName().toString());
        } catch (RuntimeException | AssertionError e) {
            failed.put(name, e.toString());
        }
    }

    /**
     * A model of an older opset as one of opset 7, which gave operators new attributes, but the same meaning where those of
     * before are left out. Attributes that only said how to run are dropped; whatever else is old is refused.
     */
    private static OnnxModel inOpset7(OnnxModel model) {
        if (model.opset() == 0 || model.opset() >= 7) {
            return model;
        }
        OnnxModel.Graph graph = model.graph();
        List<OnnxModel.Node> nodes = graph.nodes().stream().map(node -> {
            Map<String, OnnxModel.Attribute> attributes = new HashMap<>(node.attributes());
            attributes.keySet().removeAll(Set.of("is_test", "consumed_inputs"));
            if (node.opType().equals("Gemm")) {
                attributes.remove("broadcast");
            }
            return new OnnxModel.Node(node.position(), node.name(), node.opType(), node.domain(), node.inputs(),
                    node.outputs(), attributes);
        }).toList();
        return new OnnxModel(model.file(), model.irVersion(), Map.of("", 7L), new OnnxModel.Graph(graph.name(), nodes,
                graph.initializers(), graph.inputs(), graph.outputs(), false));
    }

    private static void requireTensors(OnnxModel model) {
        boolean tensors = Stream.concat(model.graph().inputs().stream(), model.graph().outputs().stream())
                .allMatch(value -> value.elementType() != 0);
        if (!tensors) {
            throw new InvalidInput("sequences and optional values are not supported");
        }
    }

    private static void check(OnnxModel model, Path data) throws IOException {
        Map<String, Tensor> inputs = tensors(model.graph().inputs(), data, "input_");
        Map<String, Tensor> expected = tensors(model.graph().outputs(), data, "output_");
        Map<String, Tensor> wholes = new LinkedHashMap<>(inputs);
        wholes.values().removeIf(tensor -> tensor.type().element() == ElementType.F32);
        Map<String, Tensor> allButFirst = new LinkedHashMap<>(inputs);
        inputs.keySet().stream().findFirst().filter(input -> !wholes.containsKey(input)).ifPresent(allButFirst::remove);
        InvalidInput refusal = null;
        for (Map<String, Tensor> constants : List.of(wholes, allButFirst, inputs)) {
            try {
                compare(compute(model, inputs, constants, expected), expected, tolerance(model));
                return;
            } catch (InvalidInput e) {
                refusal = refusal == null || constants == allButFirst ? e : refusal;
            }
        }
        throw refusal;
    }

    private static Map<String, Tensor> tensors(List<OnnxModel.ValueInfo> values, Path data, String prefix)
            throws IOException {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (int i = 0; i < values.size(); i++) {
            Path file = data.resolve(prefix + i + ".pb");
            if (Files.exists(file)) {
                OnnxTensor stored = new ModelReader(OnnxFile.readBytes(file), file).tensorAlone();
                tensors.put(values.get(i).name(), asStated(stored, values.get(i)).decode(file));
            }
        }
        return tensors;
    }

    /** Numpy has no bfloat16, so the files hold its bits as uint16. */
    private static OnnxTensor asStated(OnnxTensor stored, OnnxModel.ValueInfo value) {
        boolean bits = value.elementType() == ElementKind.BFLOAT16.number()
                && stored.dataType() == ElementKind.UINT16.number();
        return bits ? new OnnxTensor(stored.name(), stored.dims(), value.elementType(), stored.raw(), stored.floats(),
                stored.doubles(), stored.ints(), stored.longs(), stored.external()) : stored;
    }

    private static Map<String, DoubleTensor> compute(OnnxModel model, Map<String, Tensor> inputs,
            Map<String, Tensor> constants, Map<String, Tensor> expected) {
        ImportOptions options = ImportOptions.defaults().withConstants(constants);
        Map<String, DoubleTensor> results = new HashMap<>();
        if (expected.values().stream().anyMatch(tensor -> tensor.type().element() == ElementType.I64)) {
            OnnxImporter.constantOutputs(model, options)
                    .forEach((name, tensor) -> results.put(name, DoubleTensor.of(tensor)));
            if (!results.keySet().containsAll(expected.keySet())) {
                throw new InvalidInput("outputs that hold whole numbers are not supported");
            }
            return results;
        }
        Graph graph = OnnxImporter.graph(model, options);
        return Interpreter.run(graph, inputs);
    }

    /** Results are not cut off to bfloat16, whose last place is worth more than ONNX's tolerance. */
    private static double tolerance(OnnxModel model) {
        return model.graph().outputs().stream().anyMatch(value -> value.elementType() == ElementKind.BFLOAT16.number())
                ? 1.0 / 128 : RELATIVE;
    }

    private static void compare(Map<String, DoubleTensor> results, Map<String, Tensor> expected, double relative) {
        expected.forEach((name, tensor) -> {
            DoubleTensor result = results.get(name);
            assertEquals(tensor.type(), result.type(), name);
            DoubleTensor wanted = DoubleTensor.of(tensor);
            for (int i = 0; i < wanted.values().length; i++) {
                double got = result.values()[i];
                double want = wanted.values()[i];
                boolean close = got == want || Double.isNaN(got) && Double.isNaN(want)
                        || Math.abs(got - want) <= ABSOLUTE + relative * Math.abs(want)
                        || Math.abs(got) > Float.MAX_VALUE && (float) got == (float) want;
                assertTrue(close, name + "[" + i + "] is " + got + ", not " + want);
            }
        });
    }

    /** What a refusal says, without names and figures, so that refusals of a kind count together. */
    private static String reason(String message) {
        return message.replaceFirst("^.*?\\(([A-Za-z0-9]+), opset \\d+\\): ", "$1: ")
                .replaceFirst("^(\\w+): operator \\1( of domain \\S+)? is not supported.*", "operator $1$2")
                .replaceFirst(":? (export|cast|simplify|fold|give|remove|convert) .*$", "");
    }

    private void report() {
        int skips = skipped.values().stream().mapToInt(List::size).sum();
        System.out.println("ONNX node tests: " + passed + " passed, " + skips + " skipped, " + failed.size() + " failed");
        skipped.entrySet().stream()
                .sorted(Comparator.comparing((Map.Entry<String, List<String>> entry) -> -entry.getValue().size()))
                .forEach(entry -> System.out.printf("  %4d  %s  (%s)%n", entry.getValue().size(), entry.getKey(),
                        entry.getValue().stream().limit(2).collect(Collectors.joining(", "))));
        failed.forEach((name, problem) -> System.out.println("  FAILED " + name + ": " + problem));
    }
}
