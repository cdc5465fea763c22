package dev.upscale.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class GraphTextTest {
    /** Every operation, printed as it should be. */
    private static final String ALL = """
            graph all(x: f32[2,8,6,6]) -> y, "odd name" {
              w1: f32[16,8,3,3] = random(1)
              b1: f32[16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 1.5e-7]
              a = Conv(x, w1, b1) kernel=3x3 stride=2 pad=1,0,1,2 : f32[2,16,3,3] @conv1
              w2: f32[16,4,1,3] = random(-77)
              t = ConvTranspose(a, w2) kernel=1x3 stride=1x2 dilation=1x2 outputPad=0x1 groups=2 : f32[2,8,3,10]
              scale: f32[8] = [1, 1, 1, 1, 1, 1, 1, 1]
              shift: f32[8] = [inf, -inf, nan, -0, 0, 1e20, 3.4028235e38, 1.4e-45]
              t2 = BatchNorm(t, scale, shift, scale, scale) epsilon=1e-5 : f32[2,8,3,10]
              t3 = ScaleShift(t2, scale, shift) : f32[2,8,3,10]
              t4 = InstanceNorm(t3, scale, shift) epsilon=0.001 : f32[2,8,3,10]
              ten: f32[10] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
              t5 = LayerNorm(t4, ten) axis=3 epsilon=1e-6 : f32[2,8,3,10]
              t6 = Lrn(t5) size=5 alpha=1e-4 beta=0.75 bias=1 : f32[2,8,3,10]
              t7 = Apply(t6) clip(0,6) : f32[2,8,3,10]
              t8 = Apply(t7) leaky_relu(0.1) : f32[2,8,3,10]
              t9 = Apply(t8) relu : f32[2,8,3,10]
              slope: f32[8,1,1] = [0, 0, 0, 0, 0, 0, 0, 0]
              t10 = PRelu(t9, slope) : f32[2,8,3,10]
              t11 = Binary(t10, t9) add : f32[2,8,3,10]
              t12 = Softmax(t11) axis=1 : f32[2,8,3,10]
              t13 = Concat(t12, t11) axis=1 : f32[2,16,3,10]
              t14 = Slice(t13) axis=1 start=15 size=8 step=-2 : f32[2,8,3,10]
              t15 = Take(t14) axis=1 indices=[0..3,7,6,5,5] : f32[2,8,3,10]
              t16 = Pool(t15) max kernel=2x2 stride=2 ceil : f32[2,8,2,5]
              t17 = Pool(t16) average kernel=3x3 pad=1 countPadding : f32[2,8,2,5]
              t18 = Reduce(t17) mean axes=[2,3] keepDims : f32[2,8,1,1]
              t19 = Expand(t18) dims=[2,8,2,4] : f32[2,8,2,4]
              t20 = Reshape(t19) dims=[2,64] : f32[2,64]
              lw: f32[32,64] = zeros
              t21 = Linear(t20, lw) : f32[2,32]
              t22 = Transpose(t21) permutation=[1,0] : f32[32,2]
              "odd name" = MatMul(t21, t22) : f32[2,2]
              t23 = Pad(x) constant before=[0,0,1,1] after=[0,0,-1,2] value=0.5 : f32[2,8,6,9]
              t24 = Pad(t23) reflect before=[0,0,1,1] after=[0,0,1,2] : f32[2,8,8,12]
              t25 = Resize(t24) linear half_pixel floor size=16x6 scale=2x0.5 : f32[2,8,16,6]
              y = DepthToSpace(t25) dcr block=2 : f32[2,2,32,12]
            }
            """;

    @Test
    void printsWhatItParses() {
        assertEquals(ALL, GraphText.parse(ALL).toString());
    }

    @Test
    void parsesWhatItPrints() {
        Graph graph = GraphText.parse(ALL);
        assertEquals(graph, GraphText.parse(GraphText.print(graph)));
    }

    @Test
    void writesTheSameGraphInManyWays() {
        assertEquals(GraphText.parse("""
                graph g(x: f32[1,2,5,5]) -> y {
                  w: f32[2,2,3,3] = random(5)
                  y = Conv(x, w) kernel=3x3 stride=1x1 pad=1,1,1,1 groups=1
                }
                """), GraphText.parse("""
                # a comment
                graph "g" (
                    x: f32[1,2,5,5],
                ) -> y {   # another

                  "w" : f32[2, 2, 3, 3] = random(5)
                  y = Conv( x,
                            w ) pad=1 kernel=3 : f32[1,2,5,5] @y }
                """));
    }

    @Test
    void takesPartsOfGeneratedWeights() {
        Graph graph = GraphText.parse("""
                graph g(x: f32[1,2]) -> y {
                  w: f32[2,2] = random(3, f32[3,4]).take(0, [2,0]).take(1, [1..2])
                  y = Linear(x, w)
                }
                """);
        Tensor whole = Tensor.random(TensorType.f32(3, 4), 3);
        assertEquals(Tensor.f32(new float[] {whole.floats()[9], whole.floats()[10], whole.floats()[1], whole.floats()[2]}, 2, 2),
                graph.weight("w"));
    }

    @Test
    void tellsContentsApartThatItDoesNotPrint() {
        float[] values = new float[100];
        values[50] = 1;
        Tensor weight = Tensor.f32(values, 10, 10);
        Tensor other = weight.take(1, List.of(0, 1, 2, 3, 4, 5, 6, 7, 9, 8)).take(0, List.of(5, 0, 1, 2, 3, 4, 6, 7, 8, 9));
        assertNotEquals(WeightText.print(weight), WeightText.print(other));
        assertEquals("data(", WeightText.print(weight).substring(0, 5));
        assertEquals("zeros", WeightText.print(Tensor.f32(new float[17], 17)));
        assertEquals("iota", WeightText.print(Tensor.of(new TensorType(ElementType.I64, List.of(17)),
                java.util.stream.LongStream.range(0, 17).toArray())));
    }

    @Test
    void namesLineAndColumnOfAMistake() {
        assertMistake("line 1, column 1: expected 'graph' but found 'n'", "network g");
        assertMistake("line 1, column 14: no type f64[1]; write f32 or i64 and up to 2^31 elements", "graph g(x  : f64[1]) -> y {}");
        assertMistake("line 2, column 7: no operation Convolution; there are Conv, ConvTranspose,", """
                graph g(x: f32[1]) -> y {
                  y = Convolution(x)
                }""");
        assertMistake("line 2, column 24: Concat has no 'axes='; it has axis=", """
                graph g(x: f32[1]) -> y {
                  y = Concat(x) axis=0 axes=0
                }""");
        assertMistake("line 2, column 7: Concat needs axis=", "graph g(x: f32[1]) -> y {\n  y = Concat(x)\n}");
        assertMistake("line 2, column 16: 'rely' is none of none, relu, clip", "graph g(x: f32[1]) -> y {\n  y = Apply(x) rely\n}");
        assertMistake("line 2, column 7: node y (Apply): it has 2 inputs; it reads x f32[1], x f32[1]; cure: give it exactly 1",
                "graph g(x: f32[1]) -> y {\n  y = Apply(x, x) relu\n}");
        assertMistake("line 2, column 3: y is f32[1], not f32[2]", "graph g(x: f32[1]) -> y {\n  y = Apply(x) relu : f32[2]\n}");
        assertMistake("line 2, column 3: tensor x exists already", "graph g(x: f32[1]) -> x {\n  x = Apply(x) relu\n}");
        assertMistake("line 2, column 17: 1 values for f32[2], which has 2", "graph g() -> w {\n  w: f32[2] = [1]\n}");
        assertMistake("line 2, column 16: 'a' is no number of f32[2]", "graph g() -> w {\n  w: f32[2] = [a]\n}");
        assertMistake("line 2, column 22: expected the end of the line", "graph g() -> w {\n  w: f32[2] = [1, 2] x\n}");
        assertMistake("line 3, column 1: expected a tensor's name or '}' but found the end of the text", "graph g() -> w {\n  w: f32[0] = []\n");
        assertMistake("line 1, column 7: a quoted name without its closing quote", "graph \"g() -> w {");
        assertMistake("graph g promises output z, which nothing makes", "graph g() -> z {}");
    }

    private static void assertMistake(String expected, String text) {
        String message = assertThrows(InvalidInput.class, () -> GraphText.parse(text)).getMessage();
        assertEquals(expected, message.substring(0, Math.min(expected.length(), message.length())), message);
    }

    @Property(tries = 200)
    void anyNameAndSeedGoesThroughText(@ForAll String name, @ForAll int seed) {
        Graph graph = Graph.builder(name)
                .input(name, TensorType.f32(3, 20))
                .weight(name + "w", Tensor.random(TensorType.f32(4, 20), seed))
                .node(new Node("", new Op.Linear(), List.of(name, name + "w"), name + "y"))
                .output(name + "y")
                .build();
        assertEquals(graph, GraphText.parse(graph.toString()));
    }

    @Property(tries = 500)
    void damagedTextGivesACleanComplaint(@ForAll int position, @ForAll char replacement) {
        int at = Math.floorMod(position, ALL.length());
        String damaged = ALL.substring(0, at) + replacement + ALL.substring(at + 1);
        try {
            GraphText.parse(damaged);
        } catch (InvalidInput expected) {
            assertNotEquals("", expected.getMessage());
        }
    }
}
