package dev.upscale.compile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.plan.Accelerator;
import dev.upscale.plan.Element;
import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanSummary;
import dev.upscale.plan.PlanText;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** On a catalog like cuDNN in f16: engines that were compiled beforehand take dense tensors alone. */
class SegmentChoiceTest {
    private static final Graph ONE_READER = parse("w: f32[16,16,1,1] = random(3)\n  y = Conv(c, w) kernel=1x1 : f32[1,16,8,8]");

    /** Each part has a reader of its own, and there is no other. */
    private static final Graph READERS_OF_PARTS = parse("""
            s = Slice(c) axis=1 start=0 size=8 : f32[1,8,8,8]
              w: f32[16,8,1,1] = random(3)
              t = Conv(s, w) kernel=1x1 : f32[1,16,8,8]
              s2 = Slice(c) axis=1 start=8 size=8 : f32[1,8,8,8]
              w2: f32[16,8,1,1] = random(4)
              t2 = Conv(s2, w2) kernel=1x1 : f32[1,16,8,8]
              y = Binary(t, t2) add : f32[1,16,8,8]
            """);

    private static Graph parse(String readers) {
        return GraphText.parse("""
                graph segments(x: f32[1,1,8,8]) -> y {
                  w0: f32[8,1,1,1] = random(5)
                  t0 = Conv(x, w0) kernel=1x1 : f32[1,8,8,8]
                  wa: f32[8,8,3,3] = random(1)
                  a = Conv(t0, wa) kernel=3x3 pad=1 : f32[1,8,8,8]
                  wb: f32[8,8,1,1] = random(2)
                  b = Conv(t0, wb) kernel=1x1 : f32[1,8,8,8]
                  c = Concat(a, b) axis=1 : f32[1,16,8,8]
                  %s
                }
                """.formatted(readers));
    }

    private static final KernelCatalog LIKE_CUDNN = new KernelCatalog() {
        @Override
        public Set<String> engines() {
            return Set.of("cudnn", "cuda");
        }

        @Override
        public Answer offer(String kernel, Step step) {
            if (!(step instanceof Step.Convolve convolve)) {
                return kernel.startsWith("cuda.") ? new Offer(0, kernel) : new Refusal("no convolution");
            }
            boolean isDense = Stream.concat(Stream.of(convolve.destination()), convolve.sources().stream().map(source -> source.view()))
                    .allMatch(View::isDenseChannelsLast);
            long copied = kernel.equals("cudnn.conv") && !isDense ? convolve.destination().bytes() + convolve.source().view().bytes() : 0;
            return new Offer(copied, kernel, Optional.of(new Accelerator.LibraryPlan(kernel, "{}")), kernel.equals("cudnn.fused"));
        }
    };

    /** @param variant of which {@code upscale} avoids copies inside of libraries */
    private static Plan compile(Graph graph, Variant variant, Segments segments) {
        Target h100 = new Target("cuda:h100", Element.F32, Target.CPU.rates());
        return Compiler.compile(graph, CompileOptions.of(variant, h100, Precision.TF32).withSegments(segments), LIKE_CUDNN);
    }

    private static List<String> kernels(Plan plan) {
        return plan.steps().stream().filter(Step.Convolve.class::isInstance).map(Step::kernel).toList();
    }

    @Test
    void togetherTheirMakersWriteSlices() {
        Plan plan = compile(ONE_READER, Variant.UPSCALE, Segments.TOGETHER);

        assertEquals(List.of("cudnn.conv", "cudnn.fused", "cudnn.fused", "cudnn.conv"), kernels(plan), PlanText.print(plan));
    }

    @Test
    void apartAReaderOfTheWholeIsASum() {
        Plan plan = compile(ONE_READER, Variant.UPSCALE, Segments.APART);

        assertEquals(List.of("cudnn.conv", "cudnn.conv", "cudnn.conv", "cudnn.conv", "cudnn.conv"), kernels(plan), PlanText.print(plan));
        long before = PlanSummary.of(compile(ONE_READER, Variant.UPSCALE, Segments.TOGETHER)).foldedBytes();
        assertEquals(16 * 64 * 4, PlanSummary.of(plan).foldedBytes() - before, "the first part's sum");
    }

    @Test
    void aSumThatCostsBytesIsNotWorthIt() {
        assertEquals(compile(ONE_READER, Variant.UPSCALE, Segments.TOGETHER), compile(ONE_READER, Variant.UPSCALE, Segments.WEIGHED));
    }

    @Test
    void readersOfPartsCostNothing() {
        Plan together = compile(READERS_OF_PARTS, Variant.UPSCALE, Segments.TOGETHER);
        Plan weighed = compile(READERS_OF_PARTS, Variant.UPSCALE, Segments.WEIGHED);

        assertTrue(kernels(together).contains("cudnn.fused"), PlanText.print(together));
        assertEquals(List.of("cudnn.conv", "cudnn.conv", "cudnn.conv", "cudnn.conv", "cudnn.conv"), kernels(weighed), PlanText.print(weighed));
        assertEquals(together.steps().size(), weighed.steps().size());
    }

    /** The unpruned network's engines are the library's first: whatever copies inside counts as bytes. */
    @Test
    void whatIsCopiedInsideCountsToo() {
        assertTrue(PlanSummary.of(compile(ONE_READER, Variant.UNPRUNED, Segments.TOGETHER)).hiddenCopyBytes() > 0);
        assertEquals(0, PlanSummary.of(compile(ONE_READER, Variant.UNPRUNED, Segments.APART)).hiddenCopyBytes());
        assertEquals(0, PlanSummary.of(compile(ONE_READER, Variant.UNPRUNED, Segments.WEIGHED)).hiddenCopyBytes(), "a sum writes less than what is copied");
    }
}
