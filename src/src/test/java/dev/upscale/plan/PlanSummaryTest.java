package dev.upscale.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.plan.Step.Copy.Kind;
import dev.upscale.plan.View.Place;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PlanSummaryTest {

    @Test
    void sumsUp() {
        assertEquals(
                new PlanSummary(2, 512, 256, 0, 6, 2, 1536, 1344, Plans.small().weightsBytes(), List.of(
                        new PlanSummary.Remaining("x.nhwc", 192, Kind.LAYOUT, "a reads channels-last"),
                        new PlanSummary.Remaining("e.gather", 320, Kind.GATHER,
                                "channels 1, 3, 9, 10, 11 are not neighbours and xnnpack.conv takes no index"))),
                PlanSummary.of(Plans.small()));
    }

    /** In the small plan c reads a slice and d by index; a reader of the whole concat, or of a dense tensor, is no view. */
    @Test
    void aConsumerOfAWholeTensorIsNoView() {
        View concat = Plans.image(192, 12, 12);
        assertEquals(2, views(concat.slice(1, 2, 6)));
        assertEquals(2, views(concat.slice(1, 8, 4)), "one part of the concat");
        assertEquals(1, views(concat));
        assertEquals(1, views(Plans.image(0, 3, 3)));
    }

    /** As in an unpruned DenseNet: what lies beside the channels was not written yet, or is another tensor's old memory. */
    @Test
    void whatIsNotWrittenYetIsNotLeftOut() {
        View block = Plans.image(0, 12, 12);
        View input = View.channelsLast(Plans.input("x"), 0, List.of(1, 3, 4, 4), 3);
        List<Step> steps = List.of(
                conv(input, block.slice(1, 0, 4)),
                conv(block.slice(1, 0, 4), block.slice(1, 4, 4)),
                conv(block.slice(1, 0, 8), block.slice(1, 8, 4)),
                conv(block, Plans.image(768, 8, 8)),
                conv(Plans.image(768, 8, 8), Plans.image(0, 6, 12)),
                conv(Plans.image(0, 6, 12), Plans.image(768, 2, 2)));
        assertEquals(0, PlanSummary.of(Plans.withSteps(Plans.small(), steps.subList(0, 5))).views());
        assertEquals(1, PlanSummary.of(Plans.withSteps(Plans.small(), steps)).views(), "channels 8 to 11 are still there");
    }

    /** As in squeeze-and-excitation: vectors that follow each other in the arena are no parts of one tensor. */
    @Test
    void neighboursInTheArenaAreNoTensor() {
        View first = View.channelsLast(Place.ARENA, 0, List.of(1, 16, 1, 1), 16);
        View second = View.channelsLast(Place.ARENA, 64, List.of(1, 16, 1, 1), 16);
        View both = View.channelsLast(Place.ARENA, 0, List.of(1, 32, 1, 1), 32);
        View result = View.channelsLast(Place.ARENA, 256, List.of(1, 16, 1, 1), 16);
        View input = View.channelsLast(Plans.input("x"), 0, List.of(1, 3, 4, 4), 3);
        List<Step> vectors = List.of(conv(input, first), conv(input, second), conv(first, result));
        List<Step> parts = List.of(conv(input, both.slice(1, 0, 16)), conv(input, both.slice(1, 16, 16)),
                conv(both.slice(1, 0, 16), result));
        assertEquals(0, PlanSummary.of(Plans.withSteps(Plans.small(), vectors)).views());
        assertEquals(1, PlanSummary.of(Plans.withSteps(Plans.small(), parts)).views());
    }

    @Test
    void operationsThatOnlyMoveAreCopiesToo() {
        View image = Plans.image(0, 4, 4);
        Op transpose = new Op.Transpose(List.of(0, 2, 1, 3));
        assertEquals(
                Optional.of(new PlanSummary.Remaining("t", 256, Kind.LAYOUT, "the model's Transpose is carried out as it stands")),
                PlanSummary.copyOf(compute(transpose, Function.NONE, image)));
        assertEquals(Optional.empty(), PlanSummary.copyOf(compute(transpose, Function.RELU, image)));
        assertEquals(Optional.empty(), PlanSummary.copyOf(compute(new Op.Apply(Function.RELU), Function.NONE, image)));
    }

    @Test
    void onlyALibrarysLargeWorkspaceHidesACopy() {
        View image = Plans.image(0, 4, 4);
        assertEquals(256, PlanSummary.hiddenCopyBytes(withWorkspace("onednn.conv", image, 64)));
        assertEquals(0, PlanSummary.hiddenCopyBytes(withWorkspace("onednn.conv", image, 63)));
        assertEquals(0, PlanSummary.hiddenCopyBytes(withWorkspace("upscale.conv", image, 64)));
    }

    private static int views(View source) {
        List<Step> steps = new ArrayList<>(Plans.small().steps());
        steps.set(3, conv(source, Plans.image(960, 4, 4)));
        return PlanSummary.of(Plans.withSteps(Plans.small(), steps)).views();
    }

    private static Step conv(View source, View destination) {
        return new Step.Convolve("c", "upscale.conv", Plans.POINTWISE, Operand.of(source), "w", "", Optional.empty(),
                Function.NONE, destination, Optional.empty(), 0);
    }

    private static Step compute(Op op, Function activation, View view) {
        return new Step.Compute("t", "java.any", op, List.of(Operand.of(view)), activation, view, Optional.empty());
    }

    private static Step withWorkspace(String kernel, View view, int elements) {
        return new Step.Convolve("c", kernel, Plans.POINTWISE, Operand.of(view), "w", "", Optional.empty(), Function.NONE,
                view, Optional.of(View.rowMajor(Place.ARENA, 4096, List.of(elements))), 0);
    }
}
