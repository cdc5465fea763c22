package dev.upscale.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.channels.Masking;
import dev.upscale.channels.PatternFile;
import dev.upscale.compile.Compiler;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Nodes of an export are called what they were called in the file that was read. */
class ExportedNamesTest {
    /** What pruning and reordering put in, or make of shuffles; the Reshape before the last layer may become part of that. */
    private static final Set<String> MADE_HERE = Set.of("Slice", "Gather");

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"densenet121", "efficientnet_v2_s", "googlenet", "mobilenet_v2", "resnet18", "resnet50", "shufflenet_v2_x1_0",
            "squeezenet1_1"})
    void everyNodeOfATypeThatTheSourceHasKeepsItsName(String network) {
        Path models = SharedModels.find("torchvision");
        Path source = models.resolve(network + ".onnx.gz");
        Graph graph = OnnxImporter.read(source);
        check(source, Compiler.fold(graph));
        Graph masked = Masking.apply(graph, PatternFile.read(models.resolve(network + ".masks.json") + "#l2_0.5"));
        check(source, Compiler.prune(Compiler.fold(masked), Variant.UPSCALE));
    }

    private void check(Path source, Graph exported) {
        Path file = folder.resolve("exported.onnx");
        OnnxExporter.write(exported, source, file);
        Map<String, String> types = new HashMap<>();
        OnnxFile.read(source).graph().nodes().forEach(node -> types.put(node.name(), node.opType()));
        List<String> renamed = OnnxFile.read(file).graph().nodes().stream()
                .filter(node -> types.containsValue(node.opType()) && !MADE_HERE.contains(node.opType()))
                .filter(node -> !node.opType().equals(types.get(node.name())))
                .map(node -> node.opType() + " " + node.name()).toList();
        assertEquals(List.of(), renamed);
    }

    @Test
    void whatIsSpelledOutAgainReadsTheSame() {
        Path source = SharedModels.find("fashion/effnetv2.onnx");
        Graph graph = OnnxImporter.read(source);
        Path file = folder.resolve("effnetv2.onnx");
        OnnxExporter.write(graph, source, file);
        assertEquals(graph, OnnxImporter.read(file));
        Set<String> own = sigmoids(source);
        assertTrue(own.size() > 10, own.toString());
        assertEquals(own, sigmoids(file));
    }

    /** Name and output of each Sigmoid. */
    private static Set<String> sigmoids(Path file) {
        return OnnxFile.read(file).graph().nodes().stream().filter(node -> node.opType().equals("Sigmoid"))
                .map(node -> node.name() + " " + node.outputs()).collect(Collectors.toSet());
    }
}
