package dev.upscale.compile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanSummary;
import dev.upscale.plan.Step;
import dev.upscale.runtime.cpu.CpuCatalog;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What libraries do about channels that do not lie side by side: kernels of the steps, in order. */
class AccumulationTest {
    private static final String NETWORK = """
            graph net(x: f32[1,24,32,32]) -> y {
              a = Apply(x) relu
              c = Take(a) axis=1 indices=[0,1,%d,23]
              w: f32[32,4,%2$d,%2$d] = random(1)
              b: f32[32] = random(2)
              p = Conv(c, w, b) kernel=%2$dx%2$d pad=%3$d
              v: f32[32,24,1,1] = random(3)
              q = Conv(a, v) kernel=1x1
              s = Binary(p, q) add
              z = Apply(s) relu
              y = Reduce(z) mean axes=[2,3] keepDims
            }
            """;

    private static Plan lowered(String text, CompileOptions options) {
        assumeTrue(CpuCatalog.ofMachine().engines().containsAll(Set.of("onednn", "xnnpack")), "needs oneDNN and XNNPACK");
        Graph graph = GraphText.parse(text);
        return Lowering.lower(graph, CpuCatalog.ofMachine(), options.withChannelsLastInputs(), 2, Map.of());
    }

    private static List<String> kernels(Plan plan) {
        return plan.steps().stream().filter(step -> step.name().equals("p")).map(Step::kernel).toList();
    }

    private static CompileOptions libraries() {
        return new CompileOptions(Variant.UPSCALE, List.of("onednn", "xnnpack"));
    }

    @Test
    void oneDnnAddsUpPixelwiseConvolutionsOfSlicesItself() {
        Plan plan = lowered(NETWORK.formatted(22, 1, 0), libraries().without(Technique.SUPERSETS));
        assertEquals(List.of("onednn.matmul", "onednn.matmul"), kernels(plan));
        assertEquals(List.of(), PlanSummary.of(plan).remaining());
        assertEquals(4 * 32 * 32 * 32, PlanSummary.of(plan).foldedBytes());
        assertEquals(0, PlanSummary.of(plan).hiddenCopyBytes());
    }

    @Test
    void theLastPartActivates() {
        Plan plan = lowered(NETWORK.formatted(22, 1, 0), libraries().without(Technique.SUPERSETS));
        List<Boolean> activated = plan.steps().stream().filter(step -> step.name().equals("p"))
                .map(step -> !((Step.Convolve) step).activation().isNone()).toList();
        List<String> biases = plan.steps().stream().filter(step -> step.name().equals("p"))
                .map(step -> ((Step.Convolve) step).bias()).toList();
        assertTrue(!activated.getFirst());
        assertEquals(List.of("b", ""), biases);
    }

    @Test
    void whatXnnpackCannotAddIsAddedByAStepOfItsOwn() {
        Plan plan = lowered(NETWORK.formatted(22, 3, 1), libraries().without(Technique.SUPERSETS));
        assertEquals(List.of("xnnpack.conv", "xnnpack.conv", "java.binary"), kernels(plan));
        assertEquals(0, PlanSummary.of(plan).copies());
        assertEquals(4 * 32 * 32 * 32, PlanSummary.of(plan).foldedBytes());
    }

    @Test
    void nearChannelsAreReadWithZeroWeightsBetween() {
        Plan plan = lowered(NETWORK.formatted(3, 1, 0), libraries().without(Technique.SUMS));
        assertEquals(List.of("onednn.conv"), kernels(plan));
        Step.Convolve step = (Step.Convolve) plan.steps().stream().filter(other -> other.name().equals("p")).findFirst().orElseThrow();
        assertEquals(24, step.source().view().dim(1));
        assertEquals(32 * 24 * 32 * 32, step.multiplyAdds());
    }

    @Test
    void depthwiseConvolutionsTakeRunsOfChannelsOneByOne() {
        String text = """
                graph net(x: f32[1,8,40,40]) -> y {
                  a = Apply(x) relu
                  c = Take(a) axis=1 indices=[1,2,6,7]
                  w: f32[8,1,3,3] = random(1)
                  b: f32[8] = random(2)
                  p = Conv(c, w, b) kernel=3x3 pad=1 groups=4
                  y = Reduce(p) mean axes=[2,3] keepDims
                }
                """;
        Plan depthwise = lowered(text, libraries());
        assertEquals(List.of("xnnpack.conv", "xnnpack.conv"), kernels(depthwise));
        assertEquals(0, PlanSummary.of(depthwise).copies());
    }

    @Test
    void withoutTheseChannelsAreGathered() {
        Plan plan = lowered(NETWORK.formatted(22, 1, 0), libraries().without(Technique.SUMS).without(Technique.SUPERSETS));
        assertEquals(1, PlanSummary.of(plan).copies());
        PlanSummary.Remaining copy = PlanSummary.of(plan).remaining().getFirst();
        assertTrue(copy.reason().contains("it cannot be folded into an input"), copy.reason());
        assertEquals(List.of("a gather", "one slice, zero weights for 20 channels", "a sum over 2 slices, zero weights for 0 channels",
                "a kernel that reads by index (engine upscale)"), copy.choices().stream().map(Step.Copy.Choice::what).toList());
        assertTrue(copy.choices().stream().limit(3).allMatch(choice -> choice.nanos() > 0));
    }
}
