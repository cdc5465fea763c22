package dev.upscale.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.upscale.graph.Graph;
import dev.upscale.graph.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What each of ONNX's operators becomes, over the opsets that changed its form. */
class OnnxImporterTest {

    private static void assertImports(String expected, TestModel model) {
        assertEquals(expected, model.graph().toString());
    }

    @Test
    void convolutionWithAutoPaddingAndGroups() {
        assertImports("""
                graph test(x: f32[1,4,5,6]) -> y {
                  w: f32[8,2,3,2] = iota
                  b: f32[8] = [0, 1, 2, 3, 4, 5, 6, 7]
                  y = Conv(x, w, b) kernel=3x2 stride=2x1 pad=1,0,1,1 groups=2 : f32[1,8,3,6]
                }
                """, TestModel.opset(11).input("x", 1, 4, 5, 6).weight("w", 8, 2, 3, 2).weight("b", 8)
                .node("y", "Conv", List.of("x", "w", "b"), "auto_pad", "SAME_UPPER", "group", 2,
                        "strides", new int[] {2, 1}).output("y"));
    }

    @Test
    void convolutionOverOneAxisIsAnImageOfHeightOne() {
        assertImports("""
                graph test(x: f32[1,4,9]) -> y {
                  y/reshape = Reshape(x) dims=[1,4,1,9] : f32[1,4,1,9]
                  w: f32[6,4,1,3] = iota
                  y/image = Conv(y/reshape, w) kernel=1x3 pad=0,1,0,0 : f32[1,6,1,8]
                  y = Reshape(y/image) dims=[1,6,8] : f32[1,6,8]
                }
                """, TestModel.opset(13).input("x", 1, 4, 9).weight("w", 6, 4, 3)
                .node("y", "Conv", List.of("x", "w"), "pads", new int[] {1, 0}).output("y"));
    }

    @Test
    void transposedConvolutionToAGivenShape() {
        assertImports("""
                graph test(x: f32[1,2,3,3]) -> y {
                  w: f32[2,4,3,3] = iota
                  y = ConvTranspose(x, w) kernel=3x3 stride=3x2 pad=0,1,0,0 outputPad=1x0 : f32[1,4,10,6]
                }
                """, TestModel.opset(11).input("x", 1, 2, 3, 3).weight("w", 2, 4, 3, 3)
                .node("y", "ConvTranspose", List.of("x", "w"), "strides", new int[] {3, 2},
                        "output_shape", new int[] {10, 6}).output("y"));
    }

    @Test
    void transposedConvolutionOfTheSameSizeIsNeverExtended() {
        assertImports("""
                graph test(x: f32[1,2,3,3]) -> y {
                  w: f32[2,4,2,3] = iota
                  y = ConvTranspose(x, w) kernel=2x3 stride=3x2 pad=0,1,0,0 : f32[1,4,8,6]
                }
                """, TestModel.opset(11).input("x", 1, 2, 3, 3).weight("w", 2, 4, 2, 3)
                .node("y", "ConvTranspose", List.of("x", "w"), "strides", new int[] {3, 2},
                        "auto_pad", "SAME_LOWER").output("y"));
    }

    @Test
    void productWithAConstantMatrixIsLinearUnderItsName() {
        assertImports("""
                graph test(x: f32[1,5,3]) -> y {
                  w: f32[2,3] = [0, 2, 4, 1, 3, 5]
                  p = Linear(x, w) : f32[1,5,2]
                  b: f32[2] = [0, 1]
                  y = Binary(p, b) add : f32[1,5,2]
                }
                """, TestModel.opset(13).input("x", 1, 5, 3).weight("w", 3, 2).weight("b", 2)
                .node("p", "MatMul", List.of("x", "w")).node("y", "Add", List.of("p", "b")).output("y"));
    }

    @Test
    void gemmScalesItsWeightAndBias() {
        assertImports("""
                graph test(x: f32[1,3]) -> y {
                  w: f32[2,3] = [0, 4, 8, 2, 6, 10]
                  b: f32[2] = [0, 0]
                  y = Linear(x, w, b) : f32[1,2]
                }
                """, TestModel.opset(13).input("x", 1, 3).weight("w", 3, 2).weight("b", 1)
                .node("y", "Gemm", List.of("x", "w", "b"), "alpha", 2f, "beta", 0.5f).output("y"));
    }

    @Test
    void theSameInitializerInTwoFormsIsTwoWeights() {
        assertImports("""
                graph test(x: f32[2,2]) -> y {
                  w: f32[2,2] = [0, 1, 2, 3]
                  p = Linear(x, w) : f32[2,2]
                  w.1: f32[2,2] = [0, 2, 1, 3]
                  q = Linear(p, w.1) : f32[2,2]
                  y = Binary(q, w) add : f32[2,2]
                }
                """, TestModel.opset(13).input("x", 2, 2).weight("w", 2, 2)
                .node("p", "Gemm", List.of("x", "w"), "transB", 1).node("q", "Gemm", List.of("p", "w"))
                .node("y", "Add", List.of("q", "w")).output("y"));
    }

    @Test
    void splitIsSlicesOfWhatIsRead() {
        assertImports("""
                graph test(x: f32[1,6,2,2]) -> a, c {
                  a = Slice(x) axis=1 start=0 size=1 : f32[1,1,2,2]
                  c = Slice(x) axis=1 start=3 size=3 : f32[1,3,2,2]
                }
                """, TestModel.opset(13).input("x", 1, 6, 2, 2).wholes("sizes", 1, 2, 3)
                .node("Split", List.of("x", "sizes"), List.of("a", "b", "c"), "axis", 1).output("a", "c"));
        assertImports("""
                graph test(x: f32[1,7,2,2]) -> a, b {
                  a = Slice(x) axis=1 start=0 size=4 : f32[1,4,2,2]
                  b = Slice(x) axis=1 start=4 size=3 : f32[1,3,2,2]
                }
                """, TestModel.opset(18).input("x", 1, 7, 2, 2)
                .node("Split", List.of("x"), List.of("a", "b"), "axis", 1, "num_outputs", 2).output("a", "b"));
    }

    @Test
    void clipHasAttributesBeforeOpset11AndInputsSince() {
        String expected = """
                graph test(x: f32[1,2]) -> y {
                  y = Apply(x) clip(0,6) : f32[1,2]
                }
                """;
        assertImports(expected, TestModel.opset(7).input("x", 1, 2).node("y", "Clip", List.of("x"), "min", 0f, "max", 6f)
                .output("y"));
        assertImports(expected, TestModel.opset(13).input("x", 1, 2).weight("least", Tensor.f32(new float[1]))
                .weight("most", Tensor.f32(new float[] {6})).node("y", "Clip", List.of("x", "least", "most")).output("y"));
    }

    @Test
    void sliceHasAttributesBeforeOpset10AndInputsSince() {
        String expected = """
                graph test(x: f32[1,8,4]) -> y {
                  y/slice = Slice(x) axis=1 start=2 size=6 : f32[1,6,4]
                  y = Slice(y/slice) axis=2 start=1 size=2 : f32[1,6,2]
                }
                """;
        assertImports(expected, TestModel.opset(9).input("x", 1, 8, 4).node("y", "Slice", List.of("x"),
                "axes", new int[] {1, -1}, "starts", new int[] {-6, 1}, "ends", new int[] {100, 3}).output("y"));
        assertImports(expected, TestModel.opset(13).input("x", 1, 8, 4).wholes("s", -6, 1).wholes("e", 100, 3)
                .wholes("a", 1, -1).node("y", "Slice", List.of("x", "s", "e", "a")).output("y"));
    }

    @Test
    void sliceBackwards() {
        assertImports("""
                graph test(x: f32[1,8]) -> y {
                  y = Slice(x) axis=1 start=7 size=3 step=-3 : f32[1,3]
                }
                """, TestModel.opset(13).input("x", 1, 8).wholes("s", -1).wholes("e", Long.MIN_VALUE).wholes("a", 1)
                .wholes("t", -3).node("y", "Slice", List.of("x", "s", "e", "a", "t")).output("y"));
    }

    @Test
    void softmaxFlattensBeforeOpset13() {
        assertImports("""
                graph test(x: f32[2,3,4]) -> y {
                  y/reshape = Reshape(x) dims=[2,12] : f32[2,12]
                  y/flat = Softmax(y/reshape) axis=1 : f32[2,12]
                  y = Reshape(y/flat) dims=[2,3,4] : f32[2,3,4]
                }
                """, TestModel.opset(11).input("x", 2, 3, 4).node("y", "Softmax", List.of("x")).output("y"));
        assertImports("""
                graph test(x: f32[2,3,4]) -> y {
                  y = Softmax(x) axis=2 : f32[2,3,4]
                }
                """, TestModel.opset(13).input("x", 2, 3, 4).node("y", "Softmax", List.of("x")).output("y"));
    }

    @Test
    void reducedAxesAreAttributesBeforeAndInputsSince() {
        String expected = """
                graph test(x: f32[1,2,3]) -> y {
                  y = Reduce(x) sum axes=[1,2] : f32[1]
                }
                """;
        assertImports(expected, TestModel.opset(11).input("x", 1, 2, 3).node("y", "ReduceSum", List.of("x"),
                "axes", new int[] {-1, 1}, "keepdims", 0).output("y"));
        assertImports(expected, TestModel.opset(13).input("x", 1, 2, 3).wholes("axes", -1, 1)
                .node("y", "ReduceSum", List.of("x", "axes"), "keepdims", 0).output("y"));
    }

    @Test
    void globalPoolingIsReduction() {
        assertImports("""
                graph test(x: f32[1,2,3,4]) -> y {
                  p = Reduce(x) mean axes=[2,3] keepDims : f32[1,2,1,1]
                  y = Reshape(p) dims=[1,2] : f32[1,2]
                }
                """, TestModel.opset(13).input("x", 1, 2, 3, 4).node("p", "GlobalAveragePool", List.of("x"))
                .node("y", "Flatten", List.of("p")).output("y"));
    }

    @Test
    void upsampleByAttributeAndResizeByInput() {
        assertImports("""
                graph test(x: f32[1,2,3,4]) -> y {
                  y = Resize(x) nearest asymmetric floor size=6x6 scale=2x1.5 : f32[1,2,6,6]
                }
                """, TestModel.opset(7).input("x", 1, 2, 3, 4)
                .node("y", "Upsample", List.of("x"), "scales", new float[] {1, 1, 2, 1.5f}).output("y"));
        assertImports("""
                graph test(x: f32[1,2,3,4]) -> y {
                  y = Resize(x) linear align_corners round_prefer_floor size=6x6 scale=2x1.5 : f32[1,2,6,6]
                }
                """, TestModel.opset(13).input("x", 1, 2, 3, 4).wholes("sizes", 1, 2, 6, 6)
                .node("y", "Resize", List.of("x", "", "", "sizes"), "mode", "linear",
                        "coordinate_transformation_mode", "align_corners").output("y"));
    }

    @Test
    void resizeOfOpset10RoundsUpWhereItShrinks() {
        assertImports("""
                graph test(x: f32[1,2,4,4]) -> y {
                  y/rows = Resize(x) nearest asymmetric ceil size=2x4 scale=0.5x1 : f32[1,2,2,4]
                  y = Resize(y/rows) nearest asymmetric floor size=2x8 scale=1x2 : f32[1,2,2,8]
                }
                """, TestModel.opset(10).input("x", 1, 2, 4, 4).weight("s", Tensor.f32(new float[] {1, 1, 0.5f, 2}, 4))
                .node("y", "Resize", List.of("x", "s")).output("y"));
    }

    @Test
    void resizeTakesItsAxesSinceOpset18() {
        assertImports("""
                graph test(x: f32[1,2,3,4]) -> y {
                  y = Resize(x) nearest half_pixel round_prefer_floor size=6x8 scale=2x2 : f32[1,2,6,8]
                }
                """, TestModel.opset(18).input("x", 1, 2, 3, 4).wholes("sizes", 8, 6)
                .node("y", "Resize", List.of("x", "", "", "sizes"), "axes", new int[] {3, -2}).output("y"));
    }

    @Test
    void shapeArithmeticIsFolded() {
        assertImports("""
                graph test(x: f32[1,6,2,4]) -> y {
                  y = Reshape(x) dims=[1,2,3,8] : f32[1,2,3,8]
                }
                """, TestModel.opset(13).input("x", 1, 6, 2, 4).wholes("two", 2).wholes("one", 1).wholes("minus", -1)
                .node("s", "Shape", List.of("x")).node("c", "Gather", List.of("s", "one")).node("h", "Div", List.of("c", "two"))
                .node("t", "Concat", List.of("one", "two", "h", "minus"), "axis", 0)
                .node("y", "Reshape", List.of("x", "t")).output("y"));
    }

    @Test
    void scalesComputedFromShapes() {
        assertImports("""
                graph test(x: f32[1,2,3,5]) -> y {
                  y = Resize(x) nearest half_pixel round_prefer_floor size=6x10 scale=2x2 : f32[1,2,6,10]
                }
                """, TestModel.opset(13).input("x", 1, 2, 3, 5).weight("by", Tensor.f32(new float[] {1, 1, 2, 2}, 4))
                .node("s", "Shape", List.of("x")).node("f", "Cast", List.of("s"), "to", 1)
                .node("m", "Mul", List.of("f", "by")).node("r", "Floor", List.of("m")).node("i", "Cast", List.of("r"), "to", 7)
                .node("y", "Resize", List.of("x", "", "", "i")).output("y"));
    }

    @Test
    void whatDoesNothingIsLeftOutAndOutputsKeepTheirNames() {
        assertImports("""
                graph test(x: f32[1,2]) -> y {
                  y = Apply(x) relu : f32[1,2] @a
                }
                """, TestModel.opset(13).input("x", 1, 2).node("a", "Relu", List.of("x"))
                .node("b", "Dropout", List.of("a")).node("c", "Cast", List.of("b"), "to", 10)
                .node("y", "Identity", List.of("c")).node("unused", "NonMaxSuppression", List.of("x")).output("y"));
        assertImports("""
                graph test(x: f32[1,2]) -> y {
                  y = Apply(x) none : f32[1,2]
                }
                """, TestModel.opset(13).input("x", 1, 2).node("y", "Identity", List.of("x")).output("y"));
    }

    @Test
    void chainsOfSums() {
        assertImports("""
                graph test(a: f32[1,2], b: f32[1,2], c: f32[2]) -> y {
                  y/add = Binary(a, b) add : f32[1,2]
                  y = Binary(y/add, c) add : f32[1,2]
                }
                """, TestModel.opset(13).input("a", 1, 2).input("b", 1, 2).input("c", 2)
                .node("y", "Sum", List.of("a", "b", "c")).output("y"));
    }

    @Test
    void gatherOfAScalarIndexDropsTheAxis() {
        assertImports("""
                graph test(x: f32[1,4,3]) -> y {
                  g/take = Slice(x) axis=1 start=3 size=1 : f32[1,1,3]
                  g = Reshape(g/take) dims=[1,3] : f32[1,3]
                  y = Take(g) axis=1 indices=[2,0] : f32[1,2]
                }
                """, TestModel.opset(13).input("x", 1, 4, 3).weight("i", Tensor.of(NodeImport.wholeType(List.of()),
                new long[] {-1})).wholes("j", 2, 0)
                .node("g", "Gather", List.of("x", "i"), "axis", 1).node("y", "Gather", List.of("g", "j"), "axis", 1)
                .output("y"));
    }

    @Test
    void padTakesItsAxesSinceOpset18() {
        assertImports("""
                graph test(x: f32[1,1,4,4]) -> y {
                  y = Pad(x) edge before=[0,0,2,1] after=[0,0,4,3] : f32[1,1,10,8]
                }
                """, TestModel.opset(18).input("x", 1, 1, 4, 4).wholes("p", 1, 2, 3, 4).wholes("a", 3, 2)
                .node("y", "Pad", List.of("x", "p", "", "a"), "mode", "edge").output("y"));
    }

    @Test
    void groupNormalizationIsInstanceNormalizationOfGroups() {
        assertImports("""
                graph test(x: f32[1,4,2,2]) -> y {
                  y/reshape = Reshape(x) dims=[1,2,2,2,2] : f32[1,2,2,2,2]
                  y/ones: f32[2] = [1, 1]
                  y/zeros: f32[2] = [0, 0]
                  y/normal = InstanceNorm(y/reshape, y/ones, y/zeros) epsilon=1e-5 : f32[1,2,2,2,2]
                  y/reshape.1 = Reshape(y/normal) dims=[1,4,2,2] : f32[1,4,2,2]
                  s: f32[4] = [0, 1, 2, 3]
                  t: f32[4] = [0, 1, 2, 3]
                  y = ScaleShift(y/reshape.1, s, t) : f32[1,4,2,2]
                }
                """, TestModel.opset(21).input("x", 1, 4, 2, 2).weight("s", 4).weight("t", 4)
                .node("y", "GroupNormalization", List.of("x", "s", "t"), "num_groups", 2).output("y"));
    }

    @Test
    void openDimensionsFromBatchAndShapes() {
        TestModel model = TestModel.opset(13).input("x", "N", 3, "H", "W").input("z", "N", "H")
                .node("a", "Relu", List.of("x")).node("b", "Relu", List.of("z")).output("a", "b");
        Graph graph = model.graph(ImportOptions.defaults().withBatch(4)
                .withInputShapes(java.util.Map.of("x", List.of(4, 3, 8, 16))));
        assertEquals(List.of(4, 3, 8, 16), graph.type("a").dims());
        assertEquals(List.of(4, 8), graph.type("b").dims());
    }
}
