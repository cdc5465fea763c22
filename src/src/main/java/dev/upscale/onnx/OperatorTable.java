package dev.upscale.onnx;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** The operators of ONNX that can be imported, by name. */
final class OperatorTable {
    private static final Map<String, OperatorImport> TABLE = new TreeMap<>();

    static {
        ConvolutionOperators.addTo(TABLE);
        PoolingOperators.addTo(TABLE);
        MatrixOperators.addTo(TABLE);
        NormalizationOperators.addTo(TABLE);
        ElementwiseOperators.addTo(TABLE);
        ReductionOperators.addTo(TABLE);
        ShapeOperators.addTo(TABLE);
        SelectionOperators.addTo(TABLE);
        ResizeOperators.addTo(TABLE);
        ConstantOperators.addTo(TABLE);
    }

    private OperatorTable() {}

    static Optional<OperatorImport> find(String opType) {
        return Optional.ofNullable(TABLE.get(opType));
    }

    static Set<String> names() {
        return TABLE.keySet();
    }
}
