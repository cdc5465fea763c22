package dev.upscale.compile;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.graph.Op;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

class JointStorageTest {
    /** Two units as ShuffleNet's: half of the channels pass, the other half is convolved, and both are interleaved. */
    private static final Graph UNITS = GraphText.parse("""
            graph net(x: f32[1,2,2,2]) -> y {
              w: f32[2,2,1,1] = [1, 2, 3, 4]
              a = Conv(x, w) kernel=1x1
              b = Conv(x, w) kernel=1x1
              c = Concat(a, b) axis=1
              passed = Take(c) axis=1 indices=[0,2]
              convolved = Take(c) axis=1 indices=[1,3]
              d = Conv(convolved, w) kernel=1x1
              e = Concat(passed, d) axis=1
              again = Take(e) axis=1 indices=[0,2]
              f = Conv(again, w) kernel=1x1
              g = Concat(again, f) axis=1
              v: f32[1,4,1,1] = [1, 1, 1, 1]
              y = Conv(g, v) kernel=1x1
            }
            """);

    @Test
    void channelsThatPassKeepTheirPlace() {
        List<JointStorage> storages = JointStorage.of(UNITS, computed());
        assertEquals(1, storages.size());
        JointStorage joint = storages.getFirst();
        assertEquals(8, joint.width());
        assertEquals(Map.of("a", 0, "b", 2, "d", 4, "f", 6), joint.written());
        assertEquals(Map.of("c", List.of(0, 1, 2, 3), "e", List.of(0, 2, 4, 5), "g", List.of(0, 4, 6, 7)), joint.concats());
    }

    @Test
    void aPartThatHasAnotherPlaceIsNotTakenIn() {
        assertEquals(List.of(), JointStorage.of(UNITS, computed().and(tensor -> !tensor.equals("a"))));
        JointStorage joint = JointStorage.of(UNITS, computed().and(tensor -> !tensor.equals("f"))).getFirst();
        assertEquals(List.of("c", "e"), List.copyOf(joint.concats().keySet()));
    }

    private static Predicate<String> computed() {
        return tensor -> UNITS.producer(tensor).filter(node -> !(node.op() instanceof Op.Take)).isPresent();
    }
}
