package dev.upscale.onnx;

import dev.upscale.graph.Function;
import dev.upscale.graph.Node;
import dev.upscale.graph.Tensor;
import java.util.ArrayList;
import java.util.List;

/** The functions of one value as nodes of ONNX's opset 17; those that it lacks are spelled out. */
final class FunctionExport {
    private FunctionExport() {}

    static void write(OperatorExport export, Node node, Function function) {
        String source = export.operand(node.input(0));
        List<String> operand = List.of(source);
        switch (function.kind()) {
            case NONE -> export.result(node, "Identity", operand, OperatorExport.none());
            case RELU -> simple(export, node, "Relu");
            case CLIP -> clip(export, node, function);
            case SIGMOID -> simple(export, node, "Sigmoid");
            case SILU -> product(export, node, source, export.step(node, "Sigmoid", operand, OperatorExport.none()));
            case HARD_SIGMOID -> export.result(node, "HardSigmoid", operand,
                    OperatorExport.none().real("alpha", function.a()).real("beta", function.b()));
            case HARD_SWISH -> simple(export, node, "HardSwish");
            case LEAKY_RELU -> export.result(node, "LeakyRelu", operand,
                    OperatorExport.none().real("alpha", function.a()));
            case TANH -> simple(export, node, "Tanh");
            case GELU -> gelu(export, node, source, export.step(node, "Erf",
                    List.of(scaled(export, node, source, (float) Math.sqrt(0.5))), OperatorExport.none()));
            case GELU_TANH -> gelu(export, node, source, bentCubic(export, node, source));
            case ELU -> export.result(node, "Elu", operand, OperatorExport.none().real("alpha", function.a()));
            case SELU -> export.result(node, "Selu", operand,
                    OperatorExport.none().real("alpha", function.a()).real("gamma", function.b()));
            case MISH -> {
                String soft = export.step(node, "Softplus", operand, OperatorExport.none());
                product(export, node, source, export.step(node, "Tanh", List.of(soft), OperatorExport.none()));
            }
            case SOFTPLUS -> simple(export, node, "Softplus");
            case ERF -> simple(export, node, "Erf");
            case EXP -> simple(export, node, "Exp");
            case LOG -> simple(export, node, "Log");
            case SQRT -> simple(export, node, "Sqrt");
            case ABS -> simple(export, node, "Abs");
            case NEG -> simple(export, node, "Neg");
            case RECIPROCAL -> simple(export, node, "Reciprocal");
            case FLOOR -> simple(export, node, "Floor");
            case CEIL -> simple(export, node, "Ceil");
            case ROUND -> simple(export, node, "Round");
            case SIGN -> simple(export, node, "Sign");
        }
    }

    private static void simple(OperatorExport export, Node node, String opType) {
        export.result(node, opType, export.operands(node), OperatorExport.none());
    }

    private static void product(OperatorExport export, Node node, String left, String right) {
        export.result(node, "Mul", List.of(left, right), OperatorExport.none());
    }

    private static void clip(OperatorExport export, Node node, Function function) {
        List<String> operands = new ArrayList<>(export.operands(node));
        boolean bounded = function.b() != Float.POSITIVE_INFINITY;
        if (function.a() != Float.NEGATIVE_INFINITY) {
            operands.add(scalar(export, node, "min", function.a()));
        } else if (bounded) {
            operands.add("");
        }
        if (bounded) {
            operands.add(scalar(export, node, "max", function.b()));
        }
        export.result(node, "Clip", operands, OperatorExport.none());
    }

    /** x · (1 + bend) · 1/2. */
    private static void gelu(OperatorExport export, Node node, String source, String bend) {
        String gate = binary(export, node, "Add", bend, scalar(export, node, "one", 1));
        String product = binary(export, node, "Mul", source, gate);
        product(export, node, product, scalar(export, node, "half", 0.5f));
    }

    /** tanh(√(2/π) · (x + 0.044715 · x³)). */
    private static String bentCubic(OperatorExport export, Node node, String source) {
        String cube = binary(export, node, "Pow", source, scalar(export, node, "three", 3));
        String sum = binary(export, node, "Add", source, scaled(export, node, cube, 0.044715f));
        return export.step(node, "Tanh", List.of(scaled(export, node, sum, (float) Math.sqrt(2 / Math.PI))),
                OperatorExport.none());
    }

    private static String scaled(OperatorExport export, Node node, String operand, float factor) {
        return binary(export, node, "Mul", operand, scalar(export, node, "factor", factor));
    }

    private static String binary(OperatorExport export, Node node, String opType, String left, String right) {
        return export.step(node, opType, List.of(left, right), OperatorExport.none());
    }

    private static String scalar(OperatorExport export, Node node, String role, float value) {
        return export.constant(node.output() + "/" + role, Tensor.f32(new float[] {value}));
    }
}
