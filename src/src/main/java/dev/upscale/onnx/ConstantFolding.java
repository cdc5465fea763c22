package dev.upscale.onnx;

import dev.upscale.graph.ElementType;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.ShapeInference;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import java.util.List;
import java.util.Optional;
import java.util.function.LongBinaryOperator;

/**
 * Computes operations on constants. Whole numbers, with which models compute shapes, stay exact over all 64 bits; arithmetic
 * on reals is the interpreter's, rounded to f32.
 */
final class ConstantFolding {
    /** Constants larger than this are not made; the operation stays in the graph. */
    private static final long MOST_ELEMENTS = 1 << 26;

    private ConstantFolding() {}

    /**
     * The result, or none if it is too large to be worth it.
     *
     * @throws InvalidInput if the operands do not fit the operation, or it is not supported on whole numbers
     */
    static Optional<Tensor> fold(Node node, List<Tensor> operands) {
        TensorType type = ShapeInference.infer(node, operands.stream().map(Tensor::type).toList());
        if (type.elements() > MOST_ELEMENTS && type.element() == ElementType.F32) {
            return Optional.empty();
        }
        if (type.elements() > MOST_ELEMENTS) {
            throw new InvalidInput("node " + node.name() + ": computes a shape of " + type.elements()
                    + " numbers: the model is damaged, get it again");
        }
        Tensor first = operands.getFirst();
        return switch (node.op()) {
            case Op.Reshape reshape -> Optional.of(first.reshaped(type.shape()));
            case Op.Slice slice -> Optional.of(slice(slice, first, type.dims()));
            case Op.Transpose transpose -> Optional.of(transpose(transpose, first, type.dims()));
            case Op.Expand expand ->
                    Optional.of(Elements.pick(first, type.dims(), Elements.broadcast(first.type().dims(), type.dims())));
            case Op.Take take -> Optional.of(take(take, first, type.dims()));
            case Op.Concat concat when type.element() == ElementType.I64 -> Optional.of(concat(concat, operands, type));
            case Op.Binary binary when type.element() == ElementType.I64 ->
                    Optional.of(binary(node, binary.kind(), first, operands.get(1), type));
            case Op.Reduce reduce when type.element() == ElementType.I64 ->
                    Optional.of(reduce(node, reduce, first, type));
            default -> {
                if (type.element() == ElementType.I64 && !operands.stream().allMatch(ConstantFolding::isExactInDoubles)) {
                    throw new InvalidInput("node " + node.name() + ": " + node.op()
                            + " on whole numbers is not supported: fold the model's constants (onnxsim)");
                }
                yield Optional.of(Interpreter.fold(node.op(), operands.toArray(Tensor[]::new)));
            }
        };
    }

    private static boolean isExactInDoubles(Tensor tensor) {
        return tensor.type().element() == ElementType.F32
                || java.util.Arrays.stream(tensor.longs()).allMatch(value -> value == (long) (double) value);
    }

    private static Tensor slice(Op.Slice slice, Tensor source, List<Integer> dims) {
        int[] strides = Elements.strides(source.type().dims());
        int offset = slice.size() == 0 ? 0 : slice.start() * strides[slice.axis()];
        strides[slice.axis()] *= slice.step();
        return Elements.pick(source, dims, Elements.positions(dims, strides, offset));
    }

    private static Tensor transpose(Op.Transpose transpose, Tensor source, List<Integer> dims) {
        int[] own = Elements.strides(source.type().dims());
        int[] strides = transpose.permutation().stream().mapToInt(axis -> own[axis]).toArray();
        return Elements.pick(source, dims, Elements.positions(dims, strides, 0));
    }

    private static Tensor take(Op.Take take, Tensor source, List<Integer> dims) {
        int stride = Elements.strides(source.type().dims())[take.axis()];
        int block = stride * source.type().dim(take.axis());
        int[] positions = new int[(int) new TensorType(ElementType.F32, dims).elements()];
        int count = take.indices().size();
        for (int i = 0; i < positions.length; i++) {
            int inner = i % stride;
            int chosen = i / stride % count;
            positions[i] = i / stride / count * block + take.indices().get(chosen) * stride + inner;
        }
        return Elements.pick(source, dims, positions);
    }

    private static Tensor concat(Op.Concat concat, List<Tensor> operands, TensorType type) {
        long[] values = new long[(int) type.elements()];
        int row = Elements.strides(type.dims())[concat.axis()] * type.dim(concat.axis());
        int start = 0;
        for (Tensor operand : operands) {
            int block = Elements.strides(operand.type().dims())[concat.axis()] * operand.type().dim(concat.axis());
            for (int from = 0, to = start; from < operand.longs().length; from += block, to += row) {
                System.arraycopy(operand.longs(), from, values, to, block);
            }
            start += block;
        }
        return Tensor.of(type, values);
    }

    private static Tensor binary(Node node, Op.Binary.Kind kind, Tensor left, Tensor right, TensorType type) {
        LongBinaryOperator operator = switch (kind) {
            case ADD -> Long::sum;
            case SUB -> (a, b) -> a - b;
            case MUL -> (a, b) -> a * b;
            case DIV -> (a, b) -> {
                if (b == 0) {
                    throw new InvalidInput("node " + node.name() + ": divides by zero while it computes a shape:"
                            + " give the input shape that the model was made for");
                }
                return a / b;
            };
            case POW -> (a, b) -> (long) Math.pow(a, b);
            case MIN -> Math::min;
            case MAX -> Math::max;
        };
        int[] leftAt = Elements.broadcast(left.type().dims(), type.dims());
        int[] rightAt = Elements.broadcast(right.type().dims(), type.dims());
        long[] values = new long[leftAt.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = operator.applyAsLong(left.longs()[leftAt[i]], right.longs()[rightAt[i]]);
        }
        return Tensor.of(type, values);
    }

    private static Tensor reduce(Node node, Op.Reduce reduce, Tensor source, TensorType type) {
        LongBinaryOperator operator = switch (reduce.kind()) {
            case SUM -> Long::sum;
            case MIN -> Math::min;
            case MAX -> Math::max;
            case MEAN -> throw new InvalidInput("node " + node.name()
                    + ": the mean of whole numbers is not supported: fold the model's constants (onnxsim)");
        };
        return reduce(source, reduce.axes(), type, operator);
    }

    /** Folds the elements of a tensor of whole numbers along some axes; of none, the result is 0. */
    static Tensor reduce(Tensor source, List<Integer> axes, TensorType type, LongBinaryOperator operator) {
        List<Integer> dims = source.type().dims();
        List<Integer> kept = new java.util.ArrayList<>(dims);
        axes.forEach(axis -> kept.set(axis, 1));
        int[] targets = Elements.broadcast(kept, dims);
        long[] values = new long[(int) type.elements()];
        boolean[] begun = new boolean[values.length];
        for (int i = 0; i < targets.length; i++) {
            int target = targets[i];
            values[target] = begun[target] ? operator.applyAsLong(values[target], source.longs()[i]) : source.longs()[i];
            begun[target] = true;
        }
        return Tensor.of(type, values);
    }
}
