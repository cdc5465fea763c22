package dev.upscale.compile;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.upscale.compile.MergeSiblings.Family;
import dev.upscale.compile.MergeSiblings.Sibling;
import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MergeSiblingsTest {
    private static final TensorType IMAGE = TensorType.f32(2, 6, 5, 5);

    /** Two convolutions of x with a function behind each, of which one reads a slice and one a take. */
    private static final String TWO = """
            graph two(x: f32[2,6,5,5]) -> y {
              s = Slice(x) axis=1 start=1 size=3
              wa: f32[4,3,1,1] = random(1)
              p = Conv(s, wa) kernel=1x1%s
              a = Apply(p) relu
              t = Take(x) axis=1 indices=[4,2]
              wb: f32[3,2,1,1] = random(2)
              bb: f32[3] = random(3)
              q = Conv(t, wb, bb) kernel=1x1
              b = Apply(q) %s
              wc: f32[2,4,1,1] = random(4)
              c = Conv(a, wc) kernel=1x1
              d = Slice(b) axis=1 start=0 size=2
              %s
            }
            """;

    private static Graph two(String rest) {
        return GraphText.parse(TWO.formatted("", "relu", rest));
    }

    private static Graph merged(Graph graph) {
        Map.Entry<Family, List<Sibling>> family = MergeSiblings.in(graph).entrySet().stream()
                .filter(entry -> entry.getValue().size() > 1).findFirst().orElseThrow();
        Graph merged = MergeSiblings.apply(graph, family.getKey(), family.getValue().get(0), family.getValue().get(1));
        Map<String, Tensor> given = Map.of("x", Tensor.random(IMAGE, 7));
        assertArrayEquals(Interpreter.run(graph, given).get("y").values(), Interpreter.run(merged, given).get("y").values(), 1e-12);
        return merged;
    }

    private static List<String> nodes(Graph graph) {
        return graph.nodes().stream().map(node -> node.op().getClass().getSimpleName() + " " + String.join(", ", node.inputs()) + " -> " + node.output())
                .toList();
    }

    private static List<Integer> numbers(Graph graph) {
        return MergeSiblings.in(graph).values().stream().map(List::size).toList();
    }

    @Test
    void oneReadsTheUnionAndBothAreSlicesOfItsResult() {
        Graph merged = merged(two("v: f32[2,2,1,1] = random(5)\n  z = Conv(d, v) kernel=1x1\n  y = Binary(z, c) mul"));

        assertEquals(List.of("Slice x -> x.channels", "Conv x.channels, wa + wb, bb.1 -> p + q", "Apply p + q -> a + b", "Slice a + b -> a",
                "Slice a + b -> b", "Conv a, wc -> c", "Slice b -> d", "Conv d, v -> z", "Binary z, c -> y"), nodes(merged));
        assertEquals(List.of(7, 4, 1, 1), merged.type("wa + wb").dims(), "channels 1 to 4 of x");
    }

    @Test
    void aThirdIsMergedWithThem() {
        Graph once = merged(two("wt: f32[5,6,1,1] = random(5)\n  u = Conv(x, wt) kernel=1x1\n  e = Apply(u) relu\n  v: f32[2,5,1,1] = random(6)\n"
                + "  f = Conv(e, v) kernel=1x1\n  v2: f32[2,2,1,1] = random(7)\n  z = Conv(d, v2) kernel=1x1\n  m = Binary(z, c) mul\n  y = Binary(m, f) mul"));
        Graph twice = merged(once);

        assertEquals(1, twice.nodes().stream().filter(node -> node.input(0).equals("x")).count());
        assertEquals(List.of(12, 6, 1, 1), twice.type("wa + wb + wt").dims());
    }

    @Test
    void functionsAndStridesMustBeTheSame() {
        String readers = "v: f32[2,2,1,1] = random(5)\n  z = Conv(d, v) kernel=1x1\n  r = Reduce(z) mean axes=[2,3] keepDims\n  y = Binary(c, r) mul";
        assertEquals(List.of(2), numbers(GraphText.parse(TWO.formatted("", "relu", readers))));
        assertEquals(List.of(1, 1), numbers(GraphText.parse(TWO.formatted("", "sigmoid", readers))));
        assertEquals(List.of(1, 1), numbers(GraphText.parse(TWO.formatted(" stride=2", "relu", readers))));
    }

    /** c and z are read by no convolution either, and so are no siblings of any. */
    @Test
    void whatAConcatAnAdditionOrTheCallerTakesIsNoSibling() {
        assertEquals(List.of(1), numbers(two("e = Concat(b, x) axis=1\n  v: f32[2,9,1,1] = random(5)\n  z = Conv(e, v) kernel=1x1\n  y = Binary(z, c) mul")));
        assertEquals(List.of(1), numbers(two("e = Concat(d, x) axis=1\n  v: f32[2,8,1,1] = random(5)\n  z = Conv(e, v) kernel=1x1\n  y = Binary(z, c) mul")));
        assertEquals(List.of(1), numbers(two("y = Binary(d, c) add")));
        assertEquals(List.of(), numbers(GraphText.parse("""
                graph outputs(x: f32[2,6,5,5]) -> a, y {
                  wa: f32[4,6,1,1] = random(1)
                  a = Conv(x, wa) kernel=1x1
                  wb: f32[4,6,1,1] = random(2)
                  y = Conv(x, wb) kernel=1x1
                }
                """)));
    }
}
