package dev.upscale.onnx;

import dev.upscale.graph.ElementType;
import dev.upscale.graph.Function;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import dev.upscale.graph.Window;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** The graph's operations as nodes of ONNX's opset 17, with the initializers that they read. Used once. */
final class OperatorExport {
    private final Graph graph;
    private final List<OnnxModel.Node> nodes = new ArrayList<>();
    private final Map<String, Tensor> constants = new LinkedHashMap<>();
    private final Set<String> taken;
    private final SourceNames names;

    OperatorExport(Graph graph, SourceNames names) {
        this.graph = graph;
        this.names = names;
        this.taken = new HashSet<>(graph.types().keySet());
        graph.outputs().stream().filter(graph::isWeight).forEach(output -> constants.put(output, graph.weight(output)));
    }

    List<OnnxModel.Node> nodes() {
        return nodes;
    }

    List<OnnxTensor> initializers() {
        return constants.entrySet().stream().map(entry -> tensor(entry.getKey(), entry.getValue())).toList();
    }

    private static OnnxTensor tensor(String name, Tensor tensor) {
        boolean real = tensor.type().element() == ElementType.F32;
        ByteBuffer raw = ByteBuffer.allocate(Math.toIntExact(tensor.type().bytes())).order(ByteOrder.LITTLE_ENDIAN);
        if (real) {
            raw.asFloatBuffer().put(tensor.floats());
        } else {
            raw.asLongBuffer().put(tensor.longs());
        }
        return new OnnxTensor(name, tensor.type().dims().stream().mapToLong(Integer::longValue).toArray(),
                (real ? ElementKind.FLOAT : ElementKind.INT64).number(), raw, new float[0], new double[0], new long[0],
                new long[0], Map.of());
    }

    /** Adds a node's operation. */
    void write(Node node) {
        switch (node.op()) {
            case Op.Conv(Window window, int groups) -> result(node, "Conv", operands(node), window(window)
                    .whole("group", groups).wholes("kernel_shape", window.kernelH(), window.kernelW())
                    .wholes("dilations", window.dilationH(), window.dilationW()));
            case Op.ConvTranspose(Window window, int padH, int padW, int groups) ->
                    result(node, "ConvTranspose", operands(node), window(window)
                            .whole("group", groups).wholes("kernel_shape", window.kernelH(), window.kernelW())
                            .wholes("dilations", window.dilationH(), window.dilationW())
                            .wholes("output_padding", padH, padW));
            case Op.Linear linear -> linear(node);
            case Op.MatMul matMul -> result(node, "MatMul", operands(node), none());
            case Op.BatchNorm(float epsilon) ->
                    result(node, "BatchNormalization", operands(node), none().real("epsilon", epsilon));
            case Op.ScaleShift scaleShift -> scaleShift(node);
            case Op.LayerNorm(int axis, float epsilon) -> result(node, "LayerNormalization", operands(node),
                    none().whole("axis", axis).real("epsilon", epsilon));
            case Op.InstanceNorm(float epsilon) ->
                    result(node, "InstanceNormalization", operands(node), none().real("epsilon", epsilon));
            case Op.Lrn(int size, float alpha, float beta, float bias) -> result(node, "LRN", operands(node),
                    none().whole("size", size).real("alpha", alpha).real("beta", beta).real("bias", bias));
            case Op.Apply(Function function) -> FunctionExport.write(this, node, function);
            case Op.PRelu prelu -> result(node, "PRelu", operands(node), none());
            case Op.Binary(Op.Binary.Kind kind) -> result(node, switch (kind) {
                case ADD -> "Add";
                case SUB -> "Sub";
                case MUL -> "Mul";
                case DIV -> "Div";
                case POW -> "Pow";
                case MIN -> "Min";
                case MAX -> "Max";
            }, operands(node), none());
            case Op.Softmax(int axis) -> result(node, "Softmax", operands(node), none().whole("axis", axis));
            case Op.Concat(int axis) -> result(node, "Concat", operands(node), none().whole("axis", axis));
            case Op.Slice slice -> slice(node, slice);
            case Op.Take(int axis, List<Integer> indices) -> result(node, "Gather",
                    with(operands(node), wholes(node, "indices", indices)), none().whole("axis", axis));
            case Op.Pool pool -> pool(node, pool);
            case Op.Reduce reduce -> reduce(node, reduce);
            case Op.Reshape(List<Integer> dims) ->
                    result(node, "Reshape", with(operands(node), wholes(node, "shape", dims)),
                            dims.contains(0) ? none().whole("allowzero", 1) : none());
            case Op.Transpose(List<Integer> permutation) ->
                    result(node, "Transpose", operands(node), none().wholes("perm", permutation));
            case Op.Expand(List<Integer> dims) ->
                    result(node, "Expand", with(operands(node), wholes(node, "shape", dims)), none());
            case Op.Pad pad -> {
                List<Integer> pads = new ArrayList<>(pad.before());
                pads.addAll(pad.after());
                result(node, "Pad", with(operands(node), wholes(node, "pads", pads),
                        constant(node.output() + "/value", Tensor.f32(new float[] {pad.value()}))),
                        none().text("mode", pad.mode().name().toLowerCase(java.util.Locale.ROOT)));
            }
            case Op.Resize resize -> resize(node, resize);
            case Op.DepthToSpace(int block, Op.DepthToSpace.Mode mode) -> result(node, "DepthToSpace", operands(node),
                    none().whole("blocksize", block).text("mode", mode.name()));
        }
    }

    /** Gemm takes matrices; for other ranks, a product with the transposed weight. */
    private void linear(Node node) {
        if (graph.type(node.input(0)).rank() == 2) {
            result(node, "Gemm", operands(node), none().whole("transB", 1));
            return;
        }
        Tensor weight = graph.weight(node.input(1));
        int rows = weight.type().dim(0);
        int columns = weight.type().dim(1);
        int[] positions = Elements.positions(List.of(columns, rows), new int[] {1, columns}, 0);
        String transposed = constant(node.input(1), Elements.pick(weight, List.of(columns, rows), positions));
        List<String> operands = List.of(operand(node.input(0)), transposed);
        if (node.inputs().size() == 2) {
            result(node, "MatMul", operands, none());
        } else {
            result(node, "Add", List.of(step(node, "MatMul", operands, none()), operand(node.input(2))), none());
        }
    }

    /** A batch normalisation of mean 0 and variance 1. */
    private void scaleShift(Node node) {
        int channels = graph.type(node.input(0)).dim(1);
        float[] ones = new float[channels];
        Arrays.fill(ones, 1);
        result(node, "BatchNormalization", with(operands(node),
                constant(node.output() + "/mean", Tensor.f32(new float[channels], channels)),
                constant(node.output() + "/variance", Tensor.f32(ones, channels))), none().real("epsilon", 0));
    }

    private void slice(Node node, Op.Slice slice) {
        long end = slice.start() + (long) slice.size() * slice.step();
        // Before the first position; -1 would mean the last one.
        long stop = end < 0 ? Long.MIN_VALUE : end;
        result(node, "Slice", with(operands(node), longs(node, "starts", slice.start()), longs(node, "ends", stop),
                longs(node, "axes", slice.axis()), longs(node, "steps", slice.step())), none());
    }

    private void pool(Node node, Op.Pool pool) {
        Window window = pool.window();
        Attributes attributes = window(window).wholes("kernel_shape", window.kernelH(), window.kernelW())
                .whole("ceil_mode", pool.ceil() ? 1 : 0);
        switch (pool.kind()) {
            case MAX -> result(node, "MaxPool", operands(node),
                    attributes.wholes("dilations", window.dilationH(), window.dilationW()));
            case AVERAGE -> {
                if (window.dilationH() != 1 || window.dilationW() != 1) {
                    throw new InvalidInput("node " + node.name() + ": an average pooling with dilation cannot be exported to"
                            + " opset " + OnnxExporter.OPSET);
                }
                result(node, "AveragePool", operands(node),
                        attributes.whole("count_include_pad", pool.countPadding() ? 1 : 0));
            }
        }
    }

    private void reduce(Node node, Op.Reduce reduce) {
        int rank = graph.type(node.input(0)).rank();
        boolean global = rank > 2 && reduce.keepDims()
                && reduce.axes().equals(IntStream.range(2, rank).boxed().toList());
        Attributes keep = none().whole("keepdims", reduce.keepDims() ? 1 : 0);
        switch (reduce.kind()) {
            case SUM -> result(node, "ReduceSum", with(operands(node), wholes(node, "axes", reduce.axes())), keep);
            case MIN -> result(node, "ReduceMin", operands(node), keep.wholes("axes", reduce.axes()));
            case MAX -> result(node, global ? "GlobalMaxPool" : "ReduceMax", operands(node),
                    global ? none() : keep.wholes("axes", reduce.axes()));
            case MEAN -> result(node, global ? "GlobalAveragePool" : "ReduceMean", operands(node),
                    global ? none() : keep.wholes("axes", reduce.axes()));
        }
    }

    /** ONNX takes scales or sizes, not both; scales where they make the sizes. */
    private void resize(Node node, Op.Resize resize) {
        TensorType source = graph.type(node.input(0));
        boolean byScales = (int) Math.floor(source.dim(2) * resize.scaleH()) == resize.height()
                && (int) Math.floor(source.dim(3) * resize.scaleW()) == resize.width();
        boolean bySizes = (float) resize.height() / source.dim(2) == resize.scaleH()
                && (float) resize.width() / source.dim(3) == resize.scaleW();
        if (!byScales && !bySizes) {
            throw new InvalidInput("node " + node.name() + ": a resize whose scales do not make its sizes cannot be exported");
        }
        List<String> target = byScales
                ? List.of("", constant(node.output() + "/scales",
                        Tensor.f32(new float[] {1, 1, resize.scaleH(), resize.scaleW()}, 4)))
                : List.of("", "", longs(node, "sizes", source.dim(0), source.dim(1), resize.height(), resize.width()));
        result(node, "Resize", with(operands(node), target.toArray(String[]::new)),
                none().text("mode", resize.mode().name().toLowerCase(java.util.Locale.ROOT))
                        .text("coordinate_transformation_mode",
                                resize.coordinates().name().toLowerCase(java.util.Locale.ROOT))
                        .text("nearest_mode", resize.nearest().name().toLowerCase(java.util.Locale.ROOT)));
    }

    // What is written

    /** A node's result. */
    void result(Node node, String opType, List<String> inputs, Attributes attributes) {
        nodes.add(new OnnxModel.Node(nodes.size(), node.name(), opType, "", inputs, List.of(node.output()),
                attributes.values));
    }

    /** An intermediate result, called what it was called in the file that the graph was read from, if that had it. */
    String step(Node node, String opType, List<String> inputs, Attributes attributes) {
        Optional<OnnxModel.Node> source = names.take(node.output(), opType, graph.types().keySet());
        String output = fresh(source.map(own -> own.outputs().getFirst()).orElse(node.output() + "/" + opType));
        String name = source.map(OnnxModel.Node::name).filter(own -> !own.isBlank()).orElse(output);
        nodes.add(new OnnxModel.Node(nodes.size(), name, opType, "", inputs, List.of(output), attributes.values));
        return output;
    }

    List<String> operands(Node node) {
        return node.inputs().stream().map(this::operand).toList();
    }

    /** The name of a tensor, which becomes an initializer if it is a weight. */
    String operand(String tensor) {
        return graph.isWeight(tensor) ? constant(tensor, graph.weight(tensor)) : tensor;
    }

    /** An initializer, under its name if no other has it. */
    String constant(String name, Tensor value) {
        boolean own = graph.isWeight(name) && !constants.containsKey(name);
        Tensor present = constants.get(name);
        if (present != null && present.equals(value)) {
            return name;
        }
        String free = own ? name : fresh(name);
        constants.put(free, value);
        return free;
    }

    private String wholes(Node node, String role, List<Integer> values) {
        return longs(node, role, values.stream().mapToLong(Integer::longValue).toArray());
    }

    private String longs(Node node, String role, long... values) {
        return constant(node.output() + "/" + role, Tensor.of(NodeImport.wholeType(List.of(values.length)), values));
    }

    private String fresh(String stem) {
        String name = stem;
        for (int number = 1; !taken.add(name); number++) {
            name = stem + "." + number;
        }
        return name;
    }

    private static List<String> with(List<String> operands, String... more) {
        List<String> all = new ArrayList<>(operands);
        all.addAll(List.of(more));
        return all;
    }

    static Attributes none() {
        return new Attributes();
    }

    private static Attributes window(Window window) {
        return none().wholes("strides", window.strideH(), window.strideW())
                .wholes("pads", window.padTop(), window.padLeft(), window.padBottom(), window.padRight());
    }

    /** A node's attributes, collected. */
    static final class Attributes {
        private final Map<String, OnnxModel.Attribute> values = new HashMap<>();

        Attributes whole(String name, long value) {
            values.put(name, new OnnxModel.Attribute.Whole(value));
            return this;
        }

        Attributes real(String name, float value) {
            values.put(name, new OnnxModel.Attribute.Real(value));
            return this;
        }

        Attributes text(String name, String value) {
            values.put(name, new OnnxModel.Attribute.Text(value));
            return this;
        }

        Attributes wholes(String name, int... numbers) {
            return wholes(name, Arrays.stream(numbers).boxed().toList());
        }

        Attributes wholes(String name, List<Integer> numbers) {
            values.put(name, new OnnxModel.Attribute.Wholes(numbers.stream().map(Integer::longValue).toList()));
            return this;
        }
    }
}
