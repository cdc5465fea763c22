package dev.upscale.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.upscale.compile.KernelCatalog;
import dev.upscale.graph.Function;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Op;
import dev.upscale.graph.Window;
import dev.upscale.plan.Constant;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.plan.View.Place;
import dev.upscale.runtime.cpu.CpuCatalog;
import dev.upscale.runtime.kernel.KernelFailure;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A small network of convolutions, run in many ways. */
class SessionTest {
    private static final Place INPUT = new Place(Place.Kind.INPUT, "x");
    private static final Place OUTPUT = new Place(Place.Kind.OUTPUT, "y");
    private static final List<Integer> IMAGE = List.of(1, 8, 6, 6);
    private static final int ELEMENTS = 8 * 6 * 6;

    /** On every engine that is here, one after the other: each reads what the one before wrote. */
    private static Plan plan() {
        return plan(CpuCatalog.ofMachine().engines().stream().map(engine -> engine + ".conv").toList());
    }

    static Plan plan(List<String> kernels) {
        Random random = new Random(3);
        Map<String, Constant> constants = new LinkedHashMap<>();
        float[] weights = new float[8 * 8 * 9];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (random.nextFloat() - 0.5f) / 4;
        }
        constants.put("w", Constant.f32(List.of(8, 8, 3, 3), weights));
        constants.put("b", Constant.f32(List.of(8), 1, 2, 3, 4, 5, 6, 7, 8));
        List<Step> steps = new ArrayList<>();
        View pixels = View.channelsLast(Place.ARENA, 0, IMAGE, 8);
        steps.add(new Step.Copy("in", "java.copy", Step.Copy.Kind.LAYOUT, Operand.of(View.rowMajor(INPUT, 0, IMAGE)), pixels, "input"));
        long at = 0;
        for (String kernel : kernels) {
            View source = View.channelsLast(Place.ARENA, at, IMAGE, 8);
            at += 2048;
            View destination = View.channelsLast(Place.ARENA, at, IMAGE, 8);
            Step.Convolve convolve = new Step.Convolve(kernel + " layer", kernel, new Op.Conv(Window.square(3, 1, 1), 1),
                    Operand.of(source), "w", "b", Optional.empty(), Function.RELU, destination, Optional.empty(), ELEMENTS * 72L);
            long workspaceBytes = CpuCatalog.ofMachine().offer(kernel, convolve) instanceof KernelCatalog.Offer offer
                    ? offer.workspaceBytes() : 0;
            assertTrue(workspaceBytes <= 1 << 20, kernel + " wants " + workspaceBytes);
            steps.add(convolve);
        }
        steps.add(new Step.Copy("out", "java.copy", Step.Copy.Kind.LAYOUT, Operand.of(View.channelsLast(Place.ARENA, at, IMAGE, 8)),
                View.rowMajor(OUTPUT, 0, IMAGE), "output"));
        return new Plan("small", "test", "cpu", List.of(new Plan.Port("x", IMAGE)), List.of(new Plan.Port("y", IMAGE)), steps, constants,
                at + 2048, 2048, kernels.size());
    }

    private static float[] image(int seed) {
        Random random = new Random(seed);
        float[] image = new float[ELEMENTS];
        for (int i = 0; i < image.length; i++) {
            image[i] = random.nextFloat();
        }
        return image;
    }

    private static float[] run(Session session, float[] image) {
        return session.run(Map.of("x", image)).get("y");
    }

    private static void assertClose(float[] expected, float[] actual) {
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], 1e-4f * Math.max(1, Math.abs(expected[i])), "element " + i);
        }
    }

    @Test
    void allEnginesComputeTheSame() {
        List<String> engines = List.copyOf(CpuCatalog.ofMachine().engines());
        float[] image = image(1);
        float[] expected;
        try (Executable executable = Executable.prepare(plan(List.of("java.conv"))); Session session = executable.open(1)) {
            expected = run(session, image);
        }
        for (String engine : engines) {
            try (Executable executable = Executable.prepare(plan(List.of(engine + ".conv"))); Session session = executable.open(1)) {
                assertClose(expected, run(session, image));
            }
        }
    }

    @Test
    void poisonDoesNotShowWhereAPlanWritesWhatItReads() {
        float[] image = image(1);
        try (Executable executable = Executable.prepare(plan()); Session plain = executable.open(1);
                Session poisoned = executable.open(SessionOptions.threads(1).withPoison())) {
            assertArrayEquals(run(plain, image), run(poisoned, image));
        }
    }

    @Test
    void poisonShowsWhereAPlanReadsWhatItHasNotWritten() {
        View half = View.channelsLast(Place.ARENA, 0, List.of(1, 4, 6, 6), 8);
        View whole = View.channelsLast(Place.ARENA, 0, IMAGE, 8);
        List<Step> steps = List.of(
                new Step.Copy("in", "java.copy", Step.Copy.Kind.LAYOUT,
                        Operand.of(View.rowMajor(INPUT, 0, IMAGE).slice(1, 0, 4)), half, "half of it"),
                new Step.Copy("out", "java.copy", Step.Copy.Kind.LAYOUT, Operand.of(whole), View.rowMajor(OUTPUT, 0, IMAGE), "all"));
        Plan plan = new Plan("hole", "test", "cpu", List.of(new Plan.Port("x", IMAGE)), List.of(new Plan.Port("y", IMAGE)), steps,
                Map.of(), 2048, 0, 0);
        try (Executable executable = Executable.prepare(plan);
                Session session = executable.open(SessionOptions.threads(1).withPoison())) {
            float[] result = run(session, image(1));
            assertTrue(!Float.isNaN(result[0]) && Float.isNaN(result[ELEMENTS - 1]));
        }
    }

    @Test
    void memoriesMayMoveAndLieAnywhere() {
        float[] image = image(2);
        try (Executable executable = Executable.prepare(plan()); Session session = executable.open(1); Arena arena = Arena.ofConfined()) {
            float[] expected = run(session, image);
            for (int offset = 0; offset < 6; offset++) {
                MemorySegment source = arena.allocate(ELEMENTS * 4L + 16, 64).asSlice(offset);
                MemorySegment result = arena.allocate(ELEMENTS * 4L + 16, 64).asSlice(offset);
                MemorySegment.copy(image, 0, source, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, ELEMENTS);
                session.run(new MemorySegment[] {source}, new MemorySegment[] {result});
                float[] actual = new float[ELEMENTS];
                MemorySegment.copy(result, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, actual, 0, ELEMENTS);
                assertArrayEquals(expected, actual, "offset " + offset);
            }
        }
    }

    @Test
    void runsAreCheckedBeforeTheyStart() {
        try (Executable executable = Executable.prepare(plan()); Session session = executable.open(1); Arena arena = Arena.ofConfined()) {
            MemorySegment source = arena.allocate(ELEMENTS * 4L, 64);
            MemorySegment result = arena.allocate(ELEMENTS * 4L, 64);
            MemorySegment closed;
            try (Arena brief = Arena.ofConfined()) {
                closed = brief.allocate(ELEMENTS * 4L, 64);
            }
            refuse(session, IllegalArgumentException.class, "0 input memories for 1", new MemorySegment[0], new MemorySegment[] {result});
            refuse(session, IllegalArgumentException.class, "input x [1, 8, 6, 6] needs 1152 bytes, and is given 8",
                    new MemorySegment[] {source.asSlice(0, 8)}, new MemorySegment[] {result});
            refuse(session, IllegalArgumentException.class, "read-only", new MemorySegment[] {source},
                    new MemorySegment[] {result.asReadOnly()});
            refuse(session, IllegalArgumentException.class, "overlap", new MemorySegment[] {source}, new MemorySegment[] {source});
            refuse(session, IllegalStateException.class, "closed", new MemorySegment[] {closed}, new MemorySegment[] {result});
            session.run(new MemorySegment[] {source}, new MemorySegment[] {result});
        }
    }

    private static void refuse(Session session, Class<? extends RuntimeException> kind, String words, MemorySegment[] sources,
            MemorySegment[] results) {
        String message = assertThrows(kind, () -> session.run(sources, results)).getMessage();
        assertTrue(message.contains(words), message);
    }

    @Test
    void nothingWorksAfterClose() {
        Executable executable = Executable.prepare(plan());
        Session first = executable.open(1);
        Session second = executable.open(1);
        first.close();
        first.close();
        assertThrows(IllegalStateException.class, () -> run(first, image(1)));
        run(second, image(1));
        executable.close();
        executable.close();
        assertThrows(IllegalStateException.class, () -> run(second, image(1)));
        assertThrows(IllegalStateException.class, () -> executable.open(1));
        second.close();
    }

    @Test
    void aPlanThatDoesNotHoldTogetherIsRefused() {
        Plan plan = plan(List.of("java.conv"));
        Plan small = new Plan("small", "test", "cpu", plan.inputs(), plan.outputs(), plan.steps(), plan.constants(), 1024, 0, 1);
        assertThrows(InvalidInput.class, () -> Executable.prepare(small));
    }

    @ParameterizedTest
    @ValueSource(longs = {1L << 50, Long.MAX_VALUE})
    void anArenaThatCannotBeHadIsRefused(long bytes) {
        Plan plan = plan(List.of("java.conv"));
        Plan huge = new Plan("huge", "test", "cpu", plan.inputs(), plan.outputs(), plan.steps(), plan.constants(), bytes, 0, 1);
        try (Executable executable = Executable.prepare(huge)) {
            assertTrue(assertThrows(InvalidInput.class, () -> executable.open(1)).getMessage().contains("plan huge needs an arena"));
        }
    }

    @Test
    void aMissingKernelIsNamed() {
        String message = assertThrows(KernelFailure.class, () -> Executable.prepare(plan(List.of("cudnn.conv")))).getMessage();
        assertTrue(message.contains("cudnn.conv layer") && message.contains("no engine cudnn here"), message);
        String other = assertThrows(KernelFailure.class, () -> Executable.prepare(plan(List.of("java.softmax")))).getMessage();
        assertTrue(other.contains("java.softmax") && other.contains("java.conv does"), other);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void sessionsRunAtOnce(int threads) throws Exception {
        int sessions = 3;
        try (Executable executable = Executable.prepare(plan()); ExecutorService service = Executors.newFixedThreadPool(sessions)) {
            List<float[]> expected = new ArrayList<>();
            try (Session session = executable.open(1)) {
                for (int seed = 0; seed < sessions; seed++) {
                    expected.add(run(session, image(seed)));
                }
            }
            CountDownLatch start = new CountDownLatch(sessions);
            List<CompletableFuture<Void>> runs = new ArrayList<>();
            for (int seed = 0; seed < sessions; seed++) {
                int which = seed;
                runs.add(CompletableFuture.runAsync(() -> {
                    try (Session session = executable.open(threads)) {
                        start.countDown();
                        start.await();
                        for (int run = 0; run < 300; run++) {
                            assertClose(expected.get(which), run(session, image(which)));
                        }
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                }, service));
            }
            for (CompletableFuture<Void> run : runs) {
                run.get();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 7})
    void microBatchesAreComputedAsIfAlone(int threads) {
        int count = 5;
        try (Executable alone = Executable.prepare(plan()); Session one = alone.open(1);
                Executable together = Executable.prepare(plan().repeated(count));
                Session session = together.open(SessionOptions.threads(threads).withPoison().withProfile(2))) {
            for (int run = 0; run < 50; run++) {
                float[] images = new float[count * ELEMENTS];
                float[] expected = new float[count * ELEMENTS];
                for (int image = 0; image < count; image++) {
                    float[] values = image(count * run + image);
                    System.arraycopy(values, 0, images, image * ELEMENTS, ELEMENTS);
                    System.arraycopy(run(one, values), 0, expected, image * ELEMENTS, ELEMENTS);
                }
                assertClose(expected, run(session, images));
            }
            assertTrue(session.profile().totalNs() > 0);
        }
    }

    @Test
    void microBatchesAreComputedAfterAPauseToo() throws InterruptedException {
        try (Executable executable = Executable.prepare(plan().repeated(2)); Session session = executable.open(2)) {
            float[] images = Arrays.copyOf(image(1), 2 * ELEMENTS);
            float[] expected = run(session, images);
            for (int run = 0; run < 5; run++) {
                Thread.sleep(5);
                assertArrayEquals(expected, run(session, images));
            }
            Thread.currentThread().interrupt();
            assertArrayEquals(expected, run(session, images));
            assertTrue(Thread.interrupted(), "a run keeps the interrupt for its caller");
        }
    }

    @Test
    void aSessionsThreadsEndWithIt() {
        try (Executable executable = Executable.prepare(plan().repeated(4))) {
            Session session = executable.open(4);
            run(session, Arrays.copyOf(image(1), 4 * ELEMENTS));
            assertEquals(3, crew().count());
            session.close();
            assertEquals(0, crew().count());
        }
    }

    private static Stream<Thread> crew() {
        return Thread.getAllStackTraces().keySet().stream().filter(thread -> thread.getName().startsWith("upscale small "));
    }

    @Test
    void aFailureOnAnyThreadReachesTheCallerAndTheNextRunWorks() {
        CallersMemory[] memory = {};
        AtomicInteger computed = new AtomicInteger();
        AtomicInteger failing = new AtomicInteger(3);
        Crew.Work work = (sources, results, microBatch) -> {
            if (microBatch == failing.get()) {
                throw new KernelFailure("step " + microBatch, "kernel", new IllegalStateException("no"));
            }
            computed.incrementAndGet();
        };
        try (Crew crew = new Crew(List.of(work, work, work), 8, "failing")) {
            for (int run = 0; run < 1000; run++) {
                failing.set(run % 8);
                String message = assertThrows(KernelFailure.class, () -> crew.run(memory, memory)).getMessage();
                assertTrue(message.contains("step " + run % 8), message);
                failing.set(-1);
                computed.set(0);
                crew.run(memory, memory);
                assertEquals(8, computed.get());
            }
        }
    }

    @Test
    void twoRunsOfOneSessionAtOnceAreRefused() throws Exception {
        try (Executable executable = Executable.prepare(plan()); Session session = executable.open(1);
                ExecutorService service = Executors.newFixedThreadPool(2)) {
            float[] expected = run(session, image(1));
            int[] refused = new int[2];
            List<CompletableFuture<Void>> runs = new ArrayList<>();
            for (int thread = 0; thread < 2; thread++) {
                int which = thread;
                runs.add(CompletableFuture.runAsync(() -> {
                    for (int run = 0; run < 2000; run++) {
                        try {
                            assertArrayEquals(expected, run(session, image(1)));
                        } catch (IllegalStateException e) {
                            refused[which]++;
                        }
                    }
                }, service));
            }
            for (CompletableFuture<Void> run : runs) {
                run.get();
            }
            assertTrue(refused[0] + refused[1] < 4000, "no run succeeded");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void aRunAllocatesNothing(int microBatches) {
        try (Executable executable = Executable.prepare(plan().repeated(microBatches)); Session session = executable.open(microBatches); Arena arena = Arena.ofConfined()) {
            MemorySegment[][] memories = new MemorySegment[4][];
            for (int i = 0; i < memories.length; i++) {
                memories[i] = new MemorySegment[] {arena.allocate(microBatches * ELEMENTS * 4L, 64)};
            }
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long bytes = Long.MAX_VALUE;
            for (int round = 0; round < 20 && bytes != 0; round++) {
                long before = threads.getThreadAllocatedBytes(Thread.currentThread().threadId());
                for (int run = 0; run < 1000; run++) {
                    session.run(memories[run % 2], memories[2 + run % 2]);
                }
                bytes = threads.getThreadAllocatedBytes(Thread.currentThread().threadId()) - before;
            }
            // what the interpreter allocates goes away once the code is compiled; asking for the bytes itself allocates a little
            assertTrue(bytes < 1000, bytes + " bytes in 1000 runs");
        }
    }

    @Test
    void aProfileHasATimeForEachStep() {
        try (Executable executable = Executable.prepare(plan());
                Session session = executable.open(SessionOptions.threads(1).withProfile(5))) {
            for (int run = 0; run < 7; run++) {
                run(session, image(1));
            }
            Profile profile = session.profile();
            assertEquals(5, profile.runs());
            assertEquals(executable.plan().steps().size(), profile.ns().length);
            assertTrue(profile.totalNs() > 0);
            assertTrue(Arrays.stream(profile.ns()).allMatch(times -> times.length == 5));
            assertEquals(executable.plan().steps().size(), executable.implementations().size());
        }
        try (Executable executable = Executable.prepare(plan()); Session session = executable.open(1)) {
            assertThrows(IllegalStateException.class, session::profile);
        }
    }
}
