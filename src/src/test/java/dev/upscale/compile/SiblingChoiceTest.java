package dev.upscale.compile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanSummary;
import dev.upscale.plan.PlanText;
import dev.upscale.plan.Step;
import dev.upscale.runtime.cpu.CpuCatalog;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Which convolutions of one tensor of 256 channels are one step. */
class SiblingChoiceTest {
    private static final List<String> LIBRARIES = List.of("onednn", "xnnpack");

    /**
     * Siblings with a 3×3 convolution behind each.
     *
     * @param outputs of each
     * @param channels by sibling, the channels that it reads
     */
    private static Graph siblings(int outputs, List<List<Integer>> channels) {
        String readers = IntStream.range(0, channels.size()).mapToObj("z%d"::formatted).collect(Collectors.joining(", "));
        return siblings(outputs, channels, "c = Concat(" + readers + ") axis=1\n  y = Reduce(c) mean axes=[2,3] keepDims");
    }

    private static Graph siblings(int outputs, List<List<Integer>> channels, String rest) {
        StringBuilder text = new StringBuilder("graph siblings(x: f32[1,256,14,14]) -> y {\n  a = Apply(x) relu\n");
        for (int k = 0; k < channels.size(); k++) {
            text.append("""
                      s%1$d = Take(a) axis=1 indices=%2$s
                      w%1$d: f32[%3$d,%4$d,1,1] = random(%1$d)
                      p%1$d = Conv(s%1$d, w%1$d) kernel=1x1
                      q%1$d = Apply(p%1$d) relu
                      v%1$d: f32[16,%3$d,3,3] = random(1%1$d)
                      z%1$d = Conv(q%1$d, v%1$d) kernel=3x3 pad=1
                    """.formatted(k, channels.get(k), outputs, channels.get(k).size()));
        }
        return GraphText.parse(text + "  " + rest + "\n}\n");
    }

    /** Every second channel but some, so that they are no slice, and a few of another sibling's. */
    private static List<Integer> channels(int first, int count) {
        return IntStream.range(0, count).map(k -> (first + 2 * k) % 256).sorted().boxed().toList();
    }

    private static Plan lowered(Graph graph, CompileOptions options) {
        assumeTrue(CpuCatalog.ofMachine().engines().containsAll(options.engines()), "needs " + options.engines());
        return Lowering.lower(graph, CpuCatalog.ofMachine(), options.withChannelsLastInputs(), 2, Map.of());
    }

    private static CompileOptions on(List<String> engines) {
        return new CompileOptions(Variant.UPSCALE, engines);
    }

    /** The names of the 1×1 convolutions. */
    private static List<String> pixelwise(Plan plan) {
        return plan.steps().stream().filter(step -> step instanceof Step.Convolve convolve && convolve.conv().window().isPointwise())
                .map(Step::name).toList();
    }

    @Test
    void narrowSiblingsFillVectorsTogether() {
        List<Integer> same = channels(0, 100);
        Graph graph = siblings(4, List.of(same, same, same, same));
        Plan plan = lowered(graph, on(List.of("upscale")));

        assertEquals(List.of("p0 + p1 + p2 + p3"), pixelwise(plan), PlanText.print(plan));
        assertEquals(List.of("p0", "p1", "p2", "p3"), pixelwise(lowered(graph, on(List.of("upscale")).without(Technique.SIBLINGS))));
        Step.Convolve merged = (Step.Convolve) plan.steps().stream().filter(step -> step.name().contains("+")).findFirst().orElseThrow();
        List<Step.Copy.Choice> choices = merged.choices().orElseThrow();
        assertEquals("one convolution over the union of 100 channels", choices.getFirst().what());
        assertEquals("p0 + p1 + p2 and p3, each by itself", choices.getLast().what());
        assertTrue(choices.getFirst().nanos() < 0.9 * choices.getLast().nanos(), choices.toString());
        assertEquals(0, PlanSummary.of(plan).copies(), "readers take slices");
    }

    @Test
    void siblingsThatReadOtherChannelsStayApartWhereNoneIsGathered() {
        Plan plan = lowered(siblings(64, List.of(channels(0, 100), channels(1, 100))), on(List.of("upscale")));

        assertEquals(List.of("p0", "p1"), pixelwise(plan), PlanText.print(plan));
    }

    @Test
    void librariesGatherTheUnionOnce() {
        Graph graph = siblings(80, List.of(channels(0, 100), channels(4, 100), channels(8, 100)));
        Plan apart = lowered(graph, on(LIBRARIES).weighingGathers().without(Technique.SIBLINGS));
        Plan plan = lowered(graph, on(LIBRARIES).weighingGathers());

        assertEquals(3, PlanSummary.of(apart).copies(), PlanText.print(apart));
        assertEquals(3 * 4 * 196 * 100, PlanSummary.of(apart).copyBytes());
        assertEquals(List.of("p0 + p1 + p2"), pixelwise(plan), PlanText.print(plan));
        assertEquals(4 * 196 * 104, PlanSummary.of(plan).copyBytes());
    }

    @Test
    void whereMergingWouldNotPayTheGatherSaysWhatItWouldHaveTaken() {
        Plan plan = lowered(siblings(120, List.of(channels(0, 60), channels(129, 60))), on(LIBRARIES).weighingGathers());

        assertEquals(List.of("p0", "p1"), pixelwise(plan), PlanText.print(plan));
        List<Step.Copy.Choice> choices = PlanSummary.of(plan).remaining().getFirst().choices();
        assertEquals("one convolution with p1 over the union of 120 channels", choices.getLast().what());
        assertTrue(choices.getLast().nanos() > choices.getFirst().nanos(), choices.toString());
    }

    @Test
    void aConcatTakesItsPartsElsewhere() {
        List<Integer> same = channels(0, 100);
        String joined = "c = Concat(q0, z0, z1, z2) axis=1\n  y = Reduce(c) mean axes=[2,3] keepDims";
        Plan plan = lowered(siblings(4, List.of(same, same, same), joined), on(List.of("upscale")));

        assertEquals(List.of("p0", "p1 + p2"), pixelwise(plan), PlanText.print(plan));
        assertEquals(0, PlanSummary.of(plan).copies());
    }

    @Test
    void theOptionsCostsDecide() {
        List<Integer> same = channels(0, 100);
        Graph graph = siblings(16, List.of(same, same));

        assertEquals(2, pixelwise(lowered(graph, on(List.of("upscale")))).size(), "estimated to gain a call alone");
        assertEquals(1, pixelwise(lowered(graph, on(List.of("upscale")).withCosts(costs(step -> 1000)))).size());
        assertEquals(2, pixelwise(lowered(graph, on(List.of("upscale")).withCosts(costs(step -> step.multiplyAdds())))).size());
        assertEquals(2, pixelwise(lowered(graph, on(List.of("upscale")).withCosts(costs(step -> step.destination().dim(1) == 32 ? 1820 : 1000)))).size(),
                "no more than costs may be wrong by");
        assertEquals(2, pixelwise(lowered(graph, on(List.of("upscale")).withCosts(costs(step -> Double.POSITIVE_INFINITY)))).size());
        assertEquals(2, pixelwise(lowered(siblings(64, List.of(same, same)), on(List.of("upscale")).withCosts(costs(step -> 1000)))).size(),
                "not measured, since it is not expected to pay");
    }

    private static KernelCosts costs(ToDoubleFunction<Step.Convolve> nanos) {
        return new KernelCosts() {
            @Override
            public double nanos(String kernel, Step.Convolve step) {
                return nanos.applyAsDouble(step);
            }

            @Override
            public OptionalDouble known(String kernel, Step.Convolve step) {
                return OptionalDouble.empty();
            }
        };
    }

    /** Other variants are comparisons, and what our technique does is none of theirs. */
    @Test
    void otherVariantsMergeNothing() {
        List<Integer> same = channels(0, 100);
        Graph graph = siblings(4, List.of(same, same));
        for (Variant variant : Set.of(Variant.UNPRUNED, Variant.CONSTRAINED, Variant.BASELINE, Variant.PAPER)) {
            assertEquals(List.of("p0", "p1"), pixelwise(lowered(graph, new CompileOptions(variant, List.of("upscale")))), variant.label());
        }
    }
}
