package dev.upscale.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SetBatchTest {

    @Test
    void shapesThatNameTheBatchFollowIt() {
        assertEquals(GraphText.parse("""
                graph g(x: f32[3,4,2,2]) -> y {
                  w: f32[6,4,1,1] = random(1)
                  a = Conv(x, w) kernel=1
                  b = Reshape(a) dims=[3,2,3,2,2]
                  c = Transpose(b) permutation=[0,2,1,3,4]
                  d = Reshape(c) dims=[3,24]
                  token.batch: f32[3,1] = [7, 7, 7]
                  e = Concat(token.batch, d) axis=1
                  s: f32[1,25] = random(3)
                  y = Binary(e, s) mul
                }
                """).toString(), SetBatch.run(GraphText.parse("""
                graph g(x: f32[1,4,2,2]) -> y {
                  w: f32[6,4,1,1] = random(1)
                  a = Conv(x, w) kernel=1
                  b = Reshape(a) dims=[1,2,3,2,2]
                  c = Transpose(b) permutation=[0,2,1,3,4]
                  d = Reshape(c) dims=[1,24]
                  token: f32[1,1] = [7]
                  e = Concat(token, d) axis=1
                  s: f32[1,25] = random(3)
                  y = Binary(e, s) mul
                }
                """), 3).toString());
    }

    private static void assertRefused(String node, String text) {
        InvalidInput refusal = assertThrows(InvalidInput.class, () -> SetBatch.run(GraphText.parse(text), 4));
        assertEquals("node y (" + node + ") works across the batch, so the model's batch of 1 cannot be made 4: export the"
                + " model with an open batch, or leave --batch out", refusal.getMessage());
    }

    @Test
    void whatWorksAcrossTheBatchIsNamed() {
        assertRefused("Softmax", "graph g(x: f32[1,4]) -> y {\ny = Softmax(x) axis=0\n}");
        assertRefused("Reshape", "graph g(x: f32[1,4]) -> y {\ny = Reshape(x) dims=[2,2]\n}");
        assertRefused("Transpose", "graph g(x: f32[1,4]) -> y {\ny = Transpose(x) permutation=[1,0]\n}");
        assertRefused("Reduce", "graph g(x: f32[1,4]) -> y {\ny = Reduce(x) sum axes=[0,1]\n}");
        assertRefused("MatMul", "graph g(x: f32[1,1]) -> y {\ny = MatMul(x, x)\n}");
    }

    @Test
    void everyImageOfARealNetworkIsComputedAsBefore() {
        Path file = SharedModels.find("torchvision/shufflenet_v2_x1_0.onnx.gz");
        Graph two = OnnxImporter.read(file, ImportOptions.defaults().withBatch(2));
        float[] images = new float[2 * 3 * 224 * 224];
        Random random = new Random(1);
        for (int i = 0; i < images.length; i++) {
            images[i] = random.nextFloat();
        }
        float[] second = Arrays.copyOfRange(images, images.length / 2, images.length);
        double[] both = Interpreter.run(two, Map.of("input", Tensor.f32(images, 2, 3, 224, 224))).get("output").values();
        double[] alone = Interpreter.run(OnnxImporter.read(file), Map.of("input", Tensor.f32(second, 1, 3, 224, 224)))
                .get("output").values();
        assertArrayEquals(alone, Arrays.copyOfRange(both, 1000, 2000), 1e-9);
    }
}
