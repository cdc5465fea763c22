package dev.upscale.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.upscale.graph.InvalidInput;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a user reads of a model that cannot be imported: one line with file, node, operator, opset and the cure. */
class RefusedModelsTest {
    @TempDir
    Path folder;

    private void assertRefused(String message, TestModel model, ImportOptions options) {
        Path file = model.write(folder.resolve("net.onnx"));
        InvalidInput refusal = assertThrows(InvalidInput.class, () -> OnnxImporter.read(file, options));
        assertEquals(message, refusal.getMessage().replace(folder.toString() + "/", ""));
    }

    private void assertRefused(String message, TestModel model) {
        assertRefused(message, model, ImportOptions.defaults());
    }

    @Test
    void unknownOperator() {
        assertRefused("net.onnx: node that makes y (NonMaxSuppression, opset 13): operator NonMaxSuppression is not supported:"
                        + " simplify the model (onnxsim) or export it without this operator",
                TestModel.opset(13).input("x", 1, 2).node("y", "NonMaxSuppression", List.of("x")).output("y"));
    }

    @Test
    void opsetOutOfRange() {
        assertRefused("net.onnx: the model has opset 6; supported are 7 to 21: convert it (onnx.version_converter), or export"
                        + " it again with opset 17",
                TestModel.opset(6).input("x", 1, 2).node("y", "Relu", List.of("x")).output("y"));
    }

    @Test
    void openDimensions() {
        assertRefused("net.onnx: input x is [N, 3, H, ?] with open dimensions [2, 3]: give its shape with --input-shape"
                        + " x=1x3x<H>x<?>",
                TestModel.opset(13).input("x", "N", 3, "H", "?").node("y", "Relu", List.of("x")).output("y"));
    }

    @Test
    void aShapeThatContradictsTheModel() {
        TestModel model = TestModel.opset(13).input("x", "N", 3, "H").node("y", "Relu", List.of("x")).output("y");
        assertRefused("net.onnx: input x has size 3 in dimension 1 in the model, the given shape is [1, 4, 8]: give it that"
                + " size, or export the model with an open dimension", model,
                ImportOptions.defaults().withInputShapes(Map.of("x", List.of(1, 4, 8))));
        assertRefused("net.onnx: input x would be [-1, 3, 8]: give dimensions of at least 1 and fewer than 2^31 elements, or"
                + " get the model again", model, ImportOptions.defaults().withInputShapes(Map.of("x", List.of(-1, 3, 8))));
        assertRefused("net.onnx: the model has no input z for --input-shape; its inputs are x", model,
                ImportOptions.defaults().withInputShapes(Map.of("z", List.of(1, 3, 8))));
    }

    @Test
    void aShapeThatOnlyARunKnows() {
        assertRefused("net.onnx: node that makes y (Reshape, opset 13): input s must be a constant: fold the model's constants"
                        + " (onnxsim), or give the input shapes that it depends on",
                TestModel.opset(13).input("x", 1, 2).input("s", 2).node("y", "Reshape", List.of("x", "s")).output("y"));
    }

    @Test
    void anUnknownAttribute() {
        assertRefused("net.onnx: node that makes y (Relu, opset 13): attribute qads is not known for this operator: the model"
                        + " is damaged, or made for another runtime",
                TestModel.opset(13).input("x", 1, 2).node("y", "Relu", List.of("x"), "qads", 1).output("y"));
    }

    @Test
    void shapesThatDoNotFit() {
        assertRefused("net.onnx: node y (Conv): the weight reads 5 channels in each of 1 groups, the source has 4; it reads x"
                        + " f32[1,4,5,5], w f32[8,5,3,3]; cure: make the weight's second dimension 4",
                TestModel.opset(13).input("x", 1, 4, 5, 5).weight("w", 8, 5, 3, 3)
                        .node("y", "Conv", List.of("x", "w")).output("y"));
    }

    @Test
    void wholeNumberInput() {
        OnnxModel.ValueInfo ids = new OnnxModel.ValueInfo("ids", ElementKind.INT64.number(),
                java.util.Optional.of(List.of(new OnnxModel.Dim(java.util.OptionalLong.of(4), ""))));
        assertRefused("net.onnx: input ids is of element type 7 of ONNX, where only float inputs are supported: remove it, or"
                        + " make it a constant",
                TestModel.opset(13).input(ids).weight("table", 10, 3).node("y", "Gather", List.of("table", "ids")).output("y"));
    }

    @Test
    void controlFlow() {
        assertRefused("net.onnx: node that makes y (If, opset 13): operator If is not supported: simplify the model (onnxsim)"
                        + " or export it without this operator",
                TestModel.opset(13).input("x", 1).node("y", "If", List.of("x")).output("y"));
    }

    @Test
    void trainingMode() {
        assertRefused("net.onnx: node that makes y (BatchNormalization, opset 14): it is in training mode, which is not"
                        + " supported: export the model in inference mode (model.eval())",
                TestModel.opset(14).input("x", 1, 2).weight("w", 2).node("y", "BatchNormalization",
                        List.of("x", "w", "w", "w", "w"), "training_mode", 1).output("y"));
    }

    @Test
    void wholeNumberOutput() {
        assertRefused("net.onnx: output y holds whole numbers, where only float outputs are supported: remove it from the"
                        + " model's outputs",
                TestModel.opset(13).input("x", 1, 2).node("y", "Shape", List.of("x")).output("y"));
    }

    @Test
    void aTensorThatNothingMakes() {
        assertRefused("net.onnx: node that makes y (Relu, opset 13): reads tensor z, which nothing before it makes: the model"
                + " is damaged, get it again", TestModel.opset(13).input("x", 1, 2).node("y", "Relu", List.of("z")).output("y"));
    }

    @Test
    void noSuchFile() {
        InvalidInput refusal = assertThrows(InvalidInput.class, () -> OnnxImporter.read(Path.of("missing.onnx")));
        assertEquals("missing.onnx: no such file: give the path of an ONNX model", refusal.getMessage());
    }

    @Test
    void notGzip() throws Exception {
        Path file = Files.write(folder.resolve("net.onnx.gz"), new byte[100]);
        InvalidInput refusal = assertThrows(InvalidInput.class, () -> OnnxImporter.read(file));
        assertEquals(file + ": cannot be read (Not in GZIP format): it is damaged or no gzip file, get it again",
                refusal.getMessage());
    }
}
