package dev.upscale.compile;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SeparateSegmentsTest {
    private static final String PARTS = """
            graph parts(x: f32[2,3,6,6]) -> y {
              wa: f32[8,3,1,1] = random(1)
              a = Conv(x, wa) kernel=1x1 : f32[2,8,6,6]
              wb: f32[5,3,3,3] = random(2)
              b = Conv(x, wb) kernel=3x3 pad=1 : f32[2,5,6,6]
              c = Concat(a, b) axis=1 : f32[2,13,6,6]
              %s
            }
            """;

    private static Graph parse(String readers) {
        return GraphText.parse(PARTS.formatted(readers));
    }

    private static Graph separated(Graph graph) {
        Graph apart = SeparateSegments.apply(graph, "c");
        float[] image = new float[2 * 3 * 36];
        Random random = new Random(3);
        for (int i = 0; i < image.length; i++) {
            image[i] = (float) random.nextGaussian();
        }
        Map<String, Tensor> given = Map.of("x", Tensor.f32(image, 2, 3, 6, 6));
        assertArrayEquals(Interpreter.run(graph, given).get("y").values(), Interpreter.run(apart, given).get("y").values(), 1e-12);
        return apart;
    }

    private static List<String> nodes(Graph graph) {
        return graph.nodes().stream().map(node -> node.op().getClass().getSimpleName() + " " + node.inputs().getFirst()).toList();
    }

    @Test
    void aConvolutionOfTheWholeIsASumOverTheParts() {
        Graph apart = separated(parse("wy: f32[4,13,1,1] = random(3)\n  by: f32[4] = random(4)\n  y = Conv(c, wy, by) kernel=1x1 : f32[2,4,6,6]"));

        assertEquals(List.of("Conv x", "Conv x", "Conv a", "Conv b", "Binary y.part.1"), nodes(apart));
        assertEquals(1, Fusion.of(apart).stream().filter(step -> step.addend().isPresent()).count(), "the second convolution adds the first");
    }

    @Test
    void whoReadsOnePartAloneReadsIt() {
        Graph apart = separated(parse("s = Slice(c) axis=1 start=8 size=5 : f32[2,5,6,6]\n  wy: f32[4,5,1,1] = random(3)\n  y = Conv(s, wy) kernel=1x1 : f32[2,4,6,6]"));

        assertEquals(List.of("Conv x", "Conv b"), nodes(apart), "the other part is not needed");
    }

    @Test
    void aSliceAcrossPartsIsASumOfSlices() {
        Graph apart = separated(parse("s = Slice(c) axis=1 start=2 size=9 : f32[2,9,6,6]\n  wy: f32[4,9,3,3] = random(3)\n  y = Conv(s, wy) kernel=3x3 : f32[2,4,4,4]"));

        assertEquals(List.of("Conv x", "Conv x", "Slice a", "Conv a.channels", "Slice b", "Conv b.channels", "Binary y.part.1"), nodes(apart));
    }

    @Test
    void channelsInAnyOrderAreTakenFromTheirParts() {
        Graph apart = separated(parse("s = Take(c) axis=1 indices=[12,0,9,3,2] : f32[2,5,6,6]\n  wy: f32[4,5,1,1] = random(3)\n  y = Conv(s, wy) kernel=1x1 : f32[2,4,6,6]"));

        assertEquals(List.of("Conv x", "Conv x", "Take a", "Conv a.channels", "Take b", "Conv b.channels", "Binary y.part.1"), nodes(apart));
    }

    @Test
    void aPoolIsMadeOfEachPartAndTheConcatMovesBehindIt() {
        Graph graph = parse("p = Pool(c) max kernel=2x2 stride=2x2 : f32[2,13,3,3]\n  wy: f32[4,13,1,1] = random(3)\n  y = Conv(p, wy) kernel=1x1 : f32[2,4,3,3]");
        Graph apart = separated(graph);

        assertEquals(List.of("Conv x", "Conv x", "Pool a", "Pool b", "Concat p.part", "Conv p"), nodes(apart));
        assertEquals(List.of("p"), SeparateSegments.candidates(apart));
        assertEquals(0, SeparateSegments.apply(apart, "p").nodes().stream().filter(node -> node.op() instanceof Op.Concat).count());
    }

    @ParameterizedTest
    @ValueSource(strings = {"y = Apply(c) relu : f32[2,13,6,6]", "wy: f32[13,1,3,3] = random(3)\n  y = Conv(c, wy) kernel=3x3 groups=13 : f32[2,13,4,4]",
        "s = Slice(c) axis=1 start=2 size=9 : f32[2,9,6,6]\n  y = Apply(s) relu : f32[2,9,6,6]"})
    void whatReadsTheConcatOtherwiseKeepsItTogether(String reader) {
        assertEquals(List.of(), SeparateSegments.candidates(parse(reader)));
    }
}
