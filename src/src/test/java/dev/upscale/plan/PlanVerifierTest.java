package dev.upscale.plan;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.graph.Function;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Op;
import dev.upscale.graph.Window;
import dev.upscale.plan.View.Place;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Each test breaks one thing in a valid plan; the steps are those of {@link Plans#small}. */
class PlanVerifierTest {
    private static final Plan PLAN = Plans.small();
    private static final View CONCAT = Plans.image(192, 12, 12);
    private static final View SUM = Plans.image(960, 4, 4);

    @Test
    void aValidPlanIsAccepted() {
        PlanVerifier.verify(PLAN);
    }

    @Test
    void viewsStayInsideOfTheirPlace() {
        refused("step 5 (upscale.gather e.gather): its destination arena+1216[1,5,4,4|80,1,20,5] leaves the 1535 bytes of its place",
                Plans.withArena(PLAN, 1535, 1344));
        refused("step 3 (onednn.matmul c): a size is out of all bounds", 3,
                source(new View(Place.ARENA, 192, List.of(1, 6, 4, 4), List.of(48L, 1L, Long.MAX_VALUE, 12L))));
        refused("has more than 2^31 elements", 3,
                source(new View(Place.ARENA, 192, List.of(1, 6, Integer.MAX_VALUE, 4), List.of(48L, 1L, 0L, 12L))));
        refused("has a negative size", 3,
                source(new View(Place.ARENA, 192, List.of(1, 6, 4, 4), List.of(48L, 1L, -12L, 12L))));
        refused("lies in input q, which does not exist", 3,
                source(View.rowMajor(Plans.input("q"), 0, List.of(1, 6, 4, 4))));
        refused("leaves the 192 bytes of its place", 0,
                source(View.rowMajor(Plans.input("x"), 4, List.of(1, 3, 4, 4))));
        refused("leaves the 40 bytes of its place", 8,
                destination(View.rowMajor(Plans.output("y"), 4, List.of(1, 10))));
        refused("holds no f32", 9, source(View.rowMajor(new Place(Place.Kind.CONSTANT, "e.index"), 0, List.of(5))));
    }

    @Test
    void narrowElementsLieInTheArena() {
        refused("its destination output y+0 f16 [1,10|10,1] holds f16 outside of the arena", 8,
                destination(View.rowMajor(Plans.output("y"), 0, List.of(1, 10)).of(Element.F16)));
        assertEquals(3 * 4 * 2, View.rowMajor(Place.ARENA, 0, List.of(3, 4)).of(Element.F16).bytes());
        assertEquals(2 * 5, View.channelsLast(Place.ARENA, 0, List.of(1, 8, 2, 2), 8).of(Element.BF16).slice(1, 5, 3).offset());
        assertThrows(IllegalArgumentException.class, () -> View.rowMajor(Place.ARENA, 0, List.of(3)).of(Element.F16).with(1, List.of(3), List.of(1L)));
    }

    @Test
    void aLibraryPlanThatAStepNamesIsThere() {
        int convolution = PLAN.steps().indexOf(PLAN.steps().stream().filter(Step.Convolve.class::isInstance).findFirst().orElseThrow());
        UnaryOperator<Step> named = step -> {
            Step.Convolve s = (Step.Convolve) step;
            return new Step.Convolve(s.name(), s.kernel(), s.conv(), s.source(), s.weights(), s.bias(), s.addend(), s.activation(), s.destination(),
                    s.workspace(), s.multiplyAdds(), Optional.of("cudnn.1"), s.choices());
        };
        Plan plan = Plans.withStep(PLAN, convolution, named);
        refused("its library plan cudnn.1 is missing", plan);
        PlanVerifier.verify(new Plan(plan.model(), plan.variant(), "cuda:h100", plan.inputs(), plan.outputs(), 1, plan.steps(), plan.constants(),
                plan.arenaBytes(), plan.arenaLowerBoundBytes(), plan.consumers(),
                Optional.of(new Accelerator("{}", "f16", "cuDNN 9.24.0", List.of(new Accelerator.LibraryPlan("cudnn.1", "{}")), Optional.empty()))));
    }

    @Test
    void theCodeOfKernelsIsThere() {
        PlanVerifier.verify(Plans.withCode(PLAN, "code", Constant.i8(new byte[] {1})));
        refused("the code of its kernels, code, is no constant of bytes", Plans.withCode(PLAN, "code", Constant.i8(new byte[0])));
        refused("the code of its kernels, code, is no constant of bytes", Plans.withCode(PLAN, "code", Constant.i32(1)));
        refused("the code of its kernels, code, is no constant of bytes",
                Plans.withCode(PLAN, "code", Constant.i8(new byte[] {1})).withConstants(PLAN.constants()));
    }

    @Test
    void microBatchesAreEqualPartsOfEveryPort() {
        Plan plan = PLAN.repeated(3);
        PlanVerifier.verify(plan);
        assertEquals(3, plan.inputs().getFirst().dims().getFirst());
        assertEquals(3 * PLAN.multiplyAdds(), plan.multiplyAdds());
        refused("which is not 3 micro-batches", new Plan("", "", "", PLAN.inputs(), plan.outputs(), 3, plan.steps(), plan.constants(), plan.arenaBytes(), 0, 0,
                Optional.empty()));
        refused("0 micro-batches", PLAN.repeated(0));
        Accelerator gpu = new Accelerator("{}", "f16", "cuDNN 9.24.0", List.of(), Optional.empty());
        refused("3 micro-batches for cuda:h100", new Plan("", "", "cuda:h100", plan.inputs(), plan.outputs(), 3, plan.steps(), plan.constants(),
                plan.arenaBytes(), 0, 0, Optional.of(gpu)));
        Plan.Port larger = Plans.port("x", 6, 3, 4, 4);
        refused("leaves the", new Plan("", "", "", List.of(Plans.port("x", 3, 3, 2, 4)), plan.outputs(), 3, plan.steps(), plan.constants(),
                plan.arenaBytes(), 0, 0, Optional.empty()));
        PlanVerifier.verify(new Plan("", "", "", List.of(larger), plan.outputs(), 3, plan.steps(), plan.constants(), plan.arenaBytes(), 0, 0,
                Optional.empty()));
    }

    @Test
    void onlyTheChannelsThatAnIndexChoosesAreReadAndMayNotBeWritten() {
        View image = Plans.image(0, 8, 8);
        Plan.Port port = Plans.port("x", 1, 8, 4, 4);
        Step fill = new Step.Copy("x", "java.copy", Step.Copy.Kind.LAYOUT, Operand.of(port.view(Place.Kind.INPUT)), image, "");
        for (int first : List.of(4, 6)) {
            Step relu = new Step.Compute("relu", "java.apply", new Op.Apply(Function.RELU), List.of(new Operand(image, "kept")),
                    Function.NONE, image.slice(1, first, 2), Optional.empty());
            Plan plan = new Plan("", "", "", List.of(port), List.of(), List.of(fill, relu), Map.of("kept", Constant.i32(0, 5)), 512, 512, 0);
            if (first == 6) {
                PlanVerifier.verify(plan);
            } else {
                refused("over its source", plan);
            }
        }
    }

    @Test
    void indexListsNameChannelsOfTheirView() {
        refused("step 4 (upscale.conv d+add): its index d.index names channel 12 of 12",
                Plans.withConstant(PLAN, "d.index", Constant.i32(0, 12, 5)));
        refused("its index d.index names channel -1 of 12",
                Plans.withConstant(PLAN, "d.index", Constant.i32(0, 1, -1)));
        refused("its index d.index is no list of i32 constants",
                Plans.withConstant(PLAN, "d.index", Constant.f32(List.of(3), 0, 1, 2)));
        refused("its index absent is no list of i32 constants", 4, source(new Operand(CONCAT, "absent")));
        refused("reads 3 channels", Plans.withConstant(PLAN, "d.index", Constant.i32(0, 1, 2, 3)));
    }

    @Test
    void stepsWriteTheArenaAndTheOutputsAlone() {
        refused("writes to input x", 0, destination(View.rowMajor(Plans.input("x"), 0, List.of(1, 3, 4, 4))));
        refused("writes to constant a.w", 0,
                destination(View.rowMajor(new Place(Place.Kind.CONSTANT, "a.w"), 0, List.of(1, 3, 4, 4))));
        refused("twice", 0, destination(new View(Place.ARENA, 0, List.of(1, 3, 4, 4), List.of(48L, 1L, 12L, 2L))));
        refused("twice", 0, destination(new View(Place.ARENA, 0, List.of(1, 3, 4, 4), List.of(48L, 0L, 12L, 3L))));
    }

    @Test
    void stepsDoNotWriteWhatTheyRead() {
        refused("step 6 (xnnpack.conv e): writes arena+1216[1,5,4,4|80,1,20,5] over its source", 6,
                destination(Plans.image(1216, 5, 5)));
        refused("over its source", 3, destination(CONCAT.slice(1, 0, 4)));
        PlanVerifier.verify(inserted(4, destination(CONCAT.slice(1, 8, 4)).apply(PLAN.steps().get(3))));
        refused("overlaps its destination", 3, workspace(View.rowMajor(Place.ARENA, 1200, List.of(8))));
        refused("overlaps its source", 3, workspace(View.rowMajor(Place.ARENA, 900, List.of(4))));
        refused("its workspace lies in output z", 3, workspace(View.rowMajor(Plans.output("z"), 0, List.of(4))));
        accepted(3, workspace(View.rowMajor(Place.ARENA, 1216, List.of(80))));
    }

    @Test
    void elementwiseStepsMayWorkInPlace() {
        Step relu = new Step.Compute("relu", "java.apply", new Op.Apply(Function.RELU), List.of(Operand.of(SUM)),
                Function.NONE, SUM, Optional.empty());
        PlanVerifier.verify(inserted(5, relu));
        Step pool = new Step.Compute("pool", "java.pool",
                new Op.Pool(Op.Pool.Kind.MAX, Window.square(3, 1, 1), false, false), List.of(Operand.of(SUM)),
                Function.NONE, SUM, Optional.empty());
        refused("step 5 (java.pool pool): writes", inserted(5, pool));
        Step shifted = new Step.Compute("relu", "java.apply", new Op.Apply(Function.RELU), List.of(Operand.of(SUM)),
                Function.NONE, Plans.image(976, 4, 4), Optional.empty());
        refused("step 5 (java.apply relu): writes", inserted(5, shifted));
    }

    @Test
    void whatIsReadWasWritten() {
        List<Step> steps = new ArrayList<>(PLAN.steps());
        steps.removeFirst();
        refused("step 0 (upscale.conv a+relu): reads arena+0[1,3,4,4|48,1,12,3], where no step has written",
                Plans.withSteps(PLAN, steps));
        refused("no step writes the output z", Plans.withSteps(PLAN, PLAN.steps().subList(0, 9)));
    }

    @Test
    void shapesFitEachOther() {
        refused("step 1 (upscale.conv a+relu): its result has the shape [1, 8, 4, 4], its destination [1, 7, 4, 4]", 1,
                destination(CONCAT.slice(1, 0, 7)));
        refused("its constant c.w is missing", 3, step -> convolve(step, "c.w", ""), "c.w");
        refused("its constant absent is missing", 3, step -> convolve(step, "c.w", "absent"));
        refused("bias", 3, step -> convolve(step, "c.w", "a.b"));
        refused("its constant d.index holds no f32", 3, step -> convolve(step, "c.w", "d.index"));
        refused("its kernel is 1x1", 3, step -> convolve(step, "a.w", ""));
        refused("its result has the shape [1, 5, 4, 4], its destination [1, 4, 4, 4]", 5, destination(SUM));
        refused("its addend has the shape", 4, step -> addend((Step.Convolve) step, CONCAT.slice(1, 0, 3)));
    }

    @Test
    void numbersOfThePlanAreSensible() {
        refused("the arena has 1536 bytes, its lower bound is 1537", Plans.withArena(PLAN, 1536, 1537));
        refused("the arena has -1 bytes", Plans.withArena(PLAN, -1, 0));
        refused("an input or output is too large", ported(Plans.port("x", Integer.MAX_VALUE, Integer.MAX_VALUE, 4, 4)));
        refused("INPUT x has the shape [1, -3, 4, 4]", ported(Plans.port("x", 1, -3, 4, 4)));
        refused("two of kind INPUT have the name x", ported(Plans.port("x", 1, 3, 4, 4), Plans.port("x", 1)));
        refused("its window is out of all bounds", 1, step -> convolve(step, "a.w", "a.b",
                new Op.Conv(new Window(3, 3, 1, 1, 1, 1, Integer.MAX_VALUE, 1, 1, 1), 1)));
    }

    /** Slices of one tensor, in each layout, and what only seems to be one. */
    @Test
    void slicesSideBySideAreDisjoint() {
        View batch = View.channelsLast(Place.ARENA, 0, List.of(2, 12, 4, 4), 12);
        View rows = View.rowMajor(Place.ARENA, 0, List.of(2, 12, 4, 4));
        for (View whole : List.of(batch, rows)) {
            assertAll(
                    () -> assertTrue(ViewOverlap.areDisjoint(whole.slice(1, 0, 4), whole.slice(1, 4, 8))),
                    () -> assertTrue(ViewOverlap.areDisjoint(whole.slice(1, 4, 8), whole.slice(1, 0, 4))),
                    () -> assertTrue(ViewOverlap.areDisjoint(whole.slice(2, 0, 2), whole.slice(2, 2, 2))),
                    () -> assertTrue(ViewOverlap.areDisjoint(whole.slice(1, 3, 1), whole.slice(1, 4, 1))),
                    () -> assertTrue(!ViewOverlap.areDisjoint(whole.slice(1, 0, 5), whole.slice(1, 4, 8))),
                    () -> assertTrue(!ViewOverlap.areDisjoint(whole, whole.slice(1, 4, 8))));
        }
        View narrow = new View(Place.ARENA, 0, List.of(1, 8, 4, 4), List.of(192L, 1L, 48L, 12L));
        View wrapping = new View(Place.ARENA, 32, List.of(1, 8, 4, 4), List.of(192L, 1L, 48L, 12L));
        assertTrue(!ViewOverlap.areDisjoint(narrow, wrapping), "channels 8 to 15 of 12 run into the next pixel");
    }

    /** Against counting the elements. */
    @Test
    void disjointnessIsNeverClaimedWrongly() {
        SplittableRandom random = new SplittableRandom(3);
        int claimed = 0;
        for (int k = 0; k < 20_000; k++) {
            List<Long> strides = List.of(random.nextLong(0, 40), random.nextLong(0, 12), random.nextLong(1, 4));
            View a = new View(Place.ARENA, 4 * random.nextLong(0, 30), dims(random), strides);
            View b = new View(Place.ARENA, 4 * random.nextLong(0, 30), dims(random), strides);
            boolean apart = Collections.disjoint(elements(a), elements(b));
            if (ViewOverlap.areDisjoint(a, b)) {
                claimed++;
                assertTrue(apart, () -> a + " and " + b);
            }
            if (ViewOverlap.isInjective(a)) {
                assertEquals(a.elements(), elements(a).size(), a::toString);
            }
        }
        assertTrue(claimed > 1000);
    }

    private static List<Integer> dims(SplittableRandom random) {
        return List.of(random.nextInt(1, 4), random.nextInt(1, 4), random.nextInt(1, 4));
    }

    private static Set<Long> elements(View view) {
        Set<Long> elements = new HashSet<>();
        for (int i = 0; i < view.dim(0); i++) {
            for (int j = 0; j < view.dim(1); j++) {
                for (int k = 0; k < view.dim(2); k++) {
                    elements.add(view.offset() / 4 + i * view.stride(0) + j * view.stride(1) + k * view.stride(2));
                }
            }
        }
        return elements;
    }

    private interface Change extends UnaryOperator<Step> {}

    private static Change source(View view) {
        return source(Operand.of(view));
    }

    private static Change source(Operand source) {
        return step -> switch (step) {
            case Step.Convolve c -> new Step.Convolve(c.name(), c.kernel(), c.conv(), source, c.weights(), c.bias(),
                    c.addend(), c.activation(), c.destination(), c.workspace(), c.multiplyAdds());
            case Step.Compute c -> new Step.Compute(c.name(), c.kernel(), c.op(), List.of(source), c.activation(),
                    c.destination(), c.workspace());
            case Step.Copy c -> new Step.Copy(c.name(), c.kernel(), c.kind(), source, c.destination(), c.reason());
        };
    }

    private static Change destination(View view) {
        return step -> switch (step) {
            case Step.Convolve c -> new Step.Convolve(c.name(), c.kernel(), c.conv(), c.source(), c.weights(), c.bias(),
                    c.addend(), c.activation(), view, c.workspace(), c.multiplyAdds());
            case Step.Compute c -> new Step.Compute(c.name(), c.kernel(), c.op(), c.sources(), c.activation(), view,
                    c.workspace());
            case Step.Copy c -> new Step.Copy(c.name(), c.kernel(), c.kind(), c.source(), view, c.reason());
        };
    }

    private static Change workspace(View view) {
        return step -> {
            Step.Convolve c = (Step.Convolve) step;
            return new Step.Convolve(c.name(), c.kernel(), c.conv(), c.source(), c.weights(), c.bias(), c.addend(),
                    c.activation(), c.destination(), Optional.of(view), c.multiplyAdds());
        };
    }

    private static Step addend(Step.Convolve c, View view) {
        return new Step.Convolve(c.name(), c.kernel(), c.conv(), c.source(), c.weights(), c.bias(),
                Optional.of(Operand.of(view)), c.activation(), c.destination(), c.workspace(), c.multiplyAdds());
    }

    private static Step convolve(Step step, String weights, String bias) {
        return convolve(step, weights, bias, ((Step.Convolve) step).conv());
    }

    private static Step convolve(Step step, String weights, String bias, Op.Conv conv) {
        Step.Convolve c = (Step.Convolve) step;
        return new Step.Convolve(c.name(), c.kernel(), conv, c.source(), weights, bias, c.addend(), c.activation(),
                c.destination(), c.workspace(), c.multiplyAdds());
    }

    private static Plan inserted(int position, Step step) {
        List<Step> steps = new ArrayList<>(PLAN.steps());
        steps.add(position, step);
        return Plans.withSteps(PLAN, steps);
    }

    private static Plan ported(Plan.Port... inputs) {
        return new Plan("", "", "", List.of(inputs), PLAN.outputs(), PLAN.steps(), PLAN.constants(), 1536, 0, 0);
    }

    private static void accepted(int position, Change change) {
        PlanVerifier.verify(Plans.withStep(PLAN, position, change));
    }

    private static void refused(String complaint, int position, Change change) {
        refused(complaint, Plans.withStep(PLAN, position, change));
    }

    private static void refused(String complaint, int position, Change change, String absent) {
        Plan changed = Plans.withStep(PLAN, position, change);
        Map<String, Constant> constants = new LinkedHashMap<>(changed.constants());
        constants.remove(absent);
        refused(complaint, changed.withConstants(constants));
    }

    private static void refused(String complaint, Plan plan) {
        InvalidInput refusal = assertThrows(InvalidInput.class, () -> PlanVerifier.verify(plan), complaint);
        assertTrue(refusal.getMessage().contains(complaint), () -> refusal.getMessage() + "\nlacks\n" + complaint);
    }
}
