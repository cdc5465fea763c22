package dev.upscale.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.upscale.graph.GraphText;
import org.junit.jupiter.api.Test;

class RecognizeActivationsTest {

    private static void assertRecognised(String expected, String before) {
        assertEquals(GraphText.parse(expected).toString(),
                DropUnreadNodes.run(RecognizeActivations.run(GraphText.parse(before))).toString());
    }

    private static void assertUnchanged(String before) {
        assertRecognised(before, before);
    }

    @Test
    void silu() {
        assertRecognised("""
                graph g(x: f32[1,2]) -> y {
                  y = Apply(x) silu
                }
                """, """
                graph g(x: f32[1,2]) -> y {
                  s = Apply(x) sigmoid
                  y = Binary(s, x) mul
                }
                """);
    }

    @Test
    void hardSwishOfHardSigmoid() {
        assertRecognised("""
                graph g(x: f32[1,2]) -> y {
                  y = Apply(x) hard_swish
                }
                """, """
                graph g(x: f32[1,2]) -> y {
                  s = Apply(x) hard_sigmoid(0.16666667,0.5)
                  y = Binary(x, s) mul
                }
                """);
    }

    @Test
    void hardSwishSpelledOut() {
        assertRecognised("""
                graph g(x: f32[1,2]) -> y {
                  y = Apply(x) hard_swish
                }
                """, """
                graph g(x: f32[1,2]) -> y {
                  three: f32[] = [3]
                  six: f32[] = [6]
                  a = Binary(x, three) add
                  c = Apply(a) clip(0,6)
                  m = Binary(x, c) mul
                  y = Binary(m, six) div
                }
                """);
    }

    @Test
    void hardSwishDividedFirst() {
        assertRecognised("""
                graph g(x: f32[1,2]) -> y {
                  y = Apply(x) hard_swish
                }
                """, """
                graph g(x: f32[1,2]) -> y {
                  three: f32[] = [3]
                  sixth: f32[] = [0.16666667]
                  a = Binary(three, x) add
                  c = Apply(a) clip(0,6)
                  h = Binary(c, sixth) mul
                  y = Binary(h, x) mul
                }
                """);
    }

    @Test
    void hardSigmoidSpelledOut() {
        assertRecognised("""
                graph g(x: f32[1,2]) -> y {
                  y = Apply(x) hard_sigmoid(0.16666667,0.5)
                }
                """, """
                graph g(x: f32[1,2]) -> y {
                  three: f32[] = [3]
                  six: f32[] = [6]
                  a = Binary(x, three) add
                  c = Apply(a) clip(0,6)
                  y = Binary(c, six) div
                }
                """);
    }

    @Test
    void mish() {
        assertRecognised("""
                graph g(x: f32[1,2]) -> y {
                  y = Apply(x) mish
                }
                """, """
                graph g(x: f32[1,2]) -> y {
                  s = Apply(x) softplus
                  t = Apply(s) tanh
                  y = Binary(x, t) mul
                }
                """);
    }

    @Test
    void geluByErf() {
        assertRecognised("""
                graph g(x: f32[1,2]) -> y {
                  y = Apply(x) gelu
                }
                """, """
                graph g(x: f32[1,2]) -> y {
                  root: f32[] = [1.4142135]
                  one: f32[] = [1]
                  half: f32[] = [0.5]
                  d = Binary(x, root) div
                  e = Apply(d) erf
                  p = Binary(e, one) add
                  m = Binary(x, p) mul
                  y = Binary(m, half) mul
                }
                """);
    }

    @Test
    void geluByErfHalvedFirst() {
        assertRecognised("""
                graph g(x: f32[1,2]) -> y {
                  y = Apply(x) gelu
                }
                """, """
                graph g(x: f32[1,2]) -> y {
                  root: f32[] = [0.70710677]
                  one: f32[] = [1]
                  half: f32[] = [0.5]
                  h = Binary(x, half) mul
                  d = Binary(x, root) mul
                  e = Apply(d) erf
                  p = Binary(one, e) add
                  y = Binary(h, p) mul
                }
                """);
    }

    @Test
    void geluByTanh() {
        assertRecognised("""
                graph g(x: f32[1,2]) -> y {
                  y = Apply(x) gelu_tanh
                }
                """, """
                graph g(x: f32[1,2]) -> y {
                  three: f32[] = [3]
                  c: f32[] = [0.044715]
                  r: f32[] = [0.7978846]
                  one: f32[] = [1]
                  half: f32[] = [0.5]
                  cube = Binary(x, three) pow
                  s = Binary(cube, c) mul
                  a = Binary(x, s) add
                  d = Binary(a, r) mul
                  t = Apply(d) tanh
                  p = Binary(t, one) add
                  h = Binary(p, half) mul
                  y = Binary(x, h) mul
                }
                """);
    }

    @Test
    void aGateThatOthersReadStays() {
        assertUnchanged("""
                graph g(x: f32[1,2]) -> y, z {
                  s = Apply(x) sigmoid
                  y = Binary(s, x) mul
                  z = Apply(s) relu
                }
                """);
    }

    @Test
    void aGateOfAnotherTensorStays() {
        assertUnchanged("""
                graph g(x: f32[1,2], w: f32[1,2]) -> y {
                  s = Apply(w) sigmoid
                  y = Binary(s, x) mul
                }
                """);
    }

    @Test
    void otherConstantsStay() {
        assertUnchanged("""
                graph g(x: f32[1,2]) -> y {
                  s = Apply(x) hard_sigmoid(0.2,0.5)
                  y = Binary(x, s) mul
                }
                """);
    }
}
