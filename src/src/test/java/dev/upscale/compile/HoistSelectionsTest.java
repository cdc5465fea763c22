package dev.upscale.compile;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class HoistSelectionsTest {
    private static final String SCALED = """
            graph net(x: f32[1,4,2,2]) -> y {
              scale: f32[4] = [1, 2, 3, 4]
              shift: f32[4] = [5, 6, 7, 8]
              a = ScaleShift(x, scale, shift)
              b = Apply(a) relu
              c = %s
              w: f32[1,2,1,1] = [1, 1]
              y = Conv(c, w) kernel=1x1
            }
            """;

    @Test
    void aTakeMovesBeforeTheScaleAndTheActivation() {
        assertEquals("""
                graph net(x: f32[1,4,2,2]) -> y {
                  x.channels = Take(x) axis=1 indices=[1,3] : f32[1,2,2,2]
                  a = ScaleShift(x.channels, scale.1, shift.1) : f32[1,2,2,2]
                  c = Apply(a) relu : f32[1,2,2,2] @b
                  y = Conv(c, w) kernel=1x1 : f32[1,1,2,2]
                }
                """, nodes(hoisted(SCALED.formatted("Take(b) axis=1 indices=[1,3]"), true)));
    }

    @Test
    void weightsAreCutAlong() {
        Graph hoisted = hoisted(SCALED.formatted("Take(b) axis=1 indices=[1,3]"), true);
        assertEquals("[2.0, 4.0]", Arrays.toString(hoisted.weight("scale.1").floats()));
        assertEquals("[6.0, 8.0]", Arrays.toString(hoisted.weight("shift.1").floats()));
    }

    @Test
    void takesStayWhereReadersDoBetterByIndexButSlicesMove() {
        String take = SCALED.formatted("Take(b) axis=1 indices=[1,3]");
        assertEquals(nodes(GraphText.parse(take)), nodes(hoisted(take, false)));
        assertEquals("""
                graph net(x: f32[1,4,2,2]) -> y {
                  x.channels = Slice(x) axis=1 start=2 size=2 : f32[1,2,2,2]
                  a = ScaleShift(x.channels, scale.1, shift.1) : f32[1,2,2,2]
                  c = Apply(a) relu : f32[1,2,2,2] @b
                  y = Conv(c, w) kernel=1x1 : f32[1,1,2,2]
                }
                """, nodes(hoisted(SCALED.formatted("Slice(b) axis=1 start=2 size=2"), false)));
    }

    @Test
    void whatSomethingElseReadsIsComputedWhole() {
        String shared = """
                graph net(x: f32[1,4,2,2]) -> y, z {
                  a = Apply(x) relu
                  c = Take(a) axis=1 indices=[3,1]
                  w: f32[1,2,1,1] = [1, 1]
                  y = Conv(c, w) kernel=1x1
                  v: f32[1,4,1,1] = [1, 1, 1, 1]
                  z = Conv(a, v) kernel=1x1
                }
                """;
        assertEquals(nodes(GraphText.parse(shared)), nodes(hoisted(shared, true)));
    }

    @Test
    void selectionsOfSelectionsBecomeOne() {
        assertEquals("""
                graph net(x: f32[1,4,2,2]) -> y {
                  x.channels = Take(x) axis=1 indices=[3,1] : f32[1,2,2,2]
                  y = Apply(x.channels) relu : f32[1,2,2,2] @a
                }
                """, nodes(hoisted("""
                graph net(x: f32[1,4,2,2]) -> y {
                  s = Slice(x) axis=1 start=1 size=3
                  a = Apply(s) relu
                  y = Take(a) axis=1 indices=[2,0]
                }
                """, true)));
    }

    private static Graph hoisted(String network, boolean foldsGathers) {
        return HoistSelections.apply(GraphText.parse(network), op -> foldsGathers);
    }

    /** A graph as text, without its weights. */
    private static String nodes(Graph graph) {
        return GraphText.print(graph).lines().filter(line -> !line.contains(": f32[") || line.contains("(")).map(line -> line + "\n")
                .reduce("", String::concat);
    }
}
