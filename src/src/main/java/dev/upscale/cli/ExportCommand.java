package dev.upscale.cli;

import dev.upscale.compile.Compiler;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.onnx.OnnxExporter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "export", description = "Writes the pruned, reordered network as ONNX for any other runtime: slices where channels are"
        + " contiguous, gathers where they are not.")
final class ExportCommand extends Console {
    @Mixin
    private ModelArguments model;

    @Option(names = "--variant", paramLabel = "V", defaultValue = "upscale", description = "the order: unpruned, constrained, baseline, paper or upscale (default)")
    private String variant;

    @Option(names = {"-o", "--output"}, paramLabel = "OUT.onnx", required = true, description = "where to write the network")
    private Path output;

    @Override
    public Integer call() {
        Variant chosen = EngineArguments.variant(variant);
        progress("export %s ...", model.name());
        Graph graph = model.read();
        Graph exported = exported(Networks.of(chosen, graph, model.pattern(graph)), chosen);
        OutputFile.write(output, file -> OnnxExporter.write(exported, model.path(), file));
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("model", output.toString());
        fields.put("operations", exported.nodes().size());
        fields.put("parameters", exported.weights().values().stream().mapToLong(weight -> weight.type().elements()).sum());
        fields.put("slices", count(exported, Op.Slice.class));
        fields.put("gathers", count(exported, Op.Take.class));
        print(fields, String.format(java.util.Locale.ROOT, "%s: %s operations, %s parameters, %s slices, %s gathers%n", fields.values().toArray()));
        return 0;
    }

    /** The network as a variant leaves it, before it is lowered to kernels. */
    static Graph exported(Graph masked, Variant variant) {
        Graph folded = Compiler.fold(masked);
        return variant == Variant.UNPRUNED ? folded : Compiler.prune(folded, variant);
    }

    private static long count(Graph graph, Class<? extends Op> kind) {
        return graph.nodes().stream().map(Node::op).filter(kind::isInstance).count();
    }
}
