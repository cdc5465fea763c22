package dev.upscale.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.BoundSession;
import dev.upscale.Upscale;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import dev.upscale.runtime.Executable;
import dev.upscale.runtime.SessionOptions;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which steps are a chain, and that they compute the same band by band. */
class BandTableTest {
    /** A residual, strides, a dilation, an odd height, 3×3 that Winograd computes, pools; {@code m} needs all rows. */
    private static final Graph NETWORK = GraphText.parse("""
            graph chain(x: f32[1,3,23,9]) -> z {
              w0: f32[16,3,3,3] = random(1)
              w1: f32[32,16,1,1] = random(2)
              w2: f32[32,1,3,3] = random(3)
              w3: f32[16,32,1,1] = random(4)
              w4: f32[16,16,3,3] = random(5)
              w5: f32[16,16,3,3] = random(6)
              a = Conv(x, w0) kernel=3 pad=1
              b = Conv(a, w1) kernel=1
              br = Apply(b) relu
              c = Conv(br, w2) kernel=3 pad=1 groups=32
              d = Conv(c, w3) kernel=1
              e = Binary(a, d) add
              f = Conv(e, w4) kernel=3 pad=1
              p = Pool(f) max kernel=3 stride=2 pad=1
              g = Conv(p, w5) kernel=3 stride=2 dilation=2 pad=2
              h = Conv(g, w5) kernel=3 pad=1
              m = Reduce(h) mean axes=[2,3] keepDims
              z = Binary(h, m) mul
            }
            """);

    private final Plan plan = Upscale.compile(NETWORK, new CompileOptions(Variant.UNPRUNED, List.of("upscale")));

    @Test
    void aChainEndsBeforeTheStepThatNeedsAllRows() {
        List<Bands> found = Bands.in(plan, 0);
        assertEquals(6, found.getLast().height());
        assertEquals("h", found.getLast().steps().getLast().name());
        List<Step> steps = found.stream().flatMap(chain -> chain.steps().stream()).toList();
        assertEquals(plan.steps().subList(0, steps.size()), steps);
    }

    @Test
    void smallResultsEndAChain() {
        assertEquals(List.of(), Bands.in(plan, 1 << 20));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 6})
    void bandsComputeWhatTheStepsCompute(int bands) {
        for (Bands chain : Bands.in(plan, 0)) {
            Plan banded = chain.banded(bands, Integer.MAX_VALUE);
            assertTrue(banded.steps().size() > (bands - 1) * chain.steps().size(), banded.steps().toString());
            assertArrayEquals(result(chain.whole()), result(banded), 1e-4f);
        }
        Bands all = new Bands(plan, Bands.in(plan, 0).stream().flatMap(chain -> chain.steps().stream()).toList());
        assertArrayEquals(result(all.whole()), result(all.banded(bands, Integer.MAX_VALUE)), 1e-4f);
    }

    @Test
    void reusedMemoryIsThatOfAFewRows() {
        Bands chain = Bands.in(plan, 0).getFirst();
        long rows = chain.banded(6, 2).steps().stream().filter(step -> step.name().startsWith("b")).map(step -> step.destination().offset()).distinct().count();
        assertTrue(rows <= 3, rows + " places");
    }

    private static float[] result(Plan plan) {
        try (Executable executable = Upscale.prepare(plan);
                BoundSession session = BoundSession.open(executable, SessionOptions.threads(1).withPoison())) {
            for (int input = 0; input < plan.inputs().size(); input++) {
                Random random = new Random(input);
                for (int k = 0; k < session.input(input).capacity(); k++) {
                    session.input(input).put(k, random.nextFloat());
                }
            }
            session.run();
            float[] values = new float[session.output(0).capacity()];
            session.output(0).get(0, values);
            return values;
        }
    }
}
