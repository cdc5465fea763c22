package dev.upscale.compile;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class FoldIntoAdditionsTest {
    /** A trunk of {@code 16} channels of which a convolution with many outputs takes some. */
    private static final String TRUNK = """
            graph net(x: f32[1,16,24,24]) -> y {
              v: f32[16,16,1,1] = random(1)
              t = Conv(x, v) kernel=1x1
              s = Binary(t, x) add
              r = Apply(s) relu
              c = %s
              w: f32[256,%d,1,1] = random(2)
              p = Conv(c, w) kernel=1x1
              q = Apply(p) %s
              u: f32[256,16,1,1] = random(3)
              z = Conv(r, u) kernel=1x1
              y = Binary(q, z) add
            }
            """;

    private static CompileOptions libraries() {
        return new CompileOptions(Variant.UPSCALE, List.of("onednn", "xnnpack"));
    }

    private static String sums(Graph graph) {
        return GraphText.print(graph).lines()
                .filter(line -> line.contains("Binary") || line.contains("Apply") || line.contains("Take") || line.contains("Slice"))
                .map(String::strip).collect(Collectors.joining("\n"));
    }

    @Test
    void aSumIsMadeAgainForTheChannelsThatAConvolutionTakes() {
        Graph graph = GraphText.parse(TRUNK.formatted("Take(r) axis=1 indices=[0,5,10,15]", 4, "silu"));
        Graph folded = FoldIntoAdditions.apply(graph, libraries());
        assertEquals("""
                t.channels = Take(t) axis=1 indices=[0,5,10,15] : f32[1,4,24,24]
                x.channels = Take(x) axis=1 indices=[0,5,10,15] : f32[1,4,24,24]
                c.sum = Binary(t.channels, x.channels) add : f32[1,4,24,24] @"s for c"
                c = Apply(c.sum) relu : f32[1,4,24,24] @"r for c"
                s = Binary(t, x) add : f32[1,16,24,24]
                r = Apply(s) relu : f32[1,16,24,24]
                q = Apply(p) silu : f32[1,256,24,24]
                y = Binary(q, z) add : f32[1,256,24,24]""", sums(folded));
        Map<String, Tensor> input = Map.of("x", Tensor.random(graph.type("x"), 4));
        assertArrayEquals(Interpreter.run(graph, input).get("y").values(), Interpreter.run(folded, input).get("y").values(), 1e-9);
    }

    @Test
    void aSliceStaysWhereTheReaderTakesItAsItLies() {
        Graph graph = GraphText.parse(TRUNK.formatted("Slice(r) axis=1 start=4 size=8", 8, "silu"));
        assertEquals(graph, FoldIntoAdditions.apply(graph, libraries()));
    }

    @Test
    void aTakeStaysWhereAReaderWithFewOutputsDoesBetterWithZeroWeights() {
        String few = TRUNK.replace("256", "2").formatted("Take(r) axis=1 indices=[0,2,3,4]", 4, "silu");
        Graph graph = GraphText.parse(few);
        assertEquals(graph, FoldIntoAdditions.apply(graph, libraries()));
    }
}
