package dev.upscale.onnx;

import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import java.util.List;

/** What a tensor name of the model stands for during import. */
sealed interface Value {
    /** Its name in the graph; a constant's may still change if the name is taken by another one. */
    String name();

    TensorType type();

    /** Known now. */
    record Constant(String name, Tensor tensor) implements Value {
        @Override
        public TensorType type() {
            return tensor.type();
        }
    }

    /** Known when the graph runs. */
    record Activation(String name, TensorType type) implements Value {}

    default List<Integer> dims() {
        return type().dims();
    }

    default int rank() {
        return type().rank();
    }

    default boolean isConstant() {
        return this instanceof Constant;
    }
}
