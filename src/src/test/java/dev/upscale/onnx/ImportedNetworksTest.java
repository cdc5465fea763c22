package dev.upscale.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.graph.DoubleTensor;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.Tensor;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** Real networks, imported and interpreted, against the outputs that ONNX Runtime and PyTorch gave. */
class ImportedNetworksTest {

    /** ONNX Runtime computes in f32, which differs from doubles by up to 1.1e-5 in these networks. */
    @ParameterizedTest
    @ValueSource(strings = {"densenet121", "efficientnet_v2_s", "googlenet", "mobilenet_v2", "resnet18", "resnet50",
            "shufflenet_v2_x1_0", "squeezenet1_1"})
    void torchvision(String name) {
        Path folder = SharedModels.find("torchvision");
        Graph graph = OnnxImporter.read(folder.resolve(name + ".onnx.gz"));
        assertEquals(List.of("input"), graph.inputs());
        assertEquals(List.of("output"), graph.outputs());
        Tensor input = SharedModels.floats(folder.resolve(name + ".input.f32"), 1, 3, 224, 224);
        Tensor expected = SharedModels.floats(folder.resolve(name + ".expected_output.f32"), 1, 1000);

        DoubleTensor output = Interpreter.run(graph, Map.of("input", input)).get("output");

        assertEquals(expected.type(), output.type());
        assertClose(1.5e-5, SharedModels.relativeL2(output, expected));
    }

    /** The first mask of each network, whose output was computed in double precision. */
    @ParameterizedTest
    @ValueSource(strings = {"efficientnet_v2_s", "resnet50", "shufflenet_v2_x1_0"})
    void maskedTorchvisionInDoublePrecision(String name) {
        Path folder = SharedModels.find("torchvision");
        Graph graph = OnnxImporter.read(folder.resolve(name + ".onnx.gz"));
        JsonNode mask = new ObjectMapper().readTree(folder.resolve(name + ".masks.json").toFile()).get(0);
        Map<String, Tensor> masked = new HashMap<>();
        mask.get("consumers").forEachEntry((weight, retained) -> masked.put(weight, masked(graph.weight(weight), retained)));

        Tensor input = SharedModels.floats(folder.resolve(name + ".input.f32"), 1, 3, 224, 224);
        DoubleTensor output = Interpreter.run(graph.withWeights(masked), Map.of("input", input)).get("output");

        assertClose(1e-9, SharedModels.relativeL2(output,
                SharedModels.doubles(folder.resolve(name + ".masked_outputs.f64"), 0, 1000)));
    }

    /** The weight with zeros for all input channels but those listed. */
    private static Tensor masked(Tensor weight, JsonNode retained) {
        boolean[] keep = new boolean[weight.type().dim(1)];
        retained.forEach(channel -> keep[channel.asInt()] = true);
        int inner = (int) (weight.type().elements() / weight.type().dim(0) / keep.length);
        float[] values = weight.floats().clone();
        for (int i = 0; i < values.length; i++) {
            if (!keep[i / inner % keep.length]) {
                values[i] = 0;
            }
        }
        return Tensor.of(weight.type(), values);
    }

    @ParameterizedTest
    @ValueSource(strings = {"bvlc_alexnet", "densenet121", "inception_v1", "inception_v2", "resnet50", "shufflenet",
            "squeezenet", "vgg19", "zfnet512"})
    void light(String name) {
        Path file = SharedModels.find("light/light_" + name + ".onnx");
        Graph graph = OnnxImporter.read(file);
        String input = graph.inputs().getFirst();
        float[] values = new float[(int) graph.type(input).elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) i / values.length;
        }
        Path expectedFile = file.resolveSibling("light_" + name + "_output_0.pb");
        Tensor expected = new ModelReader(OnnxFile.readBytes(expectedFile), expectedFile).tensorAlone().decode(file);

        DoubleTensor output = Interpreter.run(graph, Map.of(input, Tensor.of(graph.type(input), values)))
                .get(graph.outputs().getFirst());

        assertEquals(expected.type(), output.type());
        assertClose(1e-6, SharedModels.relativeL2(output, expected));
    }

    /** Expected: ONNX Runtime's first logits for the input i / n. */
    @ParameterizedTest
    @CsvSource({"densenet, 5.03300, -3.69133, 3.93971", "effnetv2, 1.33270, -1.12448, -0.23724",
            "googlenet, 0.99922, -1.14211, 1.48009", "resnet, 2.53031, -0.69811, 2.51965"})
    void fashion(String name, double first, double second, double third) {
        Graph graph = OnnxImporter.read(SharedModels.find("fashion/" + name + ".onnx"), ImportOptions.defaults().withBatch(2));
        float[] values = new float[2 * 28 * 28];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) i / values.length;
        }

        DoubleTensor output = Interpreter.run(graph, Map.of("input", Tensor.f32(values, 2, 1, 28, 28)))
                .get(graph.outputs().getFirst());

        assertEquals(List.of(2, 10), output.type().dims());
        assertEquals(first, output.values()[0], 1e-4);
        assertEquals(second, output.values()[1], 1e-4);
        assertEquals(third, output.values()[12], 1e-4);
    }

    @Test
    void ocrDetector() {
        Path folder = SharedModels.find("ocr");
        Graph graph = OnnxImporter.read(folder.resolve("ch_PP-OCRv4_det_infer.onnx"),
                ImportOptions.defaults().withInputShapes(Map.of("x", List.of(1, 3, 640, 640))));
        Tensor input = SharedModels.floats(folder.resolve("page.input.f32.gz"), 1, 3, 640, 640);
        Tensor expected = SharedModels.floats(folder.resolve("page.expected_output.f32.gz"), 1, 1, 640, 640);

        DoubleTensor output = Interpreter.run(graph, Map.of("x", input)).get(graph.outputs().getFirst());

        assertEquals(expected.type(), output.type());
        assertClose(1.5e-5, SharedModels.relativeL2(output, expected));
    }

    private static void assertClose(double most, double difference) {
        assertTrue(difference <= most, () -> "relative L2 difference " + difference + ", more than " + most);
    }
}
