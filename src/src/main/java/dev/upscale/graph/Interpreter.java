package dev.upscale.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What a graph means: computes it in plain Java with doubles throughout. This is the oracle that every engine is compared
 * with.
 *
 * <p>Large operations run on the threads of the common pool. All methods may be called from any number of threads.
 */
public final class Interpreter {
    private Interpreter() {}

    /**
     * The graph's outputs, by name in the graph's order.
     *
     * @throws InvalidInput if an input is missing or has another type than the graph says
     */
    public static Map<String, DoubleTensor> run(Graph graph, Map<String, Tensor> inputs) {
        return run(graph, inputs, graph.outputs());
    }

    /**
     * The chosen tensors of the graph, by name in the order given. Only the nodes that they need are computed, and every
     * other tensor is given up after its last use.
     *
     * @throws InvalidInput if an input is missing or has another type than the graph says, or a tensor is not in the graph
     */
    public static Map<String, DoubleTensor> run(Graph graph, Map<String, Tensor> inputs, Iterable<String> tensors) {
        Set<String> chosen = new LinkedHashSet<>();
        for (String tensor : tensors) {
            if (!graph.types().containsKey(tensor)) {
                throw new InvalidInput("no tensor " + tensor + " in graph " + graph.name());
            }
            chosen.add(tensor);
        }
        List<Node> needed = needed(graph, chosen);
        Map<String, Node> lastReaders = new HashMap<>();
        needed.forEach(node -> node.inputs().forEach(input -> lastReaders.put(input, node)));
        Map<String, DoubleTensor> values = new HashMap<>();
        for (String input : graph.inputs()) {
            if (lastReaders.containsKey(input) || chosen.contains(input)) {
                values.put(input, DoubleTensor.of(input(graph, inputs, input)));
            }
        }
        for (Node node : needed) {
            List<DoubleTensor> operands = new ArrayList<>();
            for (String input : node.inputs()) {
                operands.add(value(graph, values, input));
            }
            values.put(node.output(), compute(node.op(), graph.type(node.output()), operands));
            for (String input : node.inputs()) {
                if (lastReaders.get(input) == node && !chosen.contains(input)) {
                    values.remove(input);
                }
            }
        }
        Map<String, DoubleTensor> results = new LinkedHashMap<>();
        chosen.forEach(tensor -> results.put(tensor, value(graph, values, tensor)));
        return results;
    }

    private static List<Node> needed(Graph graph, Set<String> chosen) {
        Set<String> tensors = new HashSet<>(chosen);
        List<Node> needed = new ArrayList<>();
        for (Node node : graph.nodes().reversed()) {
            if (tensors.contains(node.output())) {
                tensors.addAll(node.inputs());
                needed.add(node);
            }
        }
        return needed.reversed();
    }

    private static Tensor input(Graph graph, Map<String, Tensor> inputs, String input) {
        Tensor value = inputs.get(input);
        if (value == null) {
            throw new InvalidInput("graph " + graph.name() + " needs input " + input + " " + graph.type(input)
                    + ", but it was given " + (inputs.isEmpty() ? "none" : String.join(", ", inputs.keySet())));
        }
        if (!value.type().equals(graph.type(input))) {
            throw new InvalidInput("graph " + graph.name() + " needs input " + input + " as " + graph.type(input)
                    + ", but it was given " + value.type());
        }
        return value;
    }

    private static DoubleTensor value(Graph graph, Map<String, DoubleTensor> values, String tensor) {
        return graph.isWeight(tensor) ? DoubleTensor.of(graph.weight(tensor)) : values.get(tensor);
    }

    /**
     * The result of one operation.
     *
     * @throws InvalidInput if the operands do not fit the operation
     */
    public static DoubleTensor evaluate(Op op, List<DoubleTensor> operands) {
        List<String> names = IntStream.range(0, operands.size()).mapToObj(i -> "operand " + i).toList();
        Node node = new Node("constant", op, names, "result");
        TensorType type = ShapeInference.infer(node, operands.stream().map(DoubleTensor::type).toList());
        return compute(op, type, operands);
    }

    /**
     * The result of one operation on constants, rounded to the element type.
     *
     * @throws InvalidInput if the operands do not fit the operation
     */
    public static Tensor fold(Op op, Tensor... operands) {
        return evaluate(op, List.of(operands).stream().map(DoubleTensor::of).toList()).rounded();
    }

    /** The operation's result, whose type has been inferred. */
    private static DoubleTensor compute(Op op, TensorType type, List<DoubleTensor> in) {
        DoubleTensor source = in.getFirst();
        double[] result = switch (op) {
            case Op.Conv conv -> Convolution.conv(conv, type, source, in.get(1), optional(in, 2));
            case Op.ConvTranspose conv -> Convolution.transposed(conv, type, source, in.get(1), optional(in, 2));
            case Op.Linear linear -> MatrixProduct.linear(type, source, in.get(1), optional(in, 2));
            case Op.MatMul matMul -> MatrixProduct.matMul(type, source, in.get(1));
            case Op.BatchNorm norm -> Normalization.batch(norm, in);
            case Op.ScaleShift scaleShift -> Normalization.scaleShift(source, in.get(1).values(), in.get(2).values());
            case Op.LayerNorm norm -> Normalization.layer(norm, source, in.get(1), optional(in, 2));
            case Op.InstanceNorm norm -> Normalization.instance(norm, source, in.get(1), in.get(2));
            case Op.Lrn lrn -> Normalization.localResponse(lrn, source);
            case Op.Softmax softmax -> Normalization.softmax(softmax, source);
            case Op.Apply apply -> Elementwise.apply(apply.function(), source);
            case Op.PRelu prelu -> Elementwise.combine(type, source, in.get(1), (x, slope) -> x < 0 ? slope * x : x);
            case Op.Binary binary -> Elementwise.binary(binary.kind(), type, source, in.get(1));
            case Op.Concat concat -> Movement.concat(concat, type, in);
            case Op.Slice slice -> Movement.slice(slice, type, source);
            case Op.Take take -> Movement.take(take, type, source);
            case Op.Reshape reshape -> source.values();
            case Op.Transpose transpose -> Movement.transpose(transpose.permutation(), source);
            case Op.Expand expand -> Movement.expand(source, type.dims());
            case Op.Pad pad -> Movement.pad(pad, type, source);
            case Op.DepthToSpace depthToSpace -> Movement.depthToSpace(depthToSpace, source);
            case Op.Pool pool -> Pooling.pool(pool, type, source);
            case Op.Reduce reduce -> Pooling.reduce(reduce, type, source);
            case Op.Resize resize -> Interpolation.resize(resize, type, source);
        };
        return new DoubleTensor(type, result);
    }

    private static DoubleTensor optional(List<DoubleTensor> operands, int position) {
        return position < operands.size() ? operands.get(position) : null;
    }
}
