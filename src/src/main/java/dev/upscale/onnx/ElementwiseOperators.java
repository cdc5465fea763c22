package dev.upscale.onnx;

import dev.upscale.graph.Broadcast;
import dev.upscale.graph.ElementType;
import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongUnaryOperator;
import java.util.stream.IntStream;

/** Operators that treat each element by itself: activations, arithmetic, and those that do nothing at inference. */
final class ElementwiseOperators {
    private ElementwiseOperators() {}

    static void addTo(Map<String, OperatorImport> table) {
        Map.of("Relu", Function.Kind.RELU, "Sigmoid", Function.Kind.SIGMOID, "HardSwish", Function.Kind.HARD_SWISH,
                "Tanh", Function.Kind.TANH, "Mish", Function.Kind.MISH, "Softplus", Function.Kind.SOFTPLUS)
                .forEach((name, kind) -> table.put(name, node -> apply(node, Function.of(kind))));
        Map.of("Erf", Function.Kind.ERF, "Exp", Function.Kind.EXP, "Log", Function.Kind.LOG, "Sqrt", Function.Kind.SQRT,
                "Reciprocal", Function.Kind.RECIPROCAL, "Floor", Function.Kind.FLOOR, "Ceil", Function.Kind.CEIL,
                "Round", Function.Kind.ROUND)
                .forEach((name, kind) -> table.put(name, node -> apply(node, Function.of(kind))));
        table.put("Abs", node -> wholeOr(node, Math::abs, Function.Kind.ABS));
        table.put("Neg", node -> wholeOr(node, value -> -value, Function.Kind.NEG));
        table.put("Sign", node -> wholeOr(node, Long::signum, Function.Kind.SIGN));
        table.put("Clip", ElementwiseOperators::clip);
        table.put("HardSigmoid", node -> apply(node, new Function(Function.Kind.HARD_SIGMOID,
                node.real("alpha", 0.2f), node.real("beta", 0.5f))));
        table.put("LeakyRelu", node -> apply(node,
                new Function(Function.Kind.LEAKY_RELU, node.real("alpha", 0.01f), 0)));
        table.put("Elu", node -> apply(node, new Function(Function.Kind.ELU, node.real("alpha", 1), 0)));
        table.put("Selu", node -> apply(node, new Function(Function.Kind.SELU,
                node.real("alpha", 1.67326319217681884765625f), node.real("gamma", 1.05070102214813232421875f))));
        table.put("Celu", ElementwiseOperators::celu);
        table.put("Gelu", ElementwiseOperators::gelu);
        table.put("Softsign", ElementwiseOperators::softsign);
        table.put("PRelu", ElementwiseOperators::prelu);
        table.put("Add", node -> binary(node, Op.Binary.Kind.ADD));
        table.put("Sub", node -> binary(node, Op.Binary.Kind.SUB));
        table.put("Mul", node -> binary(node, Op.Binary.Kind.MUL));
        table.put("Div", node -> binary(node, Op.Binary.Kind.DIV));
        table.put("Pow", ElementwiseOperators::pow);
        table.put("Sum", node -> chain(node, Op.Binary.Kind.ADD));
        table.put("Min", node -> chain(node, Op.Binary.Kind.MIN));
        table.put("Max", node -> chain(node, Op.Binary.Kind.MAX));
        table.put("Mean", ElementwiseOperators::mean);
        table.put("Softmax", node -> softmax(node, false));
        table.put("LogSoftmax", node -> softmax(node, true));
        table.put("Identity", node -> node.alias(0, node.input(0)));
        table.put("Dropout", ElementwiseOperators::dropout);
        table.put("Cast", ElementwiseOperators::cast);
        table.put("CastLike", ElementwiseOperators::castLike);
    }

    private static void apply(NodeImport node, Function function) {
        node.result(new Op.Apply(function), node.real(0));
    }

    /** A function that shape arithmetic may also apply to whole numbers. */
    private static void wholeOr(NodeImport node, LongUnaryOperator whole, Function.Kind kind) {
        if (node.input(0).type().element() == ElementType.I64) {
            node.known(Tensor.of(node.input(0).type(), Arrays.stream(node.wholes(0)).map(whole).toArray()));
        } else {
            apply(node, Function.of(kind));
        }
    }

    private static void clip(NodeImport node) {
        float least = Float.NEGATIVE_INFINITY;
        float most = Float.POSITIVE_INFINITY;
        if (node.opset() < 11) {
            least = node.real("min", least);
            most = node.real("max", most);
        } else if (node.input(0).type().element() == ElementType.I64) {
            long low = node.has(1) ? node.wholes(1)[0] : Long.MIN_VALUE;
            long high = node.has(2) ? node.wholes(2)[0] : Long.MAX_VALUE;
            node.known(Tensor.of(node.input(0).type(),
                    Arrays.stream(node.wholes(0)).map(value -> Math.min(Math.max(value, low), high)).toArray()));
            return;
        } else {
            least = node.has(1) ? node.scalar(1) : least;
            most = node.has(2) ? node.scalar(2) : most;
        }
        boolean isRelu = least == 0 && most >= Float.MAX_VALUE;
        apply(node, isRelu ? Function.RELU : new Function(Function.Kind.CLIP, least, most));
    }

    /** alpha · elu(x / alpha). */
    private static void celu(NodeImport node) {
        float alpha = node.real("alpha", 1);
        Function elu = new Function(Function.Kind.ELU, 1, 0);
        if (alpha == 1) {
            apply(node, elu);
            return;
        }
        Value.Constant factor = node.scalarConstant("alpha", alpha);
        Value scaled = node.binary(Op.Binary.Kind.DIV, node.real(0), factor);
        node.result(new Op.Binary(Op.Binary.Kind.MUL), node.emit("elu", new Op.Apply(elu), scaled), factor);
    }

    private static void gelu(NodeImport node) {
        String approximation = node.text("approximate", "none");
        switch (approximation) {
            case "none" -> apply(node, Function.of(Function.Kind.GELU));
            case "tanh" -> apply(node, Function.of(Function.Kind.GELU_TANH));
            default -> throw node.unsupported("approximate", approximation);
        }
    }

    /** x / (1 + |x|). */
    private static void softsign(NodeImport node) {
        Value source = node.real(0);
        Value size = node.binary(Op.Binary.Kind.ADD, node.apply(Function.Kind.ABS, source), node.scalarConstant("one", 1));
        node.result(new Op.Binary(Op.Binary.Kind.DIV), source, size);
    }

    /** One slope per channel may also be given as [C], which does not broadcast, but can mean nothing else. */
    private static void prelu(NodeImport node) {
        Value source = node.real(0);
        Value slope = node.real(1);
        boolean perChannel = slope.rank() == 1 && source.rank() > 2 && slope.dims().get(0).equals(source.dims().get(1))
                && !Broadcast.fits(slope.dims(), source.dims());
        if (perChannel) {
            List<Integer> dims = new ArrayList<>(Collections.nCopies(source.rank() - 1, 1));
            dims.set(0, slope.dims().get(0));
            slope = slope instanceof Value.Constant constant
                    ? new Value.Constant(constant.name(), constant.tensor().reshaped(
                            dims.stream().mapToInt(Integer::intValue).toArray()))
                    : node.reshape(slope, dims);
        }
        node.result(new Op.PRelu(), source, slope);
    }

    private static void binary(NodeImport node, Op.Binary.Kind kind) {
        node.result(new Op.Binary(kind), node.input(0), node.input(1));
    }

    /** The exponent of a real may be a whole number. */
    private static void pow(NodeImport node) {
        Value base = node.input(0);
        Value exponent = node.input(1);
        if (base.type().element() != exponent.type().element() && exponent instanceof Value.Constant constant) {
            exponent = new Value.Constant(constant.name(),
                    ConstantOperators.converted(constant.tensor(), base.type().element()));
        }
        node.result(new Op.Binary(Op.Binary.Kind.POW), base, exponent);
    }

    private static void chain(NodeImport node, Op.Binary.Kind kind) {
        int last = node.inputs() - 1;
        if (last <= 0) {
            node.alias(0, node.input(0));
        } else {
            node.result(new Op.Binary(kind), allBut(node, last, kind), node.input(last));
        }
    }

    private static Value allBut(NodeImport node, int last, Op.Binary.Kind kind) {
        Value result = node.input(0);
        for (int input = 1; input < last; input++) {
            result = node.binary(kind, result, node.input(input));
        }
        return result;
    }

    private static void mean(NodeImport node) {
        Value sum = allBut(node, node.inputs(), Op.Binary.Kind.ADD);
        node.result(new Op.Binary(Op.Binary.Kind.DIV), sum, node.scalarConstant("count", node.inputs()));
    }

    /** Before opset 13, all axes from the given one on are one. */
    private static void softmax(NodeImport node, boolean log) {
        Value source = node.real(0);
        boolean flattens = node.opset() < 13;
        int axis = node.axis(node.whole("axis", flattens ? 1 : -1), Math.max(source.rank(), 1));
        node.require(source.rank() > 0, "a scalar has no axis: reshape it");
        List<Integer> after = source.dims().subList(axis + 1, source.rank());
        if (!flattens || after.stream().allMatch(dim -> dim == 1)) {
            if (log) {
                writeLogSoftmax(node, source, axis, source.dims());
            } else {
                node.result(new Op.Softmax(axis), source);
            }
            return;
        }
        int rows = product(source.dims().subList(0, axis));
        Value flat = node.reshape(source, List.of(rows, product(source.dims().subList(axis, source.rank()))));
        if (log) {
            writeLogSoftmax(node, flat, 1, source.dims());
        } else {
            node.reshaped(node.emit("flat", new Op.Softmax(1), flat), source.dims());
        }
    }

    /** (x − max) − log(sum(exp(x − max))). */
    private static void writeLogSoftmax(NodeImport node, Value source, int axis, List<Integer> dims) {
        Value centred = node.binary(Op.Binary.Kind.SUB, source,
                node.emit("max", new Op.Reduce(Op.Reduce.Kind.MAX, List.of(axis), true), source));
        Value sum = node.emit("sum", new Op.Reduce(Op.Reduce.Kind.SUM, List.of(axis), true),
                node.apply(Function.Kind.EXP, centred));
        Value log = node.apply(Function.Kind.LOG, sum);
        if (source.dims().equals(dims)) {
            node.result(new Op.Binary(Op.Binary.Kind.SUB), centred, log);
        } else {
            node.reshaped(node.binary(Op.Binary.Kind.SUB, centred, log), dims);
        }
    }

    static int product(List<Integer> dims) {
        return dims.stream().reduce(1, Math::multiplyExact);
    }

    private static void dropout(NodeImport node) {
        node.ignore("ratio", "seed", "is_test");
        if (node.has(2)) {
            boolean training = IntStream.range(0, node.wholes(2).length).anyMatch(i -> node.wholes(2)[i] != 0);
            node.require(!training, "it is in training mode, which is not supported: export the model in inference mode");
        }
        node.requireOutputs(1);
        node.alias(0, node.input(0));
    }

    private static void cast(NodeImport node) {
        node.ignore("saturate");
        long number = node.whole("to", 0);
        ElementKind kind = ElementKind.of(number).orElseThrow(() -> node.unsupported("to", number));
        convert(node, kind.isReal() ? ElementType.F32 : ElementType.I64,
                tensor -> node.known(kind == ElementKind.BOOL
                        ? ConstantOperators.truth(tensor)
                        : ConstantOperators.converted(tensor, kind.isReal() ? ElementType.F32 : ElementType.I64)));
    }

    private static void castLike(NodeImport node) {
        node.ignore("saturate");
        ElementType wanted = node.input(1).type().element();
        convert(node, wanted, tensor -> node.known(ConstantOperators.converted(tensor, wanted)));
    }

    private static void convert(NodeImport node, ElementType wanted, Consumer<Tensor> constant) {
        Value source = node.input(0);
        if (source instanceof Value.Constant known && known.type().element() == wanted && wanted == ElementType.F32) {
            node.alias(0, source);
        } else if (source.isConstant()) {
            constant.accept(node.constant(0));
        } else {
            node.require(wanted == ElementType.F32, "it casts activations to whole numbers, which is not supported:"
                    + " activations are float");
            node.alias(0, source);
        }
    }
}
