package dev.upscale.bench;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.upscale.BoundSession;
import dev.upscale.Upscale;
import dev.upscale.bench.ExportTable.ExportCase;
import dev.upscale.cli.Peer;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Op;
import dev.upscale.runtime.Executable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code export} writes computes in ONNX Runtime what our plan computes. {@code bench/exports.sh} tries all networks and masks. */
class ExportsTest {
    private static final Path MODELS = Path.of(System.getProperty("upscale.models", "../../shared/models"), "torchvision");

    @ParameterizedTest
    @CsvSource({"densenet121, l2_0.5", "efficientnet_v2_s, l2_0.25", "googlenet, rand_mix", "mobilenet_v2, l2_0.5", "mobilenet_v2, planted", "resnet18, l2_0.5",
        "resnet18, planted", "resnet50, planted", "shufflenet_v2_x1_0, l2_0.5", "squeezenet1_1, l2_0.5", "squeezenet1_1, rand_mix"})
    void onnxRuntimeComputesWhatWeCompute(String network, String mask) throws IOException {
        assumeTrue(Files.isDirectory(MODELS), "the torchvision networks are not beside the project (-Dupscale.models=DIR names their folder)");
        ExportCase one = new ExportCase(MODELS, network, mask);
        try (Executable executable = Upscale.prepare(Upscale.compile(one.masked()));
                BoundSession ours = BoundSession.open(executable, 1);
                Peer.Session exported = one.open(Variant.UPSCALE, 1)) {
            ours.input(0).put(one.input());
            ours.run();
            float[] expected = new float[ours.output(0).remaining()];
            ours.output(0).get(expected);
            exported.run();
            double difference = ExportTable.distance(exported.outputs().getFirst(), expected);
            assertTrue(difference <= ExportTable.TOLERANCE, one + " is off by " + difference);
        }
        assertTrue(!mask.equals("planted") || one.count(Variant.UPSCALE, Op.Take.class) == 0, "an order exists that needs no gather");
    }
}
