package dev.upscale.onnx;

import dev.upscale.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * What is fixed when a model is imported.
 *
 * @param batch the size of dimension 0 where the model leaves it open; 1 if absent. Given for a model whose batch is fixed
 *     at another size, it rewrites the model for that size where every operation allows it
 * @param inputShapes shapes of inputs, by name; for dimensions that the model leaves open, and checked against the others
 * @param constants inputs that are constants of this import, by name: they are no inputs of the graph. For shapes and the
 *     like that a model takes as inputs
 */
public record ImportOptions(OptionalInt batch, Map<String, List<Integer>> inputShapes, Map<String, Tensor> constants) {

    public ImportOptions {
        inputShapes = Map.copyOf(inputShapes);
        constants = Map.copyOf(constants);
        if (batch.isPresent() && batch.getAsInt() < 1) {
            throw new IllegalArgumentException("batch " + batch.getAsInt());
        }
    }

    /** Batch 1, nothing else fixed. */
    public static ImportOptions defaults() {
        return new ImportOptions(OptionalInt.empty(), Map.of(), Map.of());
    }

    public ImportOptions withBatch(int batch) {
        return new ImportOptions(OptionalInt.of(batch), inputShapes, constants);
    }

    public ImportOptions withInputShapes(Map<String, List<Integer>> inputShapes) {
        return new ImportOptions(batch, inputShapes, constants);
    }

    public ImportOptions withConstants(Map<String, Tensor> constants) {
        return new ImportOptions(batch, inputShapes, constants);
    }
}
