package dev.upscale.runtime.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.Compiler;
import dev.upscale.compile.KernelCosts;
import dev.upscale.compile.Technique;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Function;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import dev.upscale.graph.Window;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Measured and estimated times of steps, on the kernels that are everywhere. */
class MeasuredCostsTest {
    private static final String KERNEL = "java.conv";

    @TempDir
    private Path folder;

    private MeasuredCosts costs(int threads) {
        return new MeasuredCosts(CpuCatalog.ofMachine(), CostTable.of(folder), threads);
    }

    private static Step.Convolve step(int inputs, int outputs, int side, int groups, Function function) {
        View source = View.channelsLast(View.Place.ARENA, 0, List.of(1, inputs, side, side), inputs);
        View destination = View.channelsLast(View.Place.ARENA, source.extentBytes(), List.of(1, outputs, side, side), outputs);
        return new Step.Convolve("conv", KERNEL, new Op.Conv(Window.square(1, 1, 0), groups), Operand.of(source), "w", "", Optional.empty(),
                function, destination, Optional.empty(), (long) side * side * inputs / groups * outputs);
    }

    @Test
    void aStepIsMeasuredOnceAndTellsOfItsNeighbours() {
        MeasuredCosts costs = costs(1);
        Step.Convolve known = step(40, 32, 12, 1, Function.RELU);
        Step.Convolve near = step(48, 32, 12, 1, Function.NONE);
        assertEquals(Optional.empty(), costs.estimate(KERNEL, near), "nothing is known");
        double measured = costs.nanos(KERNEL, known);
        assertTrue(measured > 0 && measured < Double.POSITIVE_INFINITY, "time " + measured);
        KernelCosts.Range range = costs.estimate(KERNEL, near).orElseThrow();
        assertTrue(range.least() > measured && range.most() < 1.4 * measured, range + " by " + measured);
        assertEquals(new KernelCosts.Origins(1, 1), costs.origins());
        assertEquals(OptionalDouble.empty(), costs.known(KERNEL, near), "an estimate is not kept");
        double own = costs.nanos(KERNEL, near);
        assertEquals(own, costs.known(KERNEL, near).orElseThrow());
        assertEquals(new KernelCosts.Origins(2, 0), costs.origins());
        MeasuredCosts later = costs(1);
        assertEquals(own, later.nanos(KERNEL, near));
        assertEquals(new KernelCosts.Origins(0, 0), later.origins());
    }

    @Test
    void aPlanIsRunOnceForEachNumberOfMicroBatches() {
        Graph graph = Graph.builder("g").input("x", TensorType.f32(2, 8, 6, 6)).weight("w", Tensor.random(TensorType.f32(8, 8, 3, 3), 1))
                .node("y", new Op.Conv(Window.square(3, 1, 1), 1), "x", "w").output("y").build();
        Plan plan = Compiler.compile(graph, CompileOptions.of(Variant.UPSCALE).without(Technique.MICRO_BATCHES), CpuCatalog.ofMachine());
        double once = costs(1).nanos(plan);
        assertTrue(once > 0 && once < Double.POSITIVE_INFINITY, "time " + once);
        assertEquals(once, costs(1).nanos(plan), "the table keeps it");
        assertTrue(costs(1).nanos(plan.repeated(50)) > once);
        costs(2).nanos(plan);
        assertEquals(3, CostTable.of(folder).all().size(), "another number of threads is measured by itself");
        assertEquals(List.of(), InterpolationError.of(CostTable.of(folder)), "times of plans tell nothing of each other");
    }

    @Test
    void otherImagesFunctionsGroupsAndThreadsTellNothing() {
        MeasuredCosts costs = costs(1);
        costs.nanos(KERNEL, step(40, 32, 12, 1, Function.RELU));
        costs.nanos(KERNEL, step(40, 40, 12, 40, Function.RELU));
        costs(2).nanos(KERNEL, step(40, 32, 12, 1, Function.RELU));
        assertEquals(Optional.empty(), costs.estimate(KERNEL, step(44, 32, 10, 1, Function.RELU)));
        assertEquals(Optional.empty(), costs.estimate(KERNEL, step(44, 32, 12, 1, Function.of(Function.Kind.SILU))));
        assertEquals(Optional.empty(), costs.estimate(KERNEL, step(44, 44, 12, 44, Function.RELU)));
        assertEquals(Optional.empty(), costs(2).estimate(KERNEL, step(44, 32, 12, 1, Function.RELU)));
        assertEquals(Optional.empty(), costs.estimate("other", step(44, 32, 12, 1, Function.RELU)));
    }

    @Test
    void theErrorOfATableIsThatOfItsTimesLeftOutInTurn() {
        CostTable table = CostTable.of(folder);
        table.nanos(new CostKey("kernel t1 g1 image", 94, 60, "a"), () -> 1000);
        table.nanos(new CostKey("kernel t1 g1 image", 94, 60, "b"), () -> 1100);
        table.nanos(new CostKey("kernel t1 g1 other image", 94, 60, "a"), () -> 5000);
        table.nanos(new CostKey("kernel t1 g1 image", 94, 60, "fails"), () -> Double.POSITIVE_INFINITY);
        InterpolationError error = InterpolationError.of(table).getFirst();
        assertEquals("kernel t1 g1", error.kind());
        assertEquals(List.of(3, 2), List.of(error.times(), error.interpolated()));
        assertEquals(0.1, error.median(), 1e-9);
        assertEquals(0.1, error.p95(), 1e-9);
    }
}
