package dev.upscale.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.graph.DoubleTensor;
import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A graph exported and imported again is the same graph, or one that computes the same. */
class OnnxExporterTest {
    /** What comes back in the same words. */
    private static final String SAME = """
            graph same(x: f32[2,8,6,6], v: f32[2,5]) -> t3, t15, t16, t17, t20, t21, t22, t24, t25, t26, t27, t28, t30, t31 {
              w1: f32[16,8,3,3] = random(1)
              b1: f32[16] = random(2)
              a = Conv(x, w1, b1) kernel=3x3 stride=2 pad=1,0,1,2 : f32[2,16,3,3] @conv1
              w2: f32[16,4,1,3] = random(3)
              t = ConvTranspose(a, w2) kernel=1x3 stride=1x2 dilation=1x2 outputPad=0x1 groups=2 : f32[2,8,3,10]
              scale: f32[8] = positive(4)
              shift: f32[8] = random(5)
              t2 = BatchNorm(t, scale, shift, shift, scale) epsilon=1e-5 : f32[2,8,3,10]
              t3 = InstanceNorm(t2, scale, shift) epsilon=0.001 : f32[2,8,3,10]
              ten: f32[10] = random(6)
              t5 = LayerNorm(t2, ten) axis=3 epsilon=1e-6 : f32[2,8,3,10]
              t6 = Lrn(t5) size=5 alpha=1e-4 beta=0.75 bias=1 : f32[2,8,3,10]
              slope: f32[8,1,1] = random(7)
              t10 = PRelu(t6, slope) : f32[2,8,3,10]
              t11 = Binary(t10, t6) add : f32[2,8,3,10]
              t12 = Softmax(t11) axis=1 : f32[2,8,3,10]
              t13 = Concat(t12, t11) axis=1 : f32[2,16,3,10]
              t14 = Slice(t13) axis=1 start=15 size=8 step=-2 : f32[2,8,3,10]
              t15 = Take(t14) axis=1 indices=[0..3,7,6,5,5] : f32[2,8,3,10]
              t16 = Pool(t15) max kernel=2x2 stride=2 ceil : f32[2,8,2,5]
              t17 = Pool(t16) average kernel=3x3 pad=1 countPadding : f32[2,8,2,5]
              t18 = Reduce(t17) mean axes=[2,3] keepDims : f32[2,8,1,1]
              t19 = Expand(t18) dims=[2,8,2,4] : f32[2,8,2,4]
              t20 = Reshape(t19) dims=[2,64] : f32[2,64]
              lw: f32[32,64] = random(8)
              t21 = Linear(t20, lw) : f32[2,32]
              t22 = Transpose(t21) permutation=[1,0] : f32[32,2]
              t23 = MatMul(t21, t22) : f32[2,2]
              lw2: f32[3,5] = random(9)
              lb2: f32[3] = random(10)
              t24 = Linear(v, lw2, lb2) : f32[2,3]
              t25 = Reduce(t23) sum axes=[0] : f32[2]
              t26 = Reduce(x) max axes=[1] keepDims : f32[2,1,6,6]
              t27 = Reduce(x) min axes=[0,3] : f32[8,6]
              p1 = Pad(x) constant before=[0,0,1,1] after=[0,0,-1,2] value=0.5 : f32[2,8,6,9]
              p2 = Pad(p1) reflect before=[0,0,1,1] after=[0,0,1,2] : f32[2,8,8,12]
              t28 = Resize(p2) linear half_pixel round_prefer_floor size=16x6 scale=2x0.5 : f32[2,8,16,6]
              t29 = Resize(p2) nearest align_corners ceil size=5x12 scale=0.625x1 : f32[2,8,5,12]
              t30 = DepthToSpace(t29) crd block=2 : f32[2,2,10,24]
              t31 = Slice(x) axis=2 start=5 size=6 step=-1 : f32[2,8,6,6]
            }
            """;

    private static final Map<String, String> FUNCTIONS = Stream.of("relu", "clip(0,6)", "clip(-inf,0.25)", "clip(0.1,inf)",
            "sigmoid", "silu", "hard_sigmoid(0.3,0.4)", "hard_swish", "leaky_relu(0.1)", "tanh", "gelu", "gelu_tanh",
            "elu(0.5)", "selu(1.5,1.2)", "mish", "softplus", "erf", "exp", "abs", "neg", "floor", "ceil", "round", "sign",
            "none").collect(LinkedHashMap::new, (map, text) -> map.put("y" + map.size(), text), Map::putAll);

    @TempDir
    Path folder;

    private Graph again(Graph graph, String name) {
        Path file = folder.resolve(name);
        OnnxExporter.write(graph, file);
        return OnnxImporter.read(file);
    }

    @Test
    void comesBackTheSame() {
        Graph graph = GraphText.parse(SAME);
        assertEquals(graph.toString(), again(graph, "same.onnx").toString());
        assertEquals(graph.toString(), again(graph, "same.onnx.gz").toString());
    }

    @Test
    void functionsComeBackTheSame() {
        StringBuilder text = new StringBuilder("graph g(x: f32[4,5]) -> " + String.join(", ", FUNCTIONS.keySet()) + " {\n");
        FUNCTIONS.forEach((output, function) -> text.append(output + " = Apply(x) " + function + "\n"));
        Graph graph = GraphText.parse(text + "}");
        assertEquals(graph.toString(), again(graph, "functions.onnx").toString());
    }

    @Test
    void whatIsSpelledOutComputesTheSame() {
        Graph graph = GraphText.parse("""
                graph g(x: f32[2,3,4]) -> a, b, c {
                  s: f32[3] = random(1)
                  t: f32[3] = random(2)
                  a = ScaleShift(x, s, t)
                  w: f32[5,4] = random(3)
                  u: f32[5] = random(4)
                  b = Linear(x, w, u)
                  c = Linear(a, w)
                }
                """);
        Graph again = again(graph, "spelled.onnx");
        float[] values = new float[24];
        Random random = new Random(1);
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat() - 0.5f;
        }
        Map<String, Tensor> inputs = Map.of("x", Tensor.f32(values, 2, 3, 4));
        Map<String, DoubleTensor> expected = Interpreter.run(graph, inputs);
        Interpreter.run(again, inputs).forEach((name, value) ->
                assertArrayEquals(expected.get(name).values(), value.values(), 1e-12, name));
        assertTrue(again.isWeight("w") && again.weight("w").equals(graph.weight("w")));
    }

    @Test
    void aRealNetworkComesBackTheSame() {
        Graph graph = OnnxImporter.read(SharedModels.find("fashion/effnetv2.onnx"));
        assertEquals(graph, again(graph, "effnetv2.onnx"));
    }

    @Test
    void whatCannotBeWrittenLeavesNothingBehind() throws IOException {
        Graph graph = GraphText.parse("""
                graph g(x: f32[1,1,9,9]) -> y {
                  y = Pool(x) average kernel=2x2 dilation=2
                }
                """);
        Path file = folder.resolve("dilated.onnx");
        InvalidInput refusal = assertThrows(InvalidInput.class, () -> OnnxExporter.write(graph, file));
        assertEquals("node y: an average pooling with dilation cannot be exported to opset 17", refusal.getMessage());
        assertFalse(Files.exists(file));
        assertThrows(InvalidInput.class,
                () -> OnnxExporter.write(GraphText.parse("graph g(x: f32[1]) -> y {\ny = Apply(x) relu\n}"),
                        folder.resolve("missing/net.onnx")));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(0, files.count());
        }
    }
}
