package dev.upscale.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** Convolutions, poolings and products of random geometry against plain loops over their definition. */
class WindowedOperationsTest {
    record Geometry(int images, int groups, int groupChannels, int groupOutputs, int height, int width, Window window) {
        DoubleTensor source(int seed) {
            return random(seed, images, groups * groupChannels, height, width);
        }
    }

    @Provide
    Arbitrary<Window> windows() {
        Arbitrary<List<Integer>> kernel = Arbitraries.integers().between(1, 4).list().ofSize(2);
        Arbitrary<List<Integer>> steps = Arbitraries.integers().between(1, 3).list().ofSize(4);
        Arbitrary<List<Integer>> pads = Arbitraries.integers().between(0, 3).list().ofSize(4);
        return Combinators.combine(kernel, steps, pads).as((k, s, p) -> new Window(k.get(0), k.get(1), s.get(0), s.get(1),
                s.get(2), s.get(3), p.get(0), p.get(1), p.get(2), p.get(3)));
    }

    @Provide
    Arbitrary<Geometry> geometries() {
        Arbitrary<List<Integer>> sizes = Arbitraries.integers().between(1, 3).list().ofSize(4);
        Arbitrary<List<Integer>> image = Arbitraries.integers().between(1, 20).list().ofSize(2);
        return Combinators.combine(sizes, image, windows()).as((s, i, w) ->
                new Geometry(s.get(0), s.get(1), s.get(2), s.get(3), i.get(0), i.get(1), w));
    }

    private static DoubleTensor random(int seed, int... dims) {
        return DoubleTensor.of(Tensor.random(TensorType.f32(dims), seed));
    }

    private static double at(DoubleTensor tensor, int image, int channel, int y, int x) {
        boolean inside = y >= 0 && y < tensor.dim(2) && x >= 0 && x < tensor.dim(3);
        return inside ? tensor.values()[((image * tensor.dim(1) + channel) * tensor.dim(2) + y) * tensor.dim(3) + x] : 0;
    }

    @Property(tries = 400)
    void convolutionIsItsDefinition(@ForAll("geometries") Geometry g, @ForAll boolean biased) {
        Window w = g.window();
        Assume.that(w.outputH(g.height()) >= 1 && w.outputW(g.width()) >= 1);
        DoubleTensor source = g.source(1);
        DoubleTensor weight = random(2, g.groups() * g.groupOutputs(), g.groupChannels(), w.kernelH(), w.kernelW());
        DoubleTensor bias = random(3, g.groups() * g.groupOutputs());
        DoubleTensor actual = Interpreter.evaluate(new Op.Conv(w, g.groups()),
                biased ? List.of(source, weight, bias) : List.of(source, weight));

        double[] expected = new double[actual.values().length];
        int i = 0;
        for (int n = 0; n < actual.dim(0); n++) {
            for (int o = 0; o < actual.dim(1); o++) {
                for (int y = 0; y < actual.dim(2); y++) {
                    for (int x = 0; x < actual.dim(3); x++, i++) {
                        expected[i] = biased ? bias.values()[o] : 0;
                        for (int c = 0; c < g.groupChannels(); c++) {
                            for (int ky = 0; ky < w.kernelH(); ky++) {
                                for (int kx = 0; kx < w.kernelW(); kx++) {
                                    expected[i] += at(weight, o, c, ky, kx) * at(source, n,
                                            o / g.groupOutputs() * g.groupChannels() + c,
                                            y * w.strideH() + ky * w.dilationH() - w.padTop(),
                                            x * w.strideW() + kx * w.dilationW() - w.padLeft());
                                }
                            }
                        }
                    }
                }
            }
        }
        assertArrayEquals(expected, actual.values(), 1e-12);
    }

    @Test
    void largeConvolutionsAreSplitIntoTilesAndDepths() {
        Window window = new Window(3, 3, 1, 1, 1, 1, 1, 1, 1, 1);
        DoubleTensor source = random(1, 2, 31, 17, 23);
        DoubleTensor weight = random(2, 45, 31, 3, 3);
        DoubleTensor actual = Interpreter.evaluate(new Op.Conv(window, 1), List.of(source, weight));
        for (int[] place : new int[][] {{0, 0, 0, 0}, {1, 44, 16, 22}, {0, 13, 8, 9}, {1, 7, 8, 8}, {1, 8, 16, 0}}) {
            double expected = 0;
            for (int c = 0; c < 31; c++) {
                for (int ky = 0; ky < 3; ky++) {
                    for (int kx = 0; kx < 3; kx++) {
                        expected += at(weight, place[1], c, ky, kx)
                                * at(source, place[0], c, place[2] + ky - 1, place[3] + kx - 1);
                    }
                }
            }
            assertEquals(expected, at(actual, place[0], place[1], place[2], place[3]), 1e-12);
        }
    }

    /** The transposed convolution is the transposed map: ⟨conv(x), y⟩ = ⟨x, transposed(y)⟩ for all x and y. */
    @Property(tries = 400)
    void transposedConvolutionIsTheAdjoint(@ForAll("geometries") Geometry g) {
        Window w = g.window();
        Assume.that(w.outputH(g.height()) >= 1 && w.outputW(g.width()) >= 1);
        DoubleTensor x = g.source(1);
        DoubleTensor weight = random(2, g.groups() * g.groupOutputs(), g.groupChannels(), w.kernelH(), w.kernelW());
        DoubleTensor image = Interpreter.evaluate(new Op.Conv(w, g.groups()), List.of(x, weight));
        DoubleTensor y = random(3, image.shape());
        int restH = (g.height() + w.padTop() + w.padBottom() - w.spanH()) % w.strideH();
        int restW = (g.width() + w.padLeft() + w.padRight() - w.spanW()) % w.strideW();
        DoubleTensor adjoint = Interpreter.evaluate(new Op.ConvTranspose(w, restH, restW, g.groups()), List.of(y, weight));
        assertEquals(x.type(), adjoint.type());
        assertEquals(inner(image, y), inner(x, adjoint), 1e-11);
    }

    private static double inner(DoubleTensor a, DoubleTensor b) {
        double sum = 0;
        for (int i = 0; i < a.values().length; i++) {
            sum += a.values()[i] * b.values()[i];
        }
        return sum;
    }

    /** Pooling against a list of the pixels in each window, with the number of windows counted one by one. */
    @Property(tries = 400)
    void poolingIsItsDefinition(@ForAll @IntRange(min = 1, max = 12) int height, @ForAll @IntRange(min = 1, max = 12) int width,
            @ForAll("windows") Window w, @ForAll Op.Pool.Kind kind, @ForAll boolean ceil, @ForAll boolean countPadding) {
        Op.Pool pool = new Op.Pool(kind, w, ceil, countPadding);
        DoubleTensor source = random(1, 1, 2, height, width);
        DoubleTensor actual;
        try {
            actual = Interpreter.evaluate(pool, List.of(source));
        } catch (InvalidInput e) {
            Assume.that(false);
            return;
        }
        assertEquals(windows(height, w.padTop(), w.padBottom(), w.spanH(), w.strideH(), ceil), actual.dim(2));
        assertEquals(windows(width, w.padLeft(), w.padRight(), w.spanW(), w.strideW(), ceil), actual.dim(3));
        for (int c = 0; c < 2; c++) {
            for (int y = 0; y < actual.dim(2); y++) {
                for (int x = 0; x < actual.dim(3); x++) {
                    List<Double> pixels = new ArrayList<>();
                    for (int ky = 0; ky < w.kernelH(); ky++) {
                        for (int kx = 0; kx < w.kernelW(); kx++) {
                            int sy = y * w.strideH() + ky * w.dilationH() - w.padTop();
                            int sx = x * w.strideW() + kx * w.dilationW() - w.padLeft();
                            boolean image = sy >= 0 && sy < height && sx >= 0 && sx < width;
                            boolean padding = sy < height + w.padBottom() && sx < width + w.padRight();
                            if (image || countPadding && padding && kind == Op.Pool.Kind.AVERAGE) {
                                pixels.add(at(source, 0, c, sy, sx));
                            }
                        }
                    }
                    double expected = kind == Op.Pool.Kind.MAX
                            ? pixels.stream().mapToDouble(Double::doubleValue).max().orElseThrow()
                            : pixels.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
                    assertEquals(expected, at(actual, 0, c, y, x), 1e-13);
                }
            }
        }
    }

    private static int windows(int size, int before, int after, int span, int stride, boolean ceil) {
        int count = 0;
        for (int start = 0; start + span <= size + before + after; start += stride) {
            count++;
        }
        if (ceil && (count - 1) * stride + span < size + before + after) {
            count++;
        }
        boolean startsInTrailingPadding = (count - 1) * stride >= size + before;
        return ceil && startsInTrailingPadding ? count - 1 : count;
    }

    @Property(tries = 100)
    void productsAreTheirDefinition(@ForAll @IntRange(min = 1, max = 5) int rows, @ForAll @IntRange(min = 1, max = 150) int depth,
            @ForAll @IntRange(min = 1, max = 400) int columns) {
        DoubleTensor left = random(1, 3, rows, depth);
        DoubleTensor right = random(2, depth, columns);
        DoubleTensor product = Interpreter.evaluate(new Op.MatMul(), List.of(left, right));
        DoubleTensor transposed = Interpreter.evaluate(new Op.Transpose(List.of(1, 0)), List.of(right));
        DoubleTensor linear = Interpreter.evaluate(new Op.Linear(), List.of(left, transposed));
        for (int m = 0; m < 3 * rows; m++) {
            for (int n = 0; n < columns; n++) {
                double expected = 0;
                for (int k = 0; k < depth; k++) {
                    expected += left.values()[m * depth + k] * right.values()[k * columns + n];
                }
                assertEquals(expected, product.values()[m * columns + n], 1e-12);
                assertEquals(expected, linear.values()[m * columns + n], 1e-12);
            }
        }
    }
}
