package dev.upscale.onnx;

import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.zip.GZIPOutputStream;

/**
 * Writes graphs as ONNX models (opset {@value #OPSET}, IR version {@value #IR_VERSION}) that any runtime reads. Tensor,
 * node and weight names are kept. Safe for use by any number of threads.
 */
public final class OnnxExporter {
    static final int OPSET = 17;
    static final int IR_VERSION = 8;
    private static final int FLOAT = ElementKind.FLOAT.number();

    private OnnxExporter() {}

    /**
     * Writes a model, packed if the name ends in {@code .gz}. What was there is replaced when all is written; a failure
     * leaves it as it was.
     *
     * @throws InvalidInput if the graph cannot be stated in that opset or is too large for one file, or the file cannot be
     *     written; the message names it
     */
    public static void write(Graph graph, Path file) {
        write(model(graph, file, SourceNames.none()), file);
    }

    /**
     * Writes what became of a model. A function that the model spelled out (SiLU as Sigmoid and Mul, say), and that opset {@value #OPSET} lacks, is spelled
     * out again under the names of the model's nodes.
     *
     * @param source the file that the graph was read from
     * @throws InvalidInput as {@link #write(Graph, Path)}
     */
    public static void write(Graph graph, Path source, Path file) {
        write(model(graph, file, SourceNames.of(OnnxFile.read(source))), file);
    }

    private static void write(OnnxModel model, Path file) {
        WireWriter message = ModelWriter.model(model);
        if (message.size() > Integer.MAX_VALUE) {
            throw new InvalidInput(file + ": the model has " + message.size() + " bytes, an ONNX file at most 2^31");
        }
        Path folder = file.toAbsolutePath().getParent();
        try {
            Path part = Files.createTempFile(folder, file.getFileName().toString(), ".part");
            try {
                try (OutputStream stream = open(part, file.toString().endsWith(".gz"))) {
                    message.writeTo(stream);
                }
                Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (IOException e) {
            throw new InvalidInput(file + ": cannot be written (" + e + "): give the path of a file in a folder that exists"
                    + " and that you may write to", e);
        }
    }

    private static OutputStream open(Path file, boolean packed) throws IOException {
        OutputStream stream = Files.newOutputStream(file);
        return packed ? new GZIPOutputStream(stream, 1 << 16) : stream;
    }

    /** The graph as a model that is to be the given file. */
    static OnnxModel model(Graph graph, Path file, SourceNames names) {
        OperatorExport export = new OperatorExport(graph, names);
        graph.nodes().forEach(export::write);
        return new OnnxModel(file, IR_VERSION, Map.of("", (long) OPSET), new OnnxModel.Graph(graph.name(), export.nodes(),
                export.initializers(), values(graph, graph.inputs()), values(graph, graph.outputs()), false));
    }

    private static List<OnnxModel.ValueInfo> values(Graph graph, List<String> tensors) {
        return tensors.stream().map(tensor -> new OnnxModel.ValueInfo(tensor, FLOAT, Optional.of(graph.type(tensor).dims()
                .stream().map(dim -> new OnnxModel.Dim(OptionalLong.of(dim), "")).toList()))).toList();
    }
}
