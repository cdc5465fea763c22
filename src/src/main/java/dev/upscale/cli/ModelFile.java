package dev.upscale.cli;

import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
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
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The network that a command works on. */
class ModelFile {
    private static final int MOST_DIMENSIONS = 8;

    @Parameters(paramLabel = "MODEL", description = "the network: an ONNX file, gzipped or not")
    private Path model;

    @Option(names = "--batch", paramLabel = "N", description = "the batch size, where the model leaves it open or allows another (default: the model's, or 1)")
    private Integer batch;

    @Option(names = "--input-shape", paramLabel = "NAME=1x3x48x192", description = "the shape of an input; may be repeated")
    private List<String> shapes = List.of();

    String name() {
        return model.getFileName().toString();
    }

    Path path() {
        return model;
    }

    /**
     * The network for other runtimes: the file itself, or where the batch or a shape was given, an ONNX file with these sizes.
     *
     * @param graph what {@link #read} gave
     */
    byte[] forPeers(Graph graph) {
        return batch == null && shapes.isEmpty() ? InputFile.read(model) : onnx(graph);
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

    /**
     * The network for that many images at once where no batch was given and the model allows it; otherwise as {@link #read} gives it.
     */
    Graph readBatched(int usual) {
        if (batch != null) {
            return read();
        }
        try {
            return OnnxImporter.read(model, new ImportOptions(OptionalInt.of(usual), shapes(), Map.of()));
        } catch (InvalidInput e) {
            return read();
        }
    }

    /** The network as it is in the file. */
    Graph read() {
        return read(model);
    }

    /** Another network of the same batch and shapes. */
    Graph read(Path model) {
        return OnnxImporter.read(model, new ImportOptions(size(batch), shapes(), Map.of()));
    }

    /** A network for that many images at once, or as many as its file says if null. */
    static Graph read(Path model, Integer batch) {
        return OnnxImporter.read(model, new ImportOptions(size(batch), Map.of(), Map.of()));
    }

    private static OptionalInt size(Integer batch) {
        if (batch != null && batch < 1) {
            throw new InvalidInput("--batch " + batch + ": a batch has at least one image");
        }
        return batch == null ? OptionalInt.empty() : OptionalInt.of(batch);
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
