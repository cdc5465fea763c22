package dev.upscale.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.upscale.Upscale;
import dev.upscale.channels.Masking;
import dev.upscale.channels.Pattern;
import dev.upscale.cli.Peer;
import dev.upscale.compile.Compiler;
import dev.upscale.compile.RecogniseShuffles;
import dev.upscale.compile.Variant;
import dev.upscale.graph.DoubleTensor;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.Tensor;
import dev.upscale.onnx.OnnxExporter;
import dev.upscale.prune.Heuristic;
import dev.upscale.prune.PruneOptions;
import dev.upscale.prune.Pruner;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.stream.IntStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What peers compute is what the reference engine computes, on networks as they are and as they are exported. */
class PeersTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"onnxruntime, UNPRUNED", "onnxruntime, BASELINE", "onnxruntime, UPSCALE", "pytorch, UNPRUNED", "pytorch, BASELINE", "pytorch, UPSCALE"})
    void aPeerComputesWhatTheReferenceComputes(String name, Variant variant) throws IOException {
        Optional<Peer> peer = peer(name);
        assumeTrue(peer.isPresent(), "this build has no peer pytorch (mvn -Ppytorch adds it)");
        Graph network = Upscale.read(Path.of("../src/src/main/resources/dev/upscale/demo/densenet.onnx"));
        Pattern pattern = Pruner.prune(RecogniseShuffles.apply(network), Heuristic.L2, 0.5, PruneOptions.Method.UNCONSTRAINED);
        Graph masked = variant == Variant.UNPRUNED ? network : Masking.apply(network, pattern);
        Graph folded = Compiler.fold(masked);
        Path file = folder.resolve("net.onnx");
        OnnxExporter.write(variant == Variant.UNPRUNED ? network : Compiler.prune(folded, variant), file);
        Tensor image = Tensor.random(network.type("input"), 5);
        DoubleTensor truth = Interpreter.run(masked, Map.of("input", image)).values().iterator().next();
        try (Peer.Session session = peer.get().open(Files.readAllBytes(file), 1, List.of(new Peer.Input("input", new long[] {1, 1, 28, 28}, image.floats())))) {
            session.run();
            session.run();
            assertEquals(1, session.outputs().size());
            assertTrue(distance(session.outputs().getFirst(), truth.values()) < 1e-4, "relative L2 " + distance(session.outputs().getFirst(), truth.values()));
        }
        assertTrue(peer.get().version().matches("\\d+\\.\\d+.*"), peer.get().version());
    }

    @Test
    void torchScriptIsSourceTextAndTensors() throws IOException {
        Map<String, byte[]> files = script(TorchScript.Layout.PLANES);
        assertEquals("""
                class Net(Module):
                  __parameters__ = []
                  __buffers__ = []
                  training : bool
                  w0 : Tensor
                  def forward(self: __torch__.Net,
                    x0: Tensor) -> Tensor:
                    t0 = torch.conv2d(x0, self.w0, None, [1, 1], [0, 0], [1, 1], 1)
                    t1 = torch.relu(t0)
                    return t1
                """, new String(files.get("net/code/__torch__.py"), StandardCharsets.UTF_8));
        assertEquals(List.of(1f, 2f, 3f, 4f, 5f, 6f, 7f, 8f), floats(files.get("net/data/0")));
    }

    @Test
    void torchScriptMayKeepChannelsLast() throws IOException {
        Map<String, byte[]> files = script(TorchScript.Layout.CHANNELS_LAST);
        assertEquals("""
                class Net(Module):
                  __parameters__ = []
                  __buffers__ = []
                  training : bool
                  w0 : Tensor
                  def forward(self: __torch__.Net,
                    x0: Tensor) -> Tensor:
                    x0 = torch.contiguous(x0, memory_format=2)
                    t0 = torch.conv2d(x0, self.w0, None, [1, 1], [0, 0], [1, 1], 1)
                    t1 = torch.relu(t0)
                    return torch.contiguous(t1)
                """, new String(files.get("net/code/__torch__.py"), StandardCharsets.UTF_8));
        assertEquals(List.of(1f, 5f, 2f, 6f, 3f, 7f, 4f, 8f), floats(files.get("net/data/0")));
    }

    private static List<Float> floats(byte[] bytes) {
        FloatBuffer values = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
        return IntStream.range(0, values.capacity()).mapToObj(values::get).toList();
    }

    private static Map<String, byte[]> script(TorchScript.Layout layout) throws IOException {
        Graph graph = dev.upscale.graph.GraphText.parse("""
                graph small(x: f32[1,2,3,3]) -> y {
                  w: f32[1,2,2,2] = [1, 2, 3, 4, 5, 6, 7, 8]
                  t = Conv(x, w) kernel=2
                  y = Apply(t) relu
                }
                """);
        Map<String, byte[]> files = new HashMap<>();
        try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(TorchScript.of(graph, layout)))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                files.put(entry.getName(), zip.readAllBytes());
            }
        }
        return files;
    }
    private static Optional<Peer> peer(String name) {
        Iterator<Peer> found = ServiceLoader.load(Peer.class).iterator();
        while (true) {
            try {
                if (!found.hasNext()) {
                    return Optional.empty();
                }
                Peer peer = found.next();
                if (peer.name().equals(name)) {
                    return Optional.of(peer);
                }
            } catch (ServiceConfigurationError e) {
                continue;
            }
        }
    }

    private static double distance(float[] actual, double[] expected) {
        double error = 0;
        double norm = 0;
        for (int i = 0; i < expected.length; i++) {
            error += (actual[i] - expected[i]) * (actual[i] - expected[i]);
            norm += expected[i] * expected[i];
        }
        return Math.sqrt(error / norm);
    }
}
