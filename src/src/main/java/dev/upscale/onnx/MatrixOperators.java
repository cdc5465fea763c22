package dev.upscale.onnx;

import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** MatMul and Gemm: products with a constant matrix become {@link Op.Linear}, under the name of that constant. */
final class MatrixOperators {
    private MatrixOperators() {}

    static void addTo(Map<String, OperatorImport> table) {
        table.put("MatMul", MatrixOperators::matMul);
        table.put("Gemm", MatrixOperators::gemm);
    }

    private static void matMul(NodeImport node) {
        Value left = node.real(0);
        Value right = node.real(1);
        node.require(left.rank() >= 1 && right.rank() >= 1, "a scalar is no matrix: reshape it");
        if (right instanceof Value.Constant weight && !left.isConstant() && right.rank() == 2) {
            node.result(new Op.Linear(), left, transposed(weight));
            return;
        }
        // Vectors are matrices of one row on the left and one column on the right, and the result loses that dimension.
        Value rows = left.rank() == 1 ? node.reshape(left, List.of(1, left.dims().get(0))) : left;
        Value columns = right.rank() == 1 ? node.reshape(right, List.of(right.dims().get(0), 1)) : right;
        if (rows == left && columns == right) {
            node.result(new Op.MatMul(), left, right);
            return;
        }
        Value product = node.emit("product", new Op.MatMul(), rows, columns);
        List<Integer> dims = new ArrayList<>(product.dims());
        if (right.rank() == 1) {
            dims.removeLast();
        }
        if (left.rank() == 1) {
            dims.remove(right.rank() == 1 ? dims.size() - 1 : dims.size() - 2);
        }
        node.reshaped(product, dims);
    }

    private static void gemm(NodeImport node) {
        Value left = node.real(0);
        Value right = node.real(1);
        node.require(left.rank() == 2 && right.rank() == 2, "its operands are " + left.type() + " and " + right.type()
                + ", not matrices: reshape them");
        float alpha = node.real("alpha", 1);
        float beta = node.real("beta", 1);
        boolean transposeLeft = node.whole("transA", 0) != 0;
        boolean transposeRight = node.whole("transB", 0) != 0;
        Value source = transposeLeft ? node.emit("transpose", new Op.Transpose(List.of(1, 0)), left) : left;
        if (right instanceof Value.Constant constant && !left.isConstant()) {
            Value.Constant weight = scaled(transposeRight ? constant : transposed(constant), alpha);
            Optional<Value.Constant> bias = vectorBias(node, beta, weight.dims().get(0));
            if (bias.isPresent()) {
                node.result(new Op.Linear(), source, weight, bias.get());
            } else if (node.has(2)) {
                Value product = node.emit("product", new Op.Linear(), source, weight);
                node.result(new Op.Binary(Op.Binary.Kind.ADD), product, scaledOperand(node, node.real(2), beta));
            } else {
                node.result(new Op.Linear(), source, weight);
            }
            return;
        }
        Value columns = transposeRight ? node.emit("transpose", new Op.Transpose(List.of(1, 0)), right) : right;
        if (alpha == 1 && !node.has(2)) {
            node.result(new Op.MatMul(), source, columns);
            return;
        }
        Value product = scaledOperand(node, node.emit("product", new Op.MatMul(), source, columns), alpha);
        if (node.has(2)) {
            node.result(new Op.Binary(Op.Binary.Kind.ADD), product, scaledOperand(node, node.real(2), beta));
        } else {
            node.alias(0, product);
        }
    }

    /** The third operand as a bias of length {@code outputs}, if it is a constant that is the same in all rows. */
    private static Optional<Value.Constant> vectorBias(NodeImport node, float beta, int outputs) {
        if (!node.has(2) || !(node.real(2) instanceof Value.Constant constant)) {
            return Optional.empty();
        }
        List<Integer> dims = constant.dims();
        boolean oneRow = dims.size() < 2 || dims.size() == 2 && dims.get(0) == 1;
        int width = dims.isEmpty() ? 1 : dims.getLast();
        if (!oneRow || width != outputs && width != 1) {
            return Optional.empty();
        }
        float[] values = constant.tensor().floats();
        float[] bias = values.length == outputs ? values : new float[outputs];
        if (values.length != outputs) {
            Arrays.fill(bias, values[0]);
        }
        return Optional.of(scaled(new Value.Constant(constant.name(), Tensor.f32(bias, outputs)), beta));
    }

    private static Value scaledOperand(NodeImport node, Value operand, float factor) {
        return factor == 1 ? operand
                : node.binary(Op.Binary.Kind.MUL, operand, node.scalarConstant("factor", factor));
    }

    private static Value.Constant scaled(Value.Constant constant, float factor) {
        if (factor == 1) {
            return constant;
        }
        float[] values = constant.tensor().floats().clone();
        for (int i = 0; i < values.length; i++) {
            values[i] *= factor;
        }
        return new Value.Constant(constant.name(), Tensor.of(constant.type(), values));
    }

    private static Value.Constant transposed(Value.Constant constant) {
        int rows = constant.dims().get(0);
        int columns = constant.dims().get(1);
        float[] values = constant.tensor().floats();
        float[] result = new float[values.length];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                result[column * rows + row] = values[row * columns + column];
            }
        }
        return new Value.Constant(constant.name(), Tensor.f32(result, columns, rows));
    }
}
