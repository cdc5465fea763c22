package dev.upscale.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Operations against results worked by hand. */
class InterpreterTest {
    private static final DoubleTensor SQUARE = DoubleTensor.of(new double[] {1, 2, 3, 4}, 1, 1, 2, 2);

    private static DoubleTensor row(double... values) {
        return DoubleTensor.of(values, 1, 1, 1, values.length);
    }

    private static DoubleTensor vector(double... values) {
        return DoubleTensor.of(values, values.length);
    }

    private static DoubleTensor counting(int... dims) {
        double[] values = new double[(int) TensorType.f32(dims).elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        return DoubleTensor.of(values, dims);
    }

    private static void assertValues(DoubleTensor actual, double... expected) {
        assertArrayEquals(expected, actual.values(), 1e-12);
    }

    private static DoubleTensor evaluate(Op op, DoubleTensor... operands) {
        return Interpreter.evaluate(op, List.of(operands));
    }

    @Test
    void runsAGraph() {
        Graph graph = GraphText.parse("""
                graph g(x: f32[1,2,1,3], unused: f32[4]) -> y, z {
                  w: f32[1,2,1,2] = [1, 2, 3, 4]
                  b: f32[1] = [0.5]
                  a = Conv(x, w, b) kernel=1x2 pad=0,1,0,0
                  y = Apply(a) clip(0,20)
                  z = Reduce(y) sum axes=[1,2,3]
                  dead = Apply(z) exp
                }
                """);
        Map<String, DoubleTensor> results = Interpreter.run(graph, Map.of("x", Tensor.f32(new float[] {1, 2, 3, -1, 0, 1}, 1, 2, 1, 3)));
        // Columns: 2·1 − 4 ..., 1·1 + 2·2 − 3 + 0 ..., 1·2 + 2·3 + 0 + 4, each + 0.5.
        assertValues(results.get("y"), 0, 2.5, 12.5);
        assertValues(results.get("z"), 15);
        assertEquals(List.of("y", "z"), List.copyOf(results.keySet()));
        assertEquals(List.of("a", "w"), List.copyOf(Interpreter.run(graph,
                Map.of("x", Tensor.random(graph.type("x"), 1)), List.of("a", "w")).keySet()));
    }

    @Test
    void complainsOfInputsThatDoNotFit() {
        Graph graph = GraphText.parse("graph g(x: f32[2]) -> y {\n y = Apply(x) relu\n}");
        assertEquals("graph g needs input x f32[2], but it was given none",
                assertThrows(InvalidInput.class, () -> Interpreter.run(graph, Map.of())).getMessage());
        assertEquals("graph g needs input x as f32[2], but it was given f32[3]",
                assertThrows(InvalidInput.class, () -> Interpreter.run(graph, Map.of("x", Tensor.f32(new float[3], 3)))).getMessage());
        assertThrows(InvalidInput.class, () -> Interpreter.run(graph, Map.of(), List.of("q")));
    }

    @Test
    void appliesFunctions() {
        record Case(Function function, double x, double expected) {}
        for (Case c : List.of(
                new Case(Function.NONE, -3, -3),
                new Case(Function.RELU, -3, 0),
                new Case(new Function(Function.Kind.CLIP, -1, 1), -3, -1),
                new Case(new Function(Function.Kind.CLIP, -1, Float.POSITIVE_INFINITY), 7, 7),
                new Case(Function.of(Function.Kind.SIGMOID), 1, 0.7310585786300049),
                new Case(Function.of(Function.Kind.SILU), 2, 1.7615941559557649),
                new Case(new Function(Function.Kind.HARD_SIGMOID, 0.25f, 0.5f), 1, 0.75),
                new Case(Function.of(Function.Kind.HARD_SWISH), 1, 2.0 / 3),
                new Case(Function.of(Function.Kind.HARD_SWISH), -4, 0),
                new Case(new Function(Function.Kind.LEAKY_RELU, 0.5f, 0), -4, -2),
                new Case(Function.of(Function.Kind.TANH), 0.5, 0.46211715726000975),
                new Case(Function.of(Function.Kind.GELU), 1, 0.8413447460685429),
                new Case(Function.of(Function.Kind.GELU), -3, -0.004049694094890287),
                new Case(Function.of(Function.Kind.GELU_TANH), 1, 0.8411919906082768),
                new Case(new Function(Function.Kind.ELU, 0.5f, 0), -1, -0.31606027941427883),
                new Case(new Function(Function.Kind.SELU, 2, 3), -1, -3.792723352971346),
                new Case(Function.of(Function.Kind.MISH), 1, 0.8650983882673103),
                new Case(Function.of(Function.Kind.SOFTPLUS), 800, 800),
                new Case(Function.of(Function.Kind.SOFTPLUS), 0, 0.6931471805599453),
                new Case(Function.of(Function.Kind.ROUND), 2.5, 2),
                new Case(Function.of(Function.Kind.SIGN), -2.5, -1),
                new Case(Function.of(Function.Kind.RECIPROCAL), 4, 0.25))) {
            assertEquals(c.expected(), c.function().apply(c.x()), 2e-15 * Math.max(1, Math.abs(c.expected())), c.toString());
        }
    }

    @Test
    void computesTheErrorFunction() {
        double[][] table = {{0, 0}, {0.1, 0.1124629160182849}, {0.5, 0.5204998778130465}, {1, 0.8427007929497149},
            {1.5, 0.9661051464753108}, {2, 0.9953222650189527}, {2.49, 0.9995707121322661}, {2.5, 0.999593047982555},
            {3, 0.9999779095030014}, {5, 0.9999999999984626}, {7, 1}, {Double.POSITIVE_INFINITY, 1}};
        for (double[] row : table) {
            assertEquals(row[1], ErrorFunction.erf(row[0]), 1e-15);
            assertEquals(-row[1], ErrorFunction.erf(-row[0]), 1e-15);
            assertEquals(1 - row[1], ErrorFunction.erfc(row[0]), 1e-15);
            assertEquals(1 + row[1], ErrorFunction.erfc(-row[0]), 1e-15);
        }
        assertEquals(1.5374597944280351e-12, ErrorFunction.erfc(5), 1e-26);
        assertEquals(2.088487583762545e-45, ErrorFunction.erfc(10), 1e-58);
    }

    @Test
    void broadcastsOperationsOnTwoTensors() {
        DoubleTensor a = DoubleTensor.of(new double[] {1, 2}, 2, 1);
        DoubleTensor b = vector(10, 20, 30);
        assertValues(evaluate(new Op.Binary(Op.Binary.Kind.ADD), a, b), 11, 21, 31, 12, 22, 32);
        assertValues(evaluate(new Op.Binary(Op.Binary.Kind.SUB), b, a), 9, 19, 29, 8, 18, 28);
        assertValues(evaluate(new Op.Binary(Op.Binary.Kind.POW), a, vector(3)), 1, 8);
        assertValues(evaluate(new Op.Binary(Op.Binary.Kind.MIN), a, vector(1.5)), 1, 1.5);
        assertValues(evaluate(new Op.PRelu(), DoubleTensor.of(new double[] {-1, 2, -3, -4}, 2, 2), vector(0.5, 2)), -0.5, 2, -1.5, -8);
    }

    @Test
    void dividesIntegersAsIntegers() {
        TensorType type = new TensorType(ElementType.I64, List.of(2));
        assertEquals(Tensor.of(type, new long[] {3, -3}), Interpreter.fold(new Op.Binary(Op.Binary.Kind.DIV),
                Tensor.of(type, new long[] {7, -7}), Tensor.of(type, new long[] {2, 2})));
        assertThrows(InvalidInput.class, () -> Interpreter.fold(new Op.Binary(Op.Binary.Kind.DIV),
                Tensor.of(type, new long[] {7, -7}), Tensor.of(type, new long[] {2, 0})));
    }

    @Test
    void multipliesMatrices() {
        assertValues(evaluate(new Op.Linear(), DoubleTensor.of(new double[] {1, 2, 3, 4, 5, 6}, 2, 3),
                DoubleTensor.of(new double[] {1, 0, 1, 0, 1, 0}, 2, 3), vector(10, 20)), 14, 22, 20, 25);
        DoubleTensor left = DoubleTensor.of(new double[] {1, 2, 3, 4}, 2, 1, 1, 2);
        DoubleTensor right = DoubleTensor.of(new double[] {1, 10, 100, 1000}, 2, 2, 1);
        DoubleTensor product = evaluate(new Op.MatMul(), left, right);
        assertEquals(TensorType.f32(2, 2, 1, 1), product.type());
        assertValues(product, 21, 2100, 43, 4300);
    }

    @Test
    void normalises() {
        DoubleTensor image = DoubleTensor.of(new double[] {1, 3, 10, 30}, 1, 2, 1, 2);
        assertValues(evaluate(new Op.BatchNorm(0), image, vector(1, 2), vector(0, 100), vector(2, 20), vector(1, 4)), -1, 1, 90, 110);
        assertValues(evaluate(new Op.ScaleShift(), image, vector(1, 2), vector(0, 100)), 1, 3, 120, 160);
        assertValues(evaluate(new Op.InstanceNorm(0), image, vector(1, 2), vector(0, 100)), -1, 1, 98, 102);
        double root = Math.sqrt(2.0 / 3);
        assertValues(evaluate(new Op.LayerNorm(1, 0), DoubleTensor.of(new double[] {1, 2, 3, 30, 20, 10}, 2, 3), vector(1, 1, 2),
                vector(0, 5, 0)), -1 / root, 5, 2 / root, 1 / root, 5, -2 / root);
        DoubleTensor channels = DoubleTensor.of(new double[] {1, 2, 3, 4}, 1, 4, 1, 1);
        // Four channels from one before to two after: 1 + 2 · (their squares) / 4.
        assertValues(evaluate(new Op.Lrn(4, 2, 1, 1), channels), 1 / 8.0, 2 / 16.0, 3 / 15.5, 4 / 13.5);
        assertValues(evaluate(new Op.Softmax(0), DoubleTensor.of(new double[] {1000, 0, 1000, Math.log(3)}, 2, 2)), 0.5, 0.25, 0.5, 0.75);
    }

    @Test
    void pools() {
        DoubleTensor image = row(1, 2, 3, 4, 5);
        Window two = new Window(1, 2, 1, 2, 1, 1, 0, 0, 0, 0);
        Window padded = new Window(1, 3, 1, 2, 1, 1, 0, 1, 0, 1);
        Op.Pool.Kind max = Op.Pool.Kind.MAX;
        Op.Pool.Kind average = Op.Pool.Kind.AVERAGE;
        assertValues(evaluate(new Op.Pool(max, two, false, false), image), 2, 4);
        assertValues(evaluate(new Op.Pool(max, two, true, false), image), 2, 4, 5);
        assertValues(evaluate(new Op.Pool(average, two, true, false), image), 1.5, 3.5, 5);
        // The last window holds one pixel that is neither image nor padding: it does not count.
        assertValues(evaluate(new Op.Pool(average, two, true, true), image), 1.5, 3.5, 5);
        assertValues(evaluate(new Op.Pool(average, padded, false, false), image), 1.5, 3, 4.5);
        assertValues(evaluate(new Op.Pool(average, padded, false, true), image), 1, 3, 3);
        assertValues(evaluate(new Op.Pool(max, padded, false, false), row(-1, -2, -3, -4, -5)), -1, -2, -4);
        assertValues(evaluate(new Op.Pool(max, new Window(1, 2, 1, 1, 1, 3, 0, 0, 0, 0), false, false), image), 4, 5);
    }

    @Test
    void reduces() {
        DoubleTensor source = counting(2, 2, 3);
        DoubleTensor mean = evaluate(new Op.Reduce(Op.Reduce.Kind.MEAN, List.of(1), true), source);
        assertEquals(TensorType.f32(2, 1, 3), mean.type());
        assertValues(mean, 1.5, 2.5, 3.5, 7.5, 8.5, 9.5);
        assertValues(evaluate(new Op.Reduce(Op.Reduce.Kind.SUM, List.of(0, 2), false), source), 24, 42);
        assertValues(evaluate(new Op.Reduce(Op.Reduce.Kind.MAX, List.of(2), false), source), 2, 5, 8, 11);
        assertValues(evaluate(new Op.Reduce(Op.Reduce.Kind.MIN, List.of(0, 1, 2), false), source), 0);
    }

    @Test
    void movesElements() {
        DoubleTensor source = counting(2, 3);
        assertValues(evaluate(new Op.Concat(1), source, DoubleTensor.of(new double[] {7, 8}, 2, 1)), 0, 1, 2, 7, 3, 4, 5, 8);
        assertValues(evaluate(new Op.Slice(1, 2, 2, -2), source), 2, 0, 5, 3);
        assertValues(evaluate(new Op.Take(1, List.of(2, 2, 0)), source), 2, 2, 0, 5, 5, 3);
        assertValues(evaluate(new Op.Transpose(List.of(1, 0)), source), 0, 3, 1, 4, 2, 5);
        assertValues(evaluate(new Op.Reshape(List.of(3, 2)), source), 0, 1, 2, 3, 4, 5);
        assertValues(evaluate(new Op.Expand(List.of(2, 2, 3)), vector(1, 2, 3)), 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3);
        DoubleTensor blocks = DoubleTensor.of(new double[] {0, 1, 2, 3, 4, 5, 6, 7}, 1, 8, 1, 1);
        assertValues(evaluate(new Op.DepthToSpace(2, Op.DepthToSpace.Mode.DCR), blocks), 0, 2, 4, 6, 1, 3, 5, 7);
        assertValues(evaluate(new Op.DepthToSpace(2, Op.DepthToSpace.Mode.CRD), blocks), 0, 1, 2, 3, 4, 5, 6, 7);
    }

    @Test
    void pads() {
        DoubleTensor source = vector(1, 2, 3);
        assertValues(evaluate(new Op.Pad(Op.Pad.Mode.CONSTANT, List.of(1), List.of(2), 9), source), 9, 1, 2, 3, 9, 9);
        assertValues(evaluate(new Op.Pad(Op.Pad.Mode.CONSTANT, List.of(-1), List.of(1), 9), source), 2, 3, 9);
        assertValues(evaluate(new Op.Pad(Op.Pad.Mode.REFLECT, List.of(2), List.of(1), 0), source), 3, 2, 1, 2, 3, 2);
        assertValues(evaluate(new Op.Pad(Op.Pad.Mode.EDGE, List.of(2), List.of(4), 0), source), 1, 1, 1, 2, 3, 3, 3, 3, 3);
        assertValues(evaluate(new Op.Pad(Op.Pad.Mode.CONSTANT, List.of(0, 0, 1, 0), List.of(0, 0, 0, 1), -1), SQUARE),
                -1, -1, -1, 1, 2, -1, 3, 4, -1);
    }

    private static DoubleTensor resized(Op.Resize.Mode mode, Op.Resize.Coordinates coordinates, Op.Resize.Nearest nearest,
            DoubleTensor source, int height, int width) {
        return evaluate(new Op.Resize(mode, coordinates, nearest, height, width,
                (float) height / source.dim(2), (float) width / source.dim(3)), source);
    }

    @Test
    void resizesToTheNearestPixel() {
        var nearest = Op.Resize.Mode.NEAREST;
        var asymmetric = Op.Resize.Coordinates.ASYMMETRIC;
        assertValues(resized(nearest, asymmetric, Op.Resize.Nearest.FLOOR, SQUARE, 2, 4), 1, 1, 2, 2, 3, 3, 4, 4);
        // 9 to 3: the scale 1/3 is no float, and yet every third pixel is met.
        assertValues(resized(nearest, asymmetric, Op.Resize.Nearest.FLOOR, row(0, 1, 2, 3, 4, 5, 6, 7, 8), 1, 3), 0, 3, 6);
        // 4 to 2 at half pixels lies in the middle: 0.5 and 2.5.
        DoubleTensor four = row(0, 1, 2, 3);
        var half = Op.Resize.Coordinates.HALF_PIXEL;
        assertValues(resized(nearest, half, Op.Resize.Nearest.ROUND_PREFER_FLOOR, four, 1, 2), 0, 2);
        assertValues(resized(nearest, half, Op.Resize.Nearest.ROUND_PREFER_CEIL, four, 1, 2), 1, 3);
        assertValues(resized(nearest, half, Op.Resize.Nearest.FLOOR, four, 1, 2), 0, 2);
        assertValues(resized(nearest, half, Op.Resize.Nearest.CEIL, four, 1, 2), 1, 3);
        assertValues(resized(nearest, Op.Resize.Coordinates.ALIGN_CORNERS, Op.Resize.Nearest.ROUND_PREFER_CEIL, four, 1, 3), 0, 2, 3);
    }

    @Test
    void resizesLinearly() {
        var linear = Op.Resize.Mode.LINEAR;
        var floor = Op.Resize.Nearest.FLOOR;
        DoubleTensor two = row(0, 4);
        assertValues(resized(linear, Op.Resize.Coordinates.HALF_PIXEL, floor, two, 1, 4), 0, 1, 3, 4);
        assertValues(resized(linear, Op.Resize.Coordinates.ASYMMETRIC, floor, two, 1, 4), 0, 2, 4, 4);
        assertValues(resized(linear, Op.Resize.Coordinates.ALIGN_CORNERS, floor, two, 1, 5), 0, 1, 2, 3, 4);
        assertValues(resized(linear, Op.Resize.Coordinates.HALF_PIXEL, floor, row(0, 4, 8), 1, 1), 4);
        assertValues(resized(linear, Op.Resize.Coordinates.PYTORCH_HALF_PIXEL, floor, row(0, 4, 8), 1, 1), 0);
        assertValues(resized(linear, Op.Resize.Coordinates.ALIGN_CORNERS, floor, SQUARE, 3, 3), 1, 1.5, 2, 2, 2.5, 3, 3, 3.5, 4);
        // A scale other than the ratio of the sizes: coordinates go by the scale.
        assertValues(evaluate(new Op.Resize(linear, Op.Resize.Coordinates.ASYMMETRIC, floor, 1, 3, 1, 2), two), 0, 2, 4);
        assertValues(evaluate(new Op.Resize(linear, Op.Resize.Coordinates.ASYMMETRIC, floor, 1, 3, 1, 4), two), 0, 1, 2);
    }

    @Test
    void convolvesTransposed() {
        DoubleTensor kernel = DoubleTensor.of(new double[] {1, 10, 100}, 1, 1, 1, 3);
        assertValues(evaluate(new Op.ConvTranspose(new Window(1, 3, 1, 2, 1, 1, 0, 1, 0, 1), 0, 1, 1), row(1, 2, 3), kernel,
                vector(0.5)), 10.5, 102.5, 20.5, 203.5, 30.5, 300.5);
    }
}
