package dev.upscale.cli;

import dev.upscale.channels.Masking;
import dev.upscale.channels.Pattern;
import dev.upscale.channels.PatternFile;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import dev.upscale.onnx.ImportOptions;
import dev.upscale.onnx.OnnxExporter;
import dev.upscale.onnx.OnnxImporter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The model that a command works on, and its pattern. */
final class ModelArguments {
    private static final int MOST_DIMENSIONS = 8;

    @Parameters(paramLabel = "MODEL", description = "the network: an ONNX file, gzipped or not")
    private Path model;

    @Option(names = "--pattern", paramLabel = "P", description = "the pruning pattern, a JSON file (of a list of patterns: FILE#NAME);"
            + " without it, channels whose weights are all zero are pruned")
    private String pattern;

    @Option(names = "--batch", paramLabel = "N", description = "the batch size, where the model leaves it open or allows another (default: the model's, or 1)")
    private Integer batch;

    @Option(names = "--input-shape", paramLabel = "NAME=1x3x48x192", description = "the shape of an input; may be repeated")
    private List<String> shapes = List.of();

    @Option(names = "--input", paramLabel = "X.npy", description = "values of the inputs, one file each in the model's order (default: random)")
    private List<Path> inputs = List.of();

    String name() {
        return model.getFileName().toString();
    }

    /**
     * The network for other runtimes: the file itself, or where the batch or a shape was given, an ONNX file with these sizes.
     *
     * @param graph what {@link #read} gave
     */
    byte[] forPeers(Graph graph) {
        if (batch == null && shapes.isEmpty()) {
            return InputFile.read(model);
        }
        return onnx(graph);
    }

    /** A network as an ONNX file's content. */
    static byte[] onnx(Graph graph) {
        try {
            Path exported = Files.createTempFile("upscale-peer", ".onnx");
            try {
                OnnxExporter.write(graph, exported);
                return Files.readAllBytes(exported);
            } finally {
                Files.delete(exported);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the temporary folder cannot be written to", e);
        }
    }

    /** The network as it is in the file. */
    Graph read() {
        if (batch != null && batch < 1) {
            throw new InvalidInput("--batch " + batch + ": a batch has at least one image");
        }
        OptionalInt size = batch == null ? OptionalInt.empty() : OptionalInt.of(batch);
        return OnnxImporter.read(model, new ImportOptions(size, shapes(), Map.of()));
    }

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
            Masking.apply(graph, read);
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
            Tensor tensor = NpyFile.read(inputs.get(i));
            if (!tensor.type().equals(graph.type(name))) {
                throw new InvalidInput(inputs.get(i) + " is " + tensor.type() + ", and input " + name + " of the model is " + graph.type(name));
            }
            values.put(name, tensor);
        }
        return values;
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

    private Map<String, List<Integer>> shapes() {
        Map<String, List<Integer>> parsed = new LinkedHashMap<>();
        for (String shape : shapes) {
            int equals = shape.lastIndexOf('=');
            if (equals <= 0) {
                throw new InvalidInput("--input-shape " + shape + " is not of the form NAME=1x3x48x192");
            }
            parsed.put(shape.substring(0, equals), dims(shape, shape.substring(equals + 1)));
        }
        return parsed;
    }

    private static List<Integer> dims(String shape, String text) {
        List<Integer> dims = new ArrayList<>();
        for (String dim : text.split("x", -1)) {
            try {
                dims.add(Integer.parseInt(dim));
            } catch (NumberFormatException e) {
                throw new InvalidInput("--input-shape " + shape + ": " + dim + " is not a size", e);
            }
            if (dims.getLast() < 1 || dims.size() > MOST_DIMENSIONS) {
                throw new InvalidInput("--input-shape " + shape + " is not a shape");
            }
        }
        return dims;
    }
}
