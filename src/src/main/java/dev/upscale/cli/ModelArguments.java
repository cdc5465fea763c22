package dev.upscale.cli;

import dev.upscale.channels.Masking;
import dev.upscale.channels.Pattern;
import dev.upscale.channels.PatternFile;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import picocli.CommandLine.Option;

/** The network that a command works on, its pattern and its inputs. */
final class ModelArguments extends ModelFile {
    @Option(names = "--pattern", paramLabel = "P", description = "the pruning pattern, a JSON file (of a list of patterns: FILE#NAME);"
            + " without it, channels whose weights are all zero are pruned")
    private String pattern;

    @Option(names = "--input", paramLabel = "X.npy", description = "values of the inputs, one file each in the model's order: npy, or"
            + " .f32 with nothing but little-endian f32 in row-major order, gzipped or not (default: random)")
    private List<Path> inputs = List.of();

    /**
     * The pattern given, or what is zero in the weights.
     *
     * @throws InvalidInput if the pattern does not fit the network
     */
    Pattern pattern(Graph graph) {
        if (pattern == null) {
            return Masking.read(graph);
        }
        Pattern read = PatternFile.read(pattern);
        try {
            Masking.requireFit(graph, read);
        } catch (InvalidInput e) {
            throw e.in(pattern);
        }
        return read;
    }

    /** Values for the inputs: those given, or normally distributed ones, always the same. */
    Map<String, Tensor> inputs(Graph graph) {
        if (inputs.isEmpty()) {
            return random(graph);
        }
        if (inputs.size() != graph.inputs().size()) {
            throw new InvalidInput("--input is given " + inputs.size() + " times, and the model has " + graph.inputs().size()
                    + " inputs: " + String.join(", ", graph.inputs()));
        }
        Map<String, Tensor> values = new LinkedHashMap<>();
        for (int i = 0; i < inputs.size(); i++) {
            String name = graph.inputs().get(i);
            Tensor tensor = read(inputs.get(i), graph.type(name));
            if (!tensor.type().equals(graph.type(name))) {
                throw new InvalidInput(inputs.get(i) + " is " + tensor.type() + ", and input " + name + " of the model is " + graph.type(name));
            }
            values.put(name, tensor);
        }
        return values;
    }

    private static Tensor read(Path file, TensorType type) {
        if (!file.getFileName().toString().matches(".*\\.f32(\\.gz)?")) {
            return NpyFile.read(file);
        }
        byte[] bytes = InputFile.read(file);
        if (bytes.length != Float.BYTES * type.elements()) {
            throw new InvalidInput(file + " holds " + bytes.length + " bytes, and " + type + " has " + Float.BYTES * type.elements());
        }
        float[] values = new float[bytes.length / Float.BYTES];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
        return Tensor.of(type, values);
    }

    private static Map<String, Tensor> random(Graph graph) {
        Random random = new Random(20230717);
        Map<String, Tensor> values = new LinkedHashMap<>();
        for (String name : graph.inputs()) {
            TensorType type = graph.type(name);
            float[] elements = new float[Math.toIntExact(type.elements())];
            for (int i = 0; i < elements.length; i++) {
                elements[i] = (float) random.nextGaussian();
            }
            values.put(name, Tensor.of(type, elements));
        }
        return values;
    }
}
