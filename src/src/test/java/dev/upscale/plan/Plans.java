package dev.upscale.plan;

import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.graph.Window;
import dev.upscale.plan.View.Place;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;

/** Plans made by hand, for tests. */
final class Plans {
    static final Op.Conv POINTWISE = new Op.Conv(Window.square(1, 1, 0), 1);
    static final Op.Conv SAME = new Op.Conv(Window.square(3, 1, 1), 1);

    private Plans() {}

    static View image(long offset, int channels, long pixelStride) {
        return View.channelsLast(Place.ARENA, offset, List.of(1, channels, 4, 4), pixelStride);
    }

    static Place input(String name) {
        return new Place(Place.Kind.INPUT, name);
    }

    static Place output(String name) {
        return new Place(Place.Kind.OUTPUT, name);
    }

    static Constant weights(Integer... dims) {
        float[] values = new float[List.of(dims).stream().reduce(1, (a, b) -> a * b)];
        SplittableRandom random = new SplittableRandom(values.length);
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(-1, 1);
        }
        return Constant.f32(List.of(dims), values);
    }

    /**
     * Images of 4x4 pixels. Convolutions a and b write their halves of a concat of 12 channels at byte 192; c reads six of
     * them where they lie, d three by index and adds its result to c's, e five gathered ones; an average of d goes to y, e
     * through a sigmoid to z.
     */
    static Plan small() {
        View concat = image(192, 12, 12);
        View dense = image(0, 3, 3);
        View sum = image(960, 4, 4);
        View gathered = image(1216, 5, 5);
        View average = View.channelsLast(Place.ARENA, 320, List.of(1, 4, 1, 1), 4);
        View last = image(0, 5, 5);
        Function none = Function.NONE;
        List<Step> steps = List.of(
                new Step.Copy("x.nhwc", "java.copy", Step.Copy.Kind.LAYOUT,
                        Operand.of(View.rowMajor(input("x"), 0, List.of(1, 3, 4, 4))), dense, "a reads channels-last"),
                new Step.Convolve("a+relu", "upscale.conv", SAME, Operand.of(dense), "a.w", "a.b", Optional.empty(),
                        Function.RELU, concat.slice(1, 0, 8), Optional.empty(), 3456),
                new Step.Convolve("b+clip", "onednn.conv", POINTWISE, Operand.of(dense), "b.w", "", Optional.empty(),
                        new Function(Function.Kind.CLIP, 0, Float.POSITIVE_INFINITY), concat.slice(1, 8, 4),
                        Optional.of(View.rowMajor(Place.ARENA, 960, List.of(64))), 192),
                new Step.Convolve("c", "onednn.matmul", POINTWISE, Operand.of(concat.slice(1, 2, 6)), "c.w", "",
                        Optional.empty(), none, sum, Optional.empty(), 384),
                new Step.Convolve("d+add", "upscale.conv", POINTWISE, new Operand(concat, "d.index"), "d.w", "",
                        Optional.of(Operand.of(sum)), none, sum, Optional.empty(), 192),
                new Step.Copy("e.gather", "upscale.gather", Step.Copy.Kind.GATHER, new Operand(concat, "e.index"), gathered,
                        "channels 1, 3, 9, 10, 11 are not neighbours and xnnpack.conv takes no index"),
                new Step.Convolve("e", "xnnpack.conv", new Op.Conv(Window.square(3, 1, 1), 5), Operand.of(gathered), "e.w",
                        "e.b", Optional.empty(), new Function(Function.Kind.LEAKY_RELU, 0.1f, 0), last, Optional.empty(), 720),
                new Step.Compute("mean", "java.reduce", new Op.Reduce(Op.Reduce.Kind.MEAN, List.of(2, 3), true),
                        List.of(Operand.of(sum)), none, average, Optional.empty()),
                new Step.Convolve("fc", "upscale.conv", POINTWISE,
                        Operand.of(View.rowMajor(Place.ARENA, 320, List.of(1, 4))), "fc.w", "fc.b", Optional.empty(), none,
                        View.rowMajor(output("y"), 0, List.of(1, 10)), Optional.empty(), 40)
                        .withChoices(List.of(new Step.Copy.Choice("in one", 20), new Step.Copy.Choice("in two", 30))),
                new Step.Compute("sigmoid", "java.apply", new Op.Apply(Function.of(Function.Kind.SIGMOID)),
                        List.of(Operand.of(last)), none, View.rowMajor(output("z"), 0, List.of(1, 5, 4, 4)),
                        Optional.empty()));
        Map<String, Constant> constants = new LinkedHashMap<>();
        constants.put("a.w", weights(8, 3, 3, 3));
        constants.put("a.b", weights(8));
        constants.put("b.w", weights(4, 3, 1, 1));
        constants.put("c.w", weights(4, 6, 1, 1));
        constants.put("d.w", weights(4, 3, 1, 1));
        constants.put("d.index", Constant.i32(0, 11, 5));
        constants.put("e.index", Constant.i32(1, 3, 9, 10, 11));
        constants.put("e.w", weights(5, 1, 3, 3));
        constants.put("e.b", weights(5));
        constants.put("fc.w", weights(10, 4));
        constants.put("fc.b", weights(10));
        return new Plan("small \"net\"\nof Zürich \uD83C\uDF0A", "upscale", "cpu", List.of(port("x", 1, 3, 4, 4)),
                List.of(port("y", 1, 10), port("z", 1, 5, 4, 4)), steps, constants, 1536, 1344, 6);
    }

    static Plan.Port port(String name, Integer... dims) {
        return new Plan.Port(name, List.of(dims));
    }

    /** The plan with one step changed. */
    static Plan withStep(Plan plan, int position, UnaryOperator<Step> change) {
        List<Step> steps = new ArrayList<>(plan.steps());
        steps.set(position, change.apply(steps.get(position)));
        return withSteps(plan, steps);
    }

    static Plan withSteps(Plan plan, List<Step> steps) {
        return new Plan(plan.model(), plan.variant(), plan.target(), plan.inputs(), plan.outputs(), steps, plan.constants(),
                plan.arenaBytes(), plan.arenaLowerBoundBytes(), plan.consumers());
    }

    static Plan withConstant(Plan plan, String name, Constant constant) {
        Map<String, Constant> constants = new LinkedHashMap<>(plan.constants());
        constants.put(name, constant);
        return plan.withConstants(constants);
    }

    /** With code of kernels beside the steps, as a plan for a GPU has it. */
    static Plan withCode(Plan plan, String name, Constant code) {
        Accelerator.KernelCode kernels = new Accelerator.KernelCode("sm_89", "NVRTC 13.0", List.of("up_map_f16_f32", "up_pool_f16_f16"), name);
        return plan.forDevice(new Accelerator("{}", "f16", "cuDNN 9.24.0", List.of(), Optional.of(kernels)), withConstant(plan, name, code).constants());
    }

    static Plan withArena(Plan plan, long bytes, long bound) {
        return new Plan(plan.model(), plan.variant(), plan.target(), plan.inputs(), plan.outputs(), plan.steps(),
                plan.constants(), bytes, bound, plan.consumers());
    }
}
