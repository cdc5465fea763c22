package dev.upscale.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class VerifierTest {
    private static final Graph LEGAL = GraphText.parse("""
            graph g(x: f32[1,2,3,3]) -> y {
              w: f32[4,2,3,3] = random(1)
              a = Conv(x, w) kernel=3 pad=1
              s: f32[4] = [1, 1, 1, 1]
              y = BatchNorm(a, s, s, s, s)
            }
            """);

    @Test
    void acceptsALegalGraph() {
        Verifier.verify(LEGAL);
        assertEquals(List.of(), Verifier.violations(LEGAL));
    }

    @Test
    void namesTheWeightThatIsNotFinite() {
        float[] values = LEGAL.weight("w").floats().clone();
        values[7] = Float.NaN;
        values[9] = Float.POSITIVE_INFINITY;
        Graph damaged = LEGAL.withWeights(Map.of("w", Tensor.f32(values, 4, 2, 3, 3)));
        assertEquals("graph g: weight w f32[4,2,3,3] holds NaN at element 7, and 1 more elements that are not finite;"
                        + " export the model again from a sound checkpoint; rule: weights are finite",
                assertThrows(InvalidInput.class, () -> Verifier.verify(damaged)).getMessage());
    }

    @Test
    void demandsConstants() {
        assertViolation("node y (Linear) needs a constant as input 1, but w is computed", GraphText.parse("""
                graph g(x: f32[1,2], w: f32[3,2]) -> y {
                  y = Linear(x, w)
                }
                """));
    }

    @Test
    void demandsFloats() {
        assertViolation("tensor x is i64[2]: cast it to float or fold it into a constant",
                GraphText.parse("graph g(x: i64[2]) -> x {}"));
    }

    @Test
    void demandsTypesThatFollow() {
        Graph.Builder builder = LEGAL.rebuild();
        LEGAL.nodes().forEach(builder::node);
        assertViolation("the weight reads 1 channels", builder.weight("w", Tensor.f32(new float[36], 4, 1, 3, 3)).build());
    }

    @Test
    void demandsVariances() {
        assertViolation("node y (BatchNorm) has the variance -1.0 in s",
                LEGAL.withWeights(Map.of("s", Tensor.f32(new float[] {1, 1, -1, 1}, 4))));
    }

    @Test
    void demandsOutputsOnceEach() {
        assertViolation("it has no output", GraphText.parse("graph g() -> {}"));
        assertViolation("two outputs are called x", GraphText.parse("graph g(x: f32[1]) -> x, x {}"));
        assertViolation("two inputs are called x",
                Graph.builder("g").input("x", TensorType.f32(1)).input("x", TensorType.f32(1)).output("x").build());
        assertViolation("input x is a weight too",
                Graph.builder("g").input("x", TensorType.f32(1)).weight("x", Tensor.f32(new float[1], 1)).output("x").build());
    }

    private static void assertViolation(String expected, Graph graph) {
        List<String> violations = Verifier.violations(graph);
        assertTrue(violations.stream().anyMatch(violation -> violation.contains(expected)), violations.toString());
        assertThrows(InvalidInput.class, () -> Verifier.verify(graph));
    }
}
