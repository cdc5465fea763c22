package dev.upscale.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.upscale.Upscale;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.graph.Op;
import dev.upscale.graph.Function;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.Window;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.runtime.cpu.CpuCatalog;
import dev.upscale.runtime.kernel.Invocation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FetchAheadTest {
    private static final long MILLION = 1_000_000;

    /** A step: what it is, the multiply-adds and the bytes of weights, and what it was told to fetch, in bytes. */
    private static final class Call implements Invocation {
        private final String kernel;
        private final long multiplyAdds;
        private final int groups;
        private final boolean fetches;
        private final MemorySegment weights;
        private List<Long> told = List.of();

        Call(String kernel, long multiplyAdds, long weightBytes, int groups, boolean fetches) {
            this.kernel = kernel;
            this.multiplyAdds = multiplyAdds;
            this.groups = groups;
            this.fetches = fetches;
            this.weights = MemorySegment.NULL.reinterpret(weightBytes);
        }

        Step step() {
            View view = View.rowMajor(View.Place.ARENA, 0, List.of(1, 1, 1, 1));
            return multiplyAdds == 0
                    ? new Step.Compute("pass", kernel, new Op.Apply(Function.of(Function.Kind.RELU)), List.of(Operand.of(view)), Function.NONE, view, Optional.empty())
                    : new Step.Convolve("conv", kernel, new Op.Conv(Window.square(1, 1, 0), groups), Operand.of(view), "w", "", Optional.empty(),
                            Function.NONE, view, Optional.empty(), multiplyAdds);
        }

        @Override
        public void run() {}

        @Override
        public List<MemorySegment> weights() {
            return weights.byteSize() == 0 ? List.of() : List.of(weights);
        }

        @Override
        public boolean fetches() {
            return fetches;
        }

        @Override
        public void fetch(List<MemorySegment> ranges) {
            told = ranges.stream().map(MemorySegment::byteSize).toList();
        }
    }

    private static List<List<Long>> told(int threads, Call... calls) {
        FetchAhead.link(List.of(calls).stream().map(Call::step).toList(), calls, threads);
        return List.of(calls).stream().map(call -> call.told).toList();
    }

    private static Call expand() {
        return new Call("upscale.conv", 19 * MILLION, 1_572_864, 1, true);
    }

    private static Call depthwise(String kernel) {
        return new Call(kernel, MILLION, 60_000, 1536, false);
    }

    private static Call linear() {
        return new Call("upscale.conv", 98_304, 393_216, 1, false);
    }

    private static Call pass() {
        return new Call("upscale.reduce", 0, 0, 1, false);
    }

    @Test
    void aConvolutionFetchesForTheSmallStepsBehindIt() {
        assertEquals(List.of(List.of(60_000L, 393_216L, 393_216L), List.of(), List.of(), List.of(), List.of(), List.of(), List.of()),
                told(2, expand(), depthwise("upscale.conv"), pass(), linear(), linear(), pass(), expand()));
    }

    @Test
    void notForStepsThatComputeMuchNorBeyondThem() {
        Call product = new Call("onednn.matmul", 19 * MILLION, 1_572_864, 1, false);
        assertEquals(List.of(List.of(60_000L), List.of(), List.of(), List.of()), told(2, expand(), depthwise("upscale.conv"), product, linear()));
        Call unknown = new Call("xnnpack.conv", 19 * MILLION, 0, 1, false);
        assertEquals(List.of(List.of(), List.of(), List.of()), told(2, expand(), unknown, linear()));
    }

    @Test
    void noMoreThanThereIsTimeFor() {
        Call small = new Call("upscale.conv", 6 * MILLION, 100_000, 1, true);
        assertEquals(List.of(List.of(60_000L, 393_216L), List.of(), List.of(), List.of()), told(2, small, depthwise("upscale.conv"), linear(), linear()));
    }

    @Test
    void onOneThreadOnlyWhereADepthwiseConvolutionOfOursGainsByIt() {
        assertEquals(2, told(1, expand(), depthwise("upscale.conv"), linear()).getFirst().size());
        assertEquals(0, told(1, expand(), depthwise("onednn.conv"), linear()).getFirst().size());
        assertEquals(2, told(2, expand(), depthwise("onednn.conv"), linear()).getFirst().size());
    }

    /** A block of inverted residuals with squeeze-and-excitation: to the last bit the same, in memory that was poisoned, on one thread and on more. */
    @Test
    void resultsDoNotDependOnWhatIsFetched() {
        assumeTrue(CpuCatalog.ofMachine().engines().contains("upscale"), "our own kernels are not here");
        Graph graph = GraphText.parse("""
                graph block(x: f32[1,32,14,14]) -> y {
                  w0: f32[192,32,1,1] = random(1)
                  b0: f32[192] = random(2)
                  a = Conv(x, w0, b0) kernel=1x1
                  s = Apply(a) silu
                  w1: f32[192,1,3,3] = random(3)
                  d = Conv(s, w1) kernel=3x3 pad=1 groups=192
                  e = Apply(d) silu
                  m = Reduce(e) mean axes=[2,3] keepDims
                  w2: f32[16,192,1,1] = random(4)
                  f = Conv(m, w2) kernel=1x1
                  g = Apply(f) silu
                  w3: f32[192,16,1,1] = random(5)
                  h = Conv(g, w3) kernel=1x1
                  i = Apply(h) sigmoid
                  k = Binary(e, i) mul
                  w4: f32[32,192,1,1] = random(6)
                  y = Conv(k, w4) kernel=1x1
                }
                """);
        Plan plan = Upscale.compile(graph, new CompileOptions(Variant.UPSCALE, List.of("upscale")));
        float[] image = Tensor.random(graph.type("x"), 7).floats();
        List<float[]> results = new ArrayList<>();
        try (Executable executable = Executable.prepare(plan)) {
            for (int threads : new int[] {1, 2, 3}) {
                for (boolean fetches : new boolean[] {false, true}) {
                    SessionOptions options = SessionOptions.threads(threads).withPoison();
                    try (Session session = executable.open(fetches ? options : options.withoutFetching()); Arena arena = Arena.ofConfined()) {
                        MemorySegment from = arena.allocateFrom(ValueLayout.JAVA_FLOAT, image);
                        MemorySegment to = arena.allocate(plan.outputs().getFirst().bytes(), 64);
                        IntStream.range(0, 3).forEach(run -> session.run(new MemorySegment[] {from}, new MemorySegment[] {to}));
                        results.add(to.toArray(ValueLayout.JAVA_FLOAT));
                    }
                }
            }
        }
        results.forEach(result -> assertArrayEquals(results.getFirst(), result));
    }
}
