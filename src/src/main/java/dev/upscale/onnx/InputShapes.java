package dev.upscale.onnx;

import dev.upscale.graph.InvalidInput;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Decides the shapes of a model's inputs from what the model states and what the import is given. */
final class InputShapes {
    private InputShapes() {}

    /**
     * The shape of each input. A dimension that the model leaves open is taken from the given shape; else from another input
     * with the same symbol; else, if it is the first, from the batch.
     *
     * @throws InvalidInput if a dimension stays open, or what is given contradicts the model; the message says what to give
     */
    static Map<String, List<Integer>> resolve(List<OnnxModel.ValueInfo> inputs, ImportOptions options) {
        requireKnown(inputs, options);
        Map<String, Integer> symbols = symbols(inputs, options);
        Map<String, List<Integer>> shapes = new HashMap<>();
        for (OnnxModel.ValueInfo input : inputs) {
            List<Integer> shape = shape(input, options, symbols);
            requireSensible(input, shape);
            shapes.put(input.name(), shape);
        }
        return shapes;
    }

    private static void requireKnown(List<OnnxModel.ValueInfo> inputs, ImportOptions options) {
        for (String name : options.inputShapes().keySet()) {
            if (inputs.stream().noneMatch(input -> input.name().equals(name))) {
                throw new InvalidInput("the model has no input " + name + " for --input-shape; its inputs are "
                        + inputs.stream().map(OnnxModel.ValueInfo::name).collect(Collectors.joining(", ")));
            }
        }
    }

    private static void requireSensible(OnnxModel.ValueInfo input, List<Integer> shape) {
        double elements = shape.stream().mapToDouble(Integer::doubleValue).reduce(1, (a, b) -> a * b);
        if (shape.stream().anyMatch(size -> size < 1) || elements > Integer.MAX_VALUE - 8) {
            throw new InvalidInput("input " + input.name() + " would be " + shape
                    + ": give dimensions of at least 1 and fewer than 2^31 elements, or get the model again");
        }
    }

    private static Map<String, Integer> symbols(List<OnnxModel.ValueInfo> inputs, ImportOptions options) {
        Map<String, Integer> symbols = new HashMap<>();
        for (OnnxModel.ValueInfo input : inputs) {
            List<OnnxModel.Dim> dims = input.dims().orElse(List.of());
            if (!dims.isEmpty() && !dims.getFirst().symbol().isEmpty()) {
                symbols.putIfAbsent(dims.getFirst().symbol(), options.batch().orElse(1));
            }
        }
        for (OnnxModel.ValueInfo input : inputs) {
            List<Integer> given = options.inputShapes().get(input.name());
            List<OnnxModel.Dim> dims = input.dims().orElse(List.of());
            for (int axis = 0; given != null && axis < Math.min(dims.size(), given.size()); axis++) {
                if (!dims.get(axis).symbol().isEmpty()) {
                    symbols.put(dims.get(axis).symbol(), given.get(axis));
                }
            }
        }
        return symbols;
    }

    private static List<Integer> shape(OnnxModel.ValueInfo input, ImportOptions options, Map<String, Integer> symbols) {
        List<Integer> given = options.inputShapes().get(input.name());
        if (input.dims().isEmpty()) {
            if (given == null) {
                throw new InvalidInput("input " + input.name() + " has no shape in the model: give one with --input-shape "
                        + input.name() + "=1x3x224x224 or the like");
            }
            return given;
        }
        List<OnnxModel.Dim> dims = input.dims().get();
        if (given != null && given.size() != dims.size()) {
            throw new InvalidInput("input " + input.name() + " is " + dims + ", the given shape " + given
                    + " has another rank: give " + dims.size() + " dimensions");
        }
        List<Integer> shape = new ArrayList<>();
        List<Integer> open = new ArrayList<>();
        for (int axis = 0; axis < dims.size(); axis++) {
            OptionalLong size = dims.get(axis).size();
            String symbol = dims.get(axis).symbol();
            if (size.isPresent()) {
                shape.add(fixed(input, axis, size.getAsLong(), given));
            } else if (given != null) {
                shape.add(given.get(axis));
            } else if (axis == 0) {
                shape.add(symbols.getOrDefault(symbol, options.batch().orElse(1)));
            } else if (symbols.containsKey(symbol)) {
                shape.add(symbols.get(symbol));
            } else {
                shape.add(0);
                open.add(axis);
            }
        }
        if (!open.isEmpty()) {
            String example = java.util.stream.IntStream.range(0, shape.size())
                    .mapToObj(axis -> open.contains(axis) ? "<" + dims.get(axis) + ">" : shape.get(axis).toString())
                    .collect(Collectors.joining("x"));
            throw new InvalidInput("input " + input.name() + " is " + dims + " with open dimensions "
                    + new TreeSet<>(open) + ": give its shape with --input-shape " + input.name() + "=" + example);
        }
        return shape;
    }

    private static int fixed(OnnxModel.ValueInfo input, int axis, long size, List<Integer> given) {
        if (size > Integer.MAX_VALUE) {
            throw new InvalidInput("input " + input.name() + " has dimension " + size
                    + ": the model is damaged, get it again");
        }
        if (given != null && given.get(axis) != size) {
            throw new InvalidInput("input " + input.name() + " has size " + size + " in dimension " + axis
                    + " in the model, the given shape is " + given + ": give it that size, or export the model with an open"
                    + " dimension");
        }
        return (int) size;
    }
}
