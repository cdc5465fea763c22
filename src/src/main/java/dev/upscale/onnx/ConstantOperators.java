package dev.upscale.onnx;

import dev.upscale.graph.Broadcast;
import dev.upscale.graph.ElementType;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Operators that make constants, and those that are supported on constants alone: what models compute shapes with. Truth
 * values are the whole numbers 0 and 1.
 */
final class ConstantOperators {
    /** Enough for the largest weights, which some models make of constants; bounded by the memory there is. */
    private static final long MOST_ELEMENTS = Math.min(1 << 28, Runtime.getRuntime().maxMemory() / 16);

    private ConstantOperators() {}

    static void addTo(Map<String, OperatorImport> table) {
        table.put("Constant", ConstantOperators::constant);
        table.put("ConstantOfShape", ConstantOperators::constantOfShape);
        table.put("Shape", ConstantOperators::shape);
        table.put("Size", node -> node.known(whole(node.input(0).type().elements())));
        table.put("Range", ConstantOperators::range);
        table.put("NonZero", ConstantOperators::nonZero);
        table.put("Where", ConstantOperators::where);
        table.put("ReduceProd", ConstantOperators::reduceProd);
        table.put("Not", node -> node.known(Tensor.of(node.input(0).type(),
                Arrays.stream(node.wholes(0)).map(value -> value == 0 ? 1 : 0).toArray())));
        table.put("Equal", node -> compare(node, (a, b) -> a == b, (a, b) -> a == b));
        table.put("Less", node -> compare(node, (a, b) -> a < b, (a, b) -> a < b));
        table.put("LessOrEqual", node -> compare(node, (a, b) -> a <= b, (a, b) -> a <= b));
        table.put("Greater", node -> compare(node, (a, b) -> a > b, (a, b) -> a > b));
        table.put("GreaterOrEqual", node -> compare(node, (a, b) -> a >= b, (a, b) -> a >= b));
        table.put("And", node -> compare(node, (a, b) -> (a & b) != 0, (a, b) -> false));
        table.put("Or", node -> compare(node, (a, b) -> (a | b) != 0, (a, b) -> false));
        table.put("Xor", node -> compare(node, (a, b) -> a != b, (a, b) -> false));
        table.put("Mod", ConstantOperators::mod);
    }

    private static Tensor whole(long value) {
        return Tensor.of(NodeImport.wholeType(List.of()), new long[] {value});
    }

    private static void constant(NodeImport node) {
        if (node.hasAttribute("value")) {
            node.known(node.tensor("value").orElseThrow());
        } else if (node.hasAttribute("value_float")) {
            node.known(Tensor.f32(new float[] {node.real("value_float", 0)}));
        } else if (node.hasAttribute("value_int")) {
            node.known(whole(node.whole("value_int", 0)));
        } else if (node.hasAttribute("value_ints")) {
            long[] values = node.wholeList("value_ints").orElseThrow();
            node.known(Tensor.of(NodeImport.wholeType(List.of(values.length)), values));
        } else if (node.hasAttribute("value_floats")) {
            List<Float> values = node.realList("value_floats").orElseThrow();
            float[] array = new float[values.size()];
            IntStream.range(0, array.length).forEach(i -> array[i] = values.get(i));
            node.known(Tensor.f32(array, array.length));
        } else {
            throw node.invalid("it has no value of numbers: the model is damaged, or uses strings or sparse tensors,"
                    + " which are not supported");
        }
    }

    private static void constantOfShape(NodeImport node) {
        List<Integer> dims = ShapeOperators.dims(node, 0);
        Tensor value = node.tensor("value").orElse(Tensor.f32(new float[1], 1));
        node.require(value.type().elements() == 1, "its value is " + value.type() + ", not one element");
        requireFew(node, dims);
        node.known(Elements.pick(value, dims, new int[(int) new TensorType(ElementType.F32, dims).elements()]));
    }

    private static void requireFew(NodeImport node, List<Integer> dims) {
        double elements = dims.stream().mapToDouble(Integer::doubleValue).reduce(1, (a, b) -> a * b);
        node.require(elements <= MOST_ELEMENTS, "it makes a constant of shape " + dims
                + ", which is too large: the model is damaged, or needs another input shape");
    }

    private static void shape(NodeImport node) {
        List<Integer> dims = node.input(0).dims();
        long start = node.whole("start", 0);
        long end = node.whole("end", dims.size());
        int from = Math.clamp(start < 0 ? start + dims.size() : start, 0, dims.size());
        int to = Math.clamp(end < 0 ? end + dims.size() : end, from, dims.size());
        node.known(Tensor.of(NodeImport.wholeType(List.of(to - from)),
                dims.subList(from, to).stream().mapToLong(Integer::longValue).toArray()));
    }

    private static void range(NodeImport node) {
        if (node.input(0).type().element() == ElementType.F32) {
            float start = node.scalar(0);
            float delta = node.scalar(2);
            double count = Math.max(0, Math.ceil(((double) node.scalar(1) - start) / delta));
            node.require(count <= MOST_ELEMENTS, "its range has " + count + " numbers: the model is damaged");
            float[] values = new float[(int) count];
            IntStream.range(0, values.length).forEach(i -> values[i] = start + i * delta);
            node.known(Tensor.f32(values, values.length));
            return;
        }
        for (int input = 0; input < 3; input++) {
            node.require(node.wholes(input).length == 1, "its bounds are no single numbers: the model is damaged");
        }
        long start = node.wholes(0)[0];
        long limit = node.wholes(1)[0];
        long delta = node.wholes(2)[0];
        node.require(delta != 0, "its step is 0: the model is damaged, get it again");
        double count = Math.max(0, Math.ceil(((double) limit - start) / delta));
        node.require(count <= MOST_ELEMENTS, "its range has " + count + " numbers: the model is damaged");
        node.known(Tensor.of(NodeImport.wholeType(List.of((int) count)),
                LongStream.range(0, (long) count).map(i -> start + i * delta).toArray()));
    }

    private static void nonZero(NodeImport node) {
        Tensor source = truth(node.constant(0));
        int rank = source.type().rank();
        int[] strides = Elements.strides(source.type().dims());
        int[] found = IntStream.range(0, source.longs().length).filter(i -> source.longs()[i] != 0).toArray();
        long[] positions = new long[rank * found.length];
        for (int axis = 0; axis < rank; axis++) {
            for (int i = 0; i < found.length; i++) {
                positions[axis * found.length + i] = found[i] / strides[axis] % source.type().dim(axis);
            }
        }
        node.known(Tensor.of(NodeImport.wholeType(List.of(rank, found.length)), positions));
    }

    private static void where(NodeImport node) {
        long[] condition = node.wholes(0);
        Tensor yes = node.constant(1);
        Tensor no = node.constant(2);
        node.require(yes.type().element() == no.type().element(), "its operands are " + yes.type() + " and " + no.type());
        List<Integer> dims = common(node, common(node, node.input(0).dims(), yes.type().dims()), no.type().dims());
        int[] conditionAt = Elements.broadcast(node.input(0).dims(), dims);
        Tensor fromYes = Elements.pick(yes, dims, Elements.broadcast(yes.type().dims(), dims));
        Tensor fromNo = Elements.pick(no, dims, Elements.broadcast(no.type().dims(), dims));
        for (int i = 0; i < conditionAt.length; i++) {
            if (condition[conditionAt[i]] == 0) {
                if (yes.type().element() == ElementType.F32) {
                    fromYes.floats()[i] = fromNo.floats()[i];
                } else {
                    fromYes.longs()[i] = fromNo.longs()[i];
                }
            }
        }
        node.known(fromYes);
    }

    private static List<Integer> common(NodeImport node, List<Integer> left, List<Integer> right) {
        List<Integer> dims = Broadcast.of(left, right).orElseThrow(() -> node.invalid(
                left + " and " + right + " do not broadcast to each other: the model is damaged"));
        requireFew(node, dims);
        return dims;
    }

    private interface WholeTest {
        boolean test(long left, long right);
    }

    private interface RealTest {
        boolean test(float left, float right);
    }

    private static void compare(NodeImport node, WholeTest whole, RealTest real) {
        Tensor left = node.constant(0);
        Tensor right = node.constant(1);
        node.require(left.type().element() == right.type().element(),
                "its operands are " + left.type() + " and " + right.type());
        List<Integer> dims = common(node, left.type().dims(), right.type().dims());
        int[] leftAt = Elements.broadcast(left.type().dims(), dims);
        int[] rightAt = Elements.broadcast(right.type().dims(), dims);
        boolean reals = left.type().element() == ElementType.F32;
        node.known(Tensor.of(NodeImport.wholeType(dims), IntStream.range(0, leftAt.length)
                .mapToLong(i -> (reals
                        ? real.test(left.floats()[leftAt[i]], right.floats()[rightAt[i]])
                        : whole.test(left.longs()[leftAt[i]], right.longs()[rightAt[i]])) ? 1 : 0)
                .toArray()));
    }

    private static void mod(NodeImport node) {
        boolean truncates = node.whole("fmod", 0) != 0;
        Tensor left = node.constant(0);
        Tensor right = node.constant(1);
        node.require(left.type().element() == right.type().element(),
                "its operands are " + left.type() + " and " + right.type());
        List<Integer> dims = common(node, left.type().dims(), right.type().dims());
        int[] leftAt = Elements.broadcast(left.type().dims(), dims);
        int[] rightAt = Elements.broadcast(right.type().dims(), dims);
        if (left.type().element() == ElementType.F32) {
            float[] values = new float[leftAt.length];
            for (int i = 0; i < values.length; i++) {
                values[i] = left.floats()[leftAt[i]] % right.floats()[rightAt[i]];
            }
            node.known(Tensor.of(TensorType.f32(dims), values));
            return;
        }
        node.require(Arrays.stream(right.longs()).noneMatch(value -> value == 0), "it divides by zero");
        node.known(Tensor.of(NodeImport.wholeType(dims), IntStream.range(0, leftAt.length).mapToLong(i -> {
            long a = left.longs()[leftAt[i]];
            long b = right.longs()[rightAt[i]];
            return truncates ? a % b : Math.floorMod(a, b);
        }).toArray()));
    }

    private static void reduceProd(NodeImport node) {
        boolean keep = node.whole("keepdims", 1) != 0;
        Tensor source = node.constant(0);
        node.wholes(0);
        long[] named = node.opset() >= 18
                ? node.has(1) ? node.wholes(1) : new long[0]
                : node.wholeList("axes").orElse(new long[0]);
        int rank = source.type().rank();
        List<Integer> axes = named.length == 0 ? IntStream.range(0, rank).boxed().toList()
                : Arrays.stream(named).mapToObj(axis -> node.axis(axis, rank)).sorted().toList();
        List<Integer> dims = new ArrayList<>();
        for (int axis = 0; axis < rank; axis++) {
            if (!axes.contains(axis)) {
                dims.add(source.type().dim(axis));
            } else if (keep) {
                dims.add(1);
            }
        }
        boolean empty = source.longs().length == 0;
        Tensor product = ConstantFolding.reduce(source, axes, NodeImport.wholeType(dims), (a, b) -> a * b);
        if (empty) {
            Arrays.fill(product.longs(), 1);
        }
        node.known(product);
    }

    /** One real or whole number, as a real. */
    static float scalar(NodeImport node, int input) {
        Tensor tensor = node.constant(input);
        node.require(tensor.type().elements() == 1, "input " + input + " is " + tensor.type() + ", not one number");
        return converted(tensor, ElementType.F32).floats()[0];
    }

    /** Whether each element is not zero. */
    static Tensor truth(Tensor tensor) {
        long[] values = new long[(int) tensor.type().elements()];
        boolean reals = tensor.type().element() == ElementType.F32;
        for (int i = 0; i < values.length; i++) {
            values[i] = (reals ? tensor.floats()[i] != 0 : tensor.longs()[i] != 0) ? 1 : 0;
        }
        return Tensor.of(NodeImport.wholeType(tensor.type().dims()), values);
    }

    /** The elements as the other type; reals are cut off towards zero. */
    static Tensor converted(Tensor tensor, ElementType element) {
        if (tensor.type().element() == element) {
            return tensor;
        }
        int count = (int) tensor.type().elements();
        if (element == ElementType.F32) {
            float[] values = new float[count];
            IntStream.range(0, count).forEach(i -> values[i] = tensor.longs()[i]);
            return Tensor.of(TensorType.f32(tensor.type().dims()), values);
        }
        long[] values = new long[count];
        IntStream.range(0, count).forEach(i -> values[i] = (long) tensor.floats()[i]);
        return Tensor.of(NodeImport.wholeType(tensor.type().dims()), values);
    }
}
