package dev.upscale.onnx;

import dev.upscale.graph.ElementType;
import dev.upscale.graph.Function;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Reads ONNX models of opsets 7 to 21 as graphs. Names of tensors, initializers and nodes are kept; shape arithmetic and
 * whatever else is constant is folded; what no output needs is left out. Weights of any width become f32. Safe for use by
 * any number of threads.
 */
public final class OnnxImporter {
    private static final int OLDEST_OPSET = 7;
    private static final int NEWEST_OPSET = 21;

    private final OnnxModel model;
    private final ImportOptions options;
    private final GraphAssembly assembly;
    private final Set<String> initializers;

    private OnnxImporter(OnnxModel model, ImportOptions options) {
        this.model = model;
        this.options = options;
        this.assembly = new GraphAssembly(graphName(model), tensorNames(model.graph()));
        this.initializers = model.graph().initializers().stream().map(OnnxTensor::name).collect(Collectors.toSet());
    }

    /**
     * Reads a model.
     *
     * @param file an {@code .onnx} file, or one packed as {@code .onnx.gz}; external data lie beside it
     * @throws InvalidInput if the file is missing or damaged, holds an operator that is not supported, or leaves a shape
     *     open; the message names file, node, operator, opset and the cure
     */
    public static Graph read(Path file, ImportOptions options) {
        OnnxModel model = OnnxFile.read(file);
        try {
            return graph(model, options);
        } catch (InvalidInput e) {
            throw e.in(file.toString());
        }
    }

    /** Reads a model with batch 1. */
    public static Graph read(Path file) {
        return read(file, ImportOptions.defaults());
    }

    private static String graphName(OnnxModel model) {
        return model.graph().name().isBlank() ? "graph" : model.graph().name();
    }

    private static Set<String> tensorNames(OnnxModel.Graph graph) {
        Set<String> names = new HashSet<>();
        graph.inputs().forEach(input -> names.add(input.name()));
        graph.initializers().forEach(tensor -> names.add(tensor.name()));
        graph.nodes().forEach(node -> names.addAll(node.outputs()));
        return names;
    }

    /** The model's outputs that do not depend on its inputs, by name; they may be whole numbers. */
    static Map<String, Tensor> constantOutputs(OnnxModel model, ImportOptions options) {
        OnnxImporter importer = new OnnxImporter(model, options);
        importer.writeNodes();
        Map<String, Tensor> constants = new LinkedHashMap<>();
        for (OnnxModel.ValueInfo output : model.graph().outputs()) {
            importer.assembly.find(output.name()).ifPresent(value -> {
                if (value instanceof Value.Constant constant) {
                    constants.put(output.name(), constant.tensor());
                }
            });
        }
        return constants;
    }

    /** A model read before, as a graph. */
    static Graph graph(OnnxModel model, ImportOptions options) {
        OnnxImporter importer = new OnnxImporter(model, options);
        importer.writeNodes();
        importer.addOutputs();
        Graph named = NameOutputs.run(importer.assembly.build());
        Graph finished = DropUnreadNodes.run(RecognizeActivations.run(DropUnreadNodes.run(named)));
        boolean open = model.graph().inputs().stream().flatMap(input -> input.dims().stream())
                .anyMatch(dims -> !dims.isEmpty() && dims.getFirst().size().isEmpty());
        return options.batch().isPresent() && !open ? SetBatch.run(finished, options.batch().getAsInt()) : finished;
    }

    private void writeNodes() {
        OnnxModel.Graph graph = model.graph();
        long opset = model.opset();
        if (opset < OLDEST_OPSET || opset > NEWEST_OPSET) {
            throw new InvalidInput("the model has opset " + opset + "; supported are " + OLDEST_OPSET + " to "
                    + NEWEST_OPSET + ": convert it (onnx.version_converter), or export it again with opset 17");
        }
        if (graph.sparseInitializers()) {
            throw new InvalidInput("the model has sparse initializers, which are not supported: store them densely");
        }
        if (graph.outputs().isEmpty()) {
            throw new InvalidInput("the model has no output: it is damaged, get it again");
        }
        List<OnnxModel.Node> live = liveNodes(graph);
        Set<String> read = new HashSet<>();
        live.forEach(node -> read.addAll(node.inputs()));
        graph.outputs().forEach(output -> read.add(output.name()));
        addConstants(read);
        addInputs(read);
        for (OnnxModel.Node node : live) {
            write(node, (int) opset, read);
        }
    }

    /** The nodes that the outputs need, in order. */
    private static List<OnnxModel.Node> liveNodes(OnnxModel.Graph graph) {
        Set<String> needed = new HashSet<>();
        graph.outputs().forEach(output -> needed.add(output.name()));
        List<OnnxModel.Node> live = new ArrayList<>();
        for (OnnxModel.Node node : graph.nodes().reversed()) {
            if (node.outputs().stream().anyMatch(output -> !output.isEmpty() && needed.contains(output))) {
                needed.addAll(node.inputs());
                live.add(node);
            }
        }
        return live.reversed();
    }

    private void addConstants(Set<String> read) {
        for (OnnxTensor tensor : model.graph().initializers()) {
            if (read.contains(tensor.name())) {
                assembly.define(tensor.name(), new Value.Constant(tensor.name(), tensor.decode(model.file())));
            }
        }
        options.constants().forEach((name, tensor) -> {
            if (model.graph().inputs().stream().noneMatch(input -> input.name().equals(name))) {
                throw new InvalidInput("the model has no input " + name + " to be made constant");
            }
            assembly.define(name, new Value.Constant(name, tensor));
        });
    }

    private void addInputs(Set<String> read) {
        List<OnnxModel.ValueInfo> inputs = model.graph().inputs().stream()
                .filter(input -> assembly.find(input.name()).isEmpty()).toList();
        Map<String, List<Integer>> shapes = InputShapes.resolve(inputs.stream()
                .filter(input -> !initializers.contains(input.name())).toList(), options);
        for (OnnxModel.ValueInfo input : inputs) {
            boolean real = ElementKind.of(input.elementType()).filter(ElementKind::isReal).isPresent();
            if (initializers.contains(input.name()) || !real && !read.contains(input.name())) {
                continue;
            }
            if (!real) {
                throw new InvalidInput("input " + input.name() + " is of element type " + input.elementType()
                        + " of ONNX, where only float inputs are supported: remove it, or make it a constant");
            }
            TensorType type = TensorType.f32(shapes.get(input.name()));
            assembly.define(input.name(), assembly.input(input.name(), type));
        }
    }

    private void write(OnnxModel.Node node, int opset, Set<String> read) {
        NodeImport writing = new NodeImport(node, opset, model.file(), assembly, read);
        OperatorImport operator = node.domain().isEmpty() ? OperatorTable.find(node.opType()).orElse(null) : null;
        if (operator == null) {
            String domain = node.domain().isEmpty() ? "" : " of domain " + node.domain();
            throw writing.invalid("operator " + node.opType() + domain + " is not supported: "
                    + (node.domain().isEmpty()
                            ? "simplify the model (onnxsim) or export it without this operator"
                            : "export the model with ONNX's own operators"));
        }
        try {
            operator.write(writing);
        } catch (IllegalArgumentException | ArithmeticException | IndexOutOfBoundsException | NegativeArraySizeException e) {
            throw new InvalidInput(writing.invalid("its attributes or inputs do not fit together (" + e.getMessage()
                    + "): the model is damaged, get it again").getMessage(), e);
        }
        writing.requireAllAsked();
    }

    private void addOutputs() {
        Set<String> outputs = new LinkedHashSet<>();
        model.graph().outputs().forEach(output -> outputs.add(output.name()));
        for (String output : outputs) {
            Value value = assembly.find(output).orElseThrow(() -> new InvalidInput("nothing makes the output " + output
                    + ": the model is damaged, get it again"));
            if (value.type().element() != ElementType.F32) {
                throw new InvalidInput("output " + output + " holds whole numbers, where only float outputs are supported:"
                        + " remove it from the model's outputs");
            }
            if (value instanceof Value.Constant constant) {
                assembly.constantOutput(output, constant);
            } else {
                if (!value.name().equals(output)) {
                    assembly.emit(output, new Op.Apply(Function.NONE), List.of(value), output);
                }
                assembly.output(output);
            }
        }
    }
}
