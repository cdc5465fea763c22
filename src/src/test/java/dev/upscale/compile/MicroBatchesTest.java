package dev.upscale.compile;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.graph.Function;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import dev.upscale.graph.Window;
import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import dev.upscale.runtime.cpu.CpuCatalog;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MicroBatchesTest {
    private static final int IMAGES = 8;

    /** Everything that keeps images apart, and a branch of constants. */
    private static Graph network(int images) {
        return Graph.builder("separate")
                .input("x", TensorType.f32(images, 4, 6, 6))
                .weight("w", Tensor.random(TensorType.f32(8, 4, 3, 3), 1))
                .weight("slope", Tensor.random(TensorType.f32(8, 1, 1), 2))
                .weight("one", Tensor.random(TensorType.f32(1, 8, 6, 6), 3))
                .weight("fc", Tensor.random(TensorType.f32(5, 16), 4))
                .node("conv", new Op.Conv(Window.square(3, 1, 1), 1), "x", "w")
                .node("prelu", new Op.PRelu(), "conv", "slope")
                .node("constant", new Op.Apply(Function.RELU), "one")
                .node("sum", new Op.Binary(Op.Binary.Kind.ADD), "prelu", "constant")
                .node("both", new Op.Concat(1), "sum", "conv")
                .node("mean", new Op.Reduce(Op.Reduce.Kind.MEAN, List.of(2, 3), true), "both")
                .node("gated", new Op.Binary(Op.Binary.Kind.MUL), "both", "mean")
                .node("rows", new Op.Reshape(List.of(images, 16, 36)), "gated")
                .node("turned", new Op.Transpose(List.of(0, 2, 1)), "rows")
                .node("product", new Op.MatMul(), "turned", "rows")
                .node("attention", new Op.Softmax(2), "turned")
                .node("scores", new Op.Linear(), "attention", "fc")
                .node("pooled", new Op.Reduce(Op.Reduce.Kind.MAX, List.of(1), false), "scores")
                .output("pooled")
                .build();
    }

    @Test
    void anImageOfABatchIsComputedAsItIsAlone() {
        Graph whole = network(IMAGES);
        assertEquals(IMAGES, BatchSize.of(whole));
        assertEquals(network(2), BatchSize.resize(whole, 2).orElseThrow());
        Tensor images = Tensor.random(whole.type("x"), 7);
        double[] together = Interpreter.run(whole, Map.of("x", images)).get("pooled").values();
        for (int image = 0; image < IMAGES; image++) {
            double[] alone = Interpreter.run(BatchSize.resize(whole, 1).orElseThrow(), Map.of("x", images.take(0, List.of(image)))).get("pooled").values();
            assertArrayEquals(Arrays.copyOfRange(together, image * alone.length, (image + 1) * alone.length), alone, 1e-12);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"softmax", "reduce", "concat", "slice", "take", "transpose", "reshape", "images times themselves", "a bias of all images",
        "an addend of its own for each image"})
    void whatMixesImagesIsNotDivided(String how) {
        IntFunction<Graph.Builder> base = rank -> Graph.builder(how).input("x", rank == 4 ? TensorType.f32(8, 4, 3, 3) : TensorType.f32(8, 4));
        Graph graph = switch (how) {
            case "softmax" -> base.apply(2).node("y", new Op.Softmax(0), "x").output("y").build();
            case "reduce" -> base.apply(4).node("m", new Op.Reduce(Op.Reduce.Kind.MEAN, List.of(0), true), "x")
                    .node("y", new Op.Binary(Op.Binary.Kind.SUB), "x", "m").output("y").build();
            case "concat" -> base.apply(2).node("t", new Op.Concat(0), "x", "x").node("y", new Op.Slice(0, 4, 8, 1), "t").output("y").build();
            case "slice" -> base.apply(2).node("y", new Op.Slice(0, 7, 8, -1), "x").output("y").build();
            case "take" -> base.apply(2).node("y", new Op.Take(0, List.of(1, 0, 3, 2, 5, 4, 7, 6)), "x").output("y").build();
            case "transpose" -> base.apply(2).node("t", new Op.Transpose(List.of(1, 0)), "x").node("s", new Op.Softmax(1), "t")
                    .node("y", new Op.Transpose(List.of(1, 0)), "s").output("y").build();
            case "reshape" -> base.apply(2).node("t", new Op.Reshape(List.of(4, 8)), "x").node("s", new Op.Softmax(1), "t")
                    .node("y", new Op.Reshape(List.of(8, 4)), "s").output("y").build();
            case "images times themselves" -> base.apply(2).node("t", new Op.Transpose(List.of(1, 0)), "x").node("y", new Op.MatMul(), "x", "t").output("y").build();
            case "a bias of all images" -> base.apply(2).weight("b", Tensor.random(TensorType.f32(8, 4), 1))
                    .node("y", new Op.Binary(Op.Binary.Kind.ADD), "x", "b").output("y").build();
            case "an addend of its own for each image" -> base.apply(2).weight("b", Tensor.random(TensorType.f32(8, 4), 1))
                    .node("t", new Op.Concat(1), "x", "b").node("y", new Op.Slice(1, 0, 4, 1), "t").output("y").build();
            default -> throw new IllegalArgumentException(how);
        };
        assertEquals(Optional.empty(), BatchSize.resize(graph, 2));
        assertEquals(1, compile(graph, List.of(), true).microBatches());
    }

    @ParameterizedTest
    @CsvSource({"1, 8", "2, 4", "8, 1"})
    void theFastestSizeIsTakenByCosts(int fastest, int microBatches) {
        KernelCosts costs = costs(step -> step.destination().dim(0) == fastest ? 10L * fastest : 100L * step.destination().dim(0));
        Plan plan = Compiler.compile(network(IMAGES), CompileOptions.of(Variant.UPSCALE).withCosts(costs), CpuCatalog.ofMachine());
        assertEquals(microBatches, plan.microBatches());
        assertEquals(List.of(IMAGES, 5), plan.outputs().getFirst().dims());
    }

    @Test
    void ofSizesThatTakeTheSameTheSmallestIsTaken() {
        Plan plan = Compiler.compile(network(IMAGES), CompileOptions.of(Variant.UPSCALE).withCosts(costs(step -> step.destination().dim(0))), CpuCatalog.ofMachine());
        assertEquals(IMAGES, plan.microBatches());
    }

    @Test
    void withoutCostsTwoImagesAreComputedAtATimeUnlessWeightsOutweighThem() {
        Graph wide = Graph.builder("wide").input("x", TensorType.f32(IMAGES, 8, 32, 32)).weight("w", Tensor.random(TensorType.f32(8, 8, 3, 3), 1))
                .node("y", new Op.Conv(Window.square(3, 1, 1), 1), "x", "w").output("y").build();
        assertEquals(4, compile(wide, CompileOptions.ALL_ENGINES, true).microBatches());
        assertEquals(1, compile(wide, CompileOptions.ALL_ENGINES, false).microBatches());
        Graph linear = Graph.builder("linear").input("x", TensorType.f32(IMAGES, 512)).weight("w", Tensor.random(TensorType.f32(512, 512), 1))
                .node("y", new Op.Linear(), "x", "w").output("y").build();
        assertEquals(1, compile(linear, CompileOptions.ALL_ENGINES, true).microBatches());
    }

    private static Plan compile(Graph graph, List<String> engines, boolean divided) {
        CompileOptions options = new CompileOptions(Variant.UPSCALE, engines);
        return Compiler.compile(graph, divided ? options : options.without(Technique.MICRO_BATCHES), CpuCatalog.ofMachine());
    }

    private interface Cost {
        long nanos(Step.Convolve step);
    }

    private static KernelCosts costs(Cost cost) {
        return new KernelCosts() {
            @Override
            public double nanos(String kernel, Step.Convolve step) {
                return cost.nanos(step);
            }

            @Override
            public OptionalDouble known(String kernel, Step.Convolve step) {
                return OptionalDouble.of(nanos(kernel, step));
            }
        };
    }
}
