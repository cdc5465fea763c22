package dev.upscale.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.plan.MemoryPlanner.Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class MemoryPlannerTest {

    @Test
    void nothingTakesNothing() {
        assertEquals("0 buffers: 0 bytes without reuse, 0 planned, lower bound 0 (x1.000)",
                MemoryPlanner.plan(List.of()).toString());
    }

    @Test
    void aChainTakesItsLargestPair() {
        MemoryPlan plan = MemoryPlanner.plan(List.of(
                new Buffer("a", 640, 0, 1), new Buffer("b", 640, 1, 2), new Buffer("c", 640, 2, 3)));
        assertEquals("3 buffers: 1920 bytes without reuse, 1280 planned, lower bound 1280 (x1.000)", plan.toString());
        assertEquals(plan.offset("a"), plan.offset("c"));
    }

    @Test
    void sizesAreRoundedUpToTheAlignment() {
        MemoryPlan plan = MemoryPlanner.plan(List.of(new Buffer("a", 1, 0, 0), new Buffer("b", 65, 0, 0)));
        assertEquals("2 buffers: 192 bytes without reuse, 192 planned, lower bound 192 (x1.000)", plan.toString());
    }

    @Test
    void aBufferOfNoBytesIsInNobodysWay() {
        MemoryPlan plan = MemoryPlanner.plan(List.of(new Buffer("a", 0, 0, 9), new Buffer("b", 64, 0, 9)));
        assertEquals(64, plan.arenaBytes());
    }

    /** Placed as they come, the third has to go on top although 256 bytes are enough. */
    @Test
    void theOrderOfTheListDoesNotMatter() {
        List<Buffer> buffers = List.of(
                new Buffer("short", 64, 0, 0), new Buffer("low", 64, 0, 1), new Buffer("large", 192, 1, 2));
        assertEquals(256, MemoryPlanner.plan(buffers).arenaBytes());
        assertEquals(256, MemoryPlanner.plan(buffers.reversed()).arenaBytes());
    }

    @Test
    void aBufferThatCannotBeIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> new Buffer("a", -1, 0, 1));
        assertThrows(IllegalArgumentException.class, () -> new Buffer("a", 1, 2, 1));
        List<Buffer> twins = List.of(new Buffer("a", 1, 0, 1), new Buffer("a", 1, 0, 1));
        assertThrows(IllegalArgumentException.class, () -> MemoryPlanner.plan(twins));
    }

    /** Bottleneck blocks at batch 1 as in ResNet-50: the block's input lives until the addition, which is in place. */
    @Test
    void residualNetworksReachTheBound() {
        List<Buffer> buffers = new ArrayList<>();
        int step = 0;
        long pixels = 56 * 56;
        long width = 64;
        for (int stage = 0; stage < 4; stage++) {
            for (int block = 0; block < 3 + stage; block++) {
                String name = stage + "." + block;
                buffers.add(new Buffer(name + ".reduced", pixels * width * 4, step + 1, step + 2));
                buffers.add(new Buffer(name + ".spatial", pixels * width * 4, step + 2, step + 3));
                buffers.add(new Buffer(name + ".scratch", 9 * width * 1000, step + 2, step + 2));
                buffers.add(new Buffer(name + ".sum", pixels * width * 16, step + 3, step + 6));
                step += 3;
            }
            pixels /= 4;
            width *= 2;
        }
        check(buffers, 1.0);
    }

    /** DenseNet-121 with concats in place: one buffer per block, and with copies: each layer's channels and their concat. */
    @Test
    void denseNetworksReachTheBound() {
        int[] layers = {6, 12, 24, 16};
        List<Buffer> inPlace = new ArrayList<>();
        List<Buffer> copied = new ArrayList<>();
        long pixels = 56 * 56;
        long channels = 64;
        int step = 0;
        for (int block = 0; block < 4; block++) {
            int last = step + 3 * layers[block];
            inPlace.add(new Buffer("block" + block, pixels * (channels + 32L * layers[block]) * 4, step, last + 1));
            copied.add(new Buffer("input" + block, pixels * channels * 4, step, last));
            for (int layer = 0; layer < layers[block]; layer++) {
                String name = block + "." + layer;
                Buffer concat = new Buffer(name + ".concat", pixels * (channels + 32L * layer) * 4, step + 1, step + 2);
                Buffer reduced = new Buffer(name + ".reduced", pixels * 128 * 4, step + 2, step + 3);
                copied.addAll(List.of(concat, reduced, new Buffer(name + ".new", pixels * 32 * 4, step + 3, last)));
                inPlace.addAll(List.of(new Buffer(name + ".activated", concat.bytes(), step + 1, step + 2), reduced));
                step += 3;
            }
            channels = (channels + 32L * layers[block]) / 2;
            pixels /= 4;
        }
        check(inPlace, 1.0);
        check(copied, 1.05);
    }

    /** Branches of several lengths and sizes between concats, as in Inception and SqueezeNet. */
    @Test
    void branchingNetworksReachTheBound() {
        SplittableRandom random = new SplittableRandom(1);
        List<Buffer> buffers = new ArrayList<>();
        int step = 0;
        for (int module = 0; module < 12; module++) {
            long pixels = module < 4 ? 35 * 35 : module < 9 ? 17 * 17 : 64;
            int begin = step;
            int joined = begin + 14;
            for (int branch = 0; branch < 4; branch++) {
                for (int conv = 0; conv <= branch; conv++) {
                    step++;
                    long channels = 32 * random.nextLong(1, 10);
                    int until = conv == branch ? joined : step + 1;
                    buffers.add(new Buffer(module + "." + branch + "." + conv, pixels * channels * 4, step, until));
                }
            }
            step = joined;
            buffers.add(new Buffer(module + ".joined", pixels * 768 * 4, joined, joined + 14));
        }
        check(buffers, 1.05);
    }

    @Test
    void largeNetworksStayNearTheBound() {
        SplittableRandom random = new SplittableRandom(2);
        List<Buffer> buffers = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            int from = random.nextInt(1000);
            buffers.add(new Buffer("b" + i, random.nextLong(1 << 20), from, from + random.nextInt(1, 12)));
        }
        check(buffers, 1.05);
    }

    @Property(tries = 300)
    void whatLivesAtOnceDoesNotOverlap(@ForAll("buffers") List<Buffer> buffers) {
        MemoryPlan plan = check(buffers, Double.MAX_VALUE);
        assertEquals(plan, MemoryPlanner.plan(buffers));
    }

    @Provide
    Arbitrary<List<Buffer>> buffers() {
        Arbitrary<Buffer> buffer = Combinators.combine(
                        Arbitraries.longs().between(0, 4000), Arbitraries.integers().between(-3, 20),
                        Arbitraries.integers().between(0, 8))
                .as((bytes, from, duration) -> new Buffer("", bytes, from, from + duration));
        return buffer.list().ofMaxSize(25).map(list -> {
            List<Buffer> named = new ArrayList<>();
            for (Buffer b : list) {
                named.add(new Buffer("b" + named.size(), b.bytes(), b.from(), b.to()));
            }
            return named;
        });
    }

    private static MemoryPlan check(List<Buffer> buffers, double atMost) {
        MemoryPlan plan = MemoryPlanner.plan(buffers);
        for (Buffer a : buffers) {
            long begin = plan.offset(a.name());
            assertEquals(0, begin % MemoryPlanner.ALIGNMENT, a.name());
            assertTrue(begin >= 0 && begin + a.bytes() <= plan.arenaBytes(), a + " leaves the arena of " + plan);
            for (Buffer b : buffers) {
                boolean live = a.from() <= b.to() && b.from() <= a.to();
                long other = plan.offset(b.name());
                boolean overlap = begin < other + b.bytes() && other < begin + a.bytes();
                assertTrue(a == b || !live || !overlap, () -> a + " at " + begin + " overlaps " + b + " at " + other);
            }
        }
        assertTrue(plan.arenaBytes() >= plan.lowerBoundBytes(), plan::toString);
        assertTrue(plan.arenaBytes() <= plan.unsharedBytes(), plan::toString);
        assertTrue(plan.overBound() <= atMost, plan::toString);
        return plan;
    }
}
