package dev.upscale.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.graph.Window;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class PlanFlowTest {

    @Test
    void saysWhoWroteWhatIsReadAndHow() {
        assertEquals("""
                x.nhwc: whole of the input, segment 0, until step 2
                a+relu*: whole of x.nhwc, segment 1, until step 5
                b+clip*: whole of x.nhwc, segment 1, until step 5
                c*: slice of a+relu, segment 2, until step 4
                d+add*: index of a+relu and b+clip, whole of c, segment 2, until step 7
                e.gather: index of a+relu and b+clip, segment 1, until step 6
                e: whole of e.gather, segment 1, until step 9
                mean: whole of d+add, segment 2, until step 8
                fc*: whole of mean, segment 3, until step 10
                sigmoid: whole of e, segment 1, until step 10
                """, text(PlanFlow.of(Plans.small())));
    }

    /** A residual ties what it adds to what it is added to; a depthwise convolution keeps channels apart; both parts of a concat are one. */
    @Test
    void segmentsAreWhatMustAgreeOnAnOrder() {
        View input = View.channelsLast(Plans.input("x"), 0, List.of(1, 3, 4, 4), 3);
        View first = Plans.image(0, 3, 3);
        View second = Plans.image(192, 3, 3);
        View concat = Plans.image(512, 6, 6);
        PlanFlow flow = PlanFlow.of(Plans.withSteps(Plans.small(), List.of(
                convolve("stem", input, first, Optional.empty()),
                convolve("inner", first, second, Optional.empty()),
                convolve("residual", second, concat.slice(1, 0, 3), Optional.of(first)),
                convolve("branch", first, concat.slice(1, 3, 3), Optional.empty()),
                convolve("end", concat, second, Optional.empty()))));
        assertEquals("""
                stem*: whole of the input, segment 1, until step 3
                inner*: whole of stem, segment 2, until step 2
                residual*: whole of inner, whole of stem, segment 1, until step 4
                branch*: whole of stem, segment 1, until step 4
                end*: whole of residual and branch, segment 3, until step 4
                """, text(flow));
        assertEquals(new PlanFlow.Segment(List.of(0, 2, 3), List.of(1, 3, 4), 0, 4), flow.segments().get(1));
    }

    private static Step convolve(String name, View source, View destination, Optional<View> addend) {
        return new Step.Convolve(name, "java.conv", new Op.Conv(Window.square(1, 1, 0), 1), Operand.of(source), "w", "", addend.map(Operand::of),
                Function.NONE, destination, Optional.empty(), 1);
    }

    private static String text(PlanFlow flow) {
        StringBuilder text = new StringBuilder();
        for (PlanFlow.Node node : flow.nodes()) {
            String reads = node.reads().stream().map(read -> read.access().name().toLowerCase(java.util.Locale.ROOT) + " of "
                    + (read.writers().isEmpty() ? "the input" : read.writers().stream().map(writer -> flow.nodes().get(writer).step().name())
                            .collect(Collectors.joining(" and ")))).collect(Collectors.joining(", "));
            text.append(node.step().name()).append(node.consumer() ? "*" : "").append(": ").append(reads).append(", segment ").append(node.segment())
                    .append(", until step ").append(node.lastReader()).append('\n');
        }
        return text.toString();
    }
}
