package dev.upscale.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.graph.InvalidInput;
import dev.upscale.plan.Plan;
import dev.upscale.runtime.cpu.CpuCatalog;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sessions of a long plan, through all engines, and of a short one in one memory. */
class SessionMemoryTest {
    private static final int ELEMENTS = 8 * 6 * 6;
    private static final Plan SHORT = SessionTest.plan(List.of("java.conv"));
    private static final Plan LONG = SessionTest.plan(
            Stream.concat(CpuCatalog.ofMachine().engines().stream(), Stream.of("java")).map(engine -> engine + ".conv").toList());

    private static float[] images(Plan plan, int seed) {
        Random random = new Random(seed);
        float[] images = new float[Math.toIntExact(plan.inputs().getFirst().bytes() / Float.BYTES)];
        for (int i = 0; i < images.length; i++) {
            images[i] = random.nextFloat();
        }
        return images;
    }

    private static float[] run(Session session, int seed) {
        return session.run(Map.of("x", images(session.executable().plan(), seed))).get("y");
    }

    private static SessionOptions in(SessionMemory memory, int threads) {
        return SessionOptions.threads(threads).withMemory(memory);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void inTurnsEachComputesWhatItComputesAlone(int threads) {
        Plan batch = SHORT.repeated(5);
        try (SessionMemory memory = SessionMemory.of(threads, List.of(LONG, batch));
                Executable longOne = Executable.prepare(LONG); Executable batched = Executable.prepare(batch);
                Session first = longOne.open(in(memory, threads)); Session second = longOne.open(in(memory, threads).withPoison());
                Session third = batched.open(in(memory, threads).withPoison());
                Session longAlone = longOne.open(threads); Session batchAlone = batched.open(threads)) {
            for (int turn = 0; turn < 20; turn++) {
                float[] expected = run(longAlone, turn);
                assertArrayEquals(expected, run(first, turn));
                assertArrayEquals(run(batchAlone, turn), run(third, turn));
                assertArrayEquals(expected, run(first, turn));
                assertArrayEquals(expected, run(second, turn));
            }
        }
    }

    @Test
    void itIsAsLargeAsTheLargestNeeds() {
        long one = bytes(1, SHORT);
        assertTrue(one >= SHORT.arenaBytes() && bytes(1, LONG) >= LONG.arenaBytes());
        assertEquals(Math.max(one, bytes(1, LONG)), bytes(1, SHORT, LONG));
        assertEquals(one, bytes(4, SHORT), "one worker: no micro-batches");
        assertEquals(3 * one, bytes(3, SHORT.repeated(5)));
        assertEquals(5 * one, bytes(9, SHORT.repeated(5)));
    }

    private static long bytes(int threads, Plan... plans) {
        try (SessionMemory memory = SessionMemory.of(threads, List.of(plans))) {
            return memory.byteSize();
        }
    }

    @Test
    void sessionsOfOnePlanWorkOnTheSameBytes() {
        Plan batch = SHORT.repeated(2);
        try (SessionMemory memory = SessionMemory.of(2, List.of(batch, LONG))) {
            assertEquals(memory.arena(batch, 0).address(), memory.arena(LONG, 0).address());
            assertEquals(0, memory.arena(batch, 1).address() % 4096);
            assertTrue(memory.arena(batch, 0).asOverlappingSlice(memory.arena(batch, 1)).isEmpty(), "workers have arenas of their own");
            assertSame(memory.workspaces(1), memory.workspaces(1));
        }
    }

    @Test
    void aRunDuringAnotherIsRefusedAndDoesNoHarm() {
        try (SessionMemory memory = SessionMemory.of(1, List.of(SHORT, LONG));
                Executable shortOne = Executable.prepare(SHORT); Session session = shortOne.open(in(memory, 1))) {
            float[] expected = run(session, 1);
            memory.begin(LONG);
            assertTrue(assertThrows(IllegalStateException.class, () -> run(session, 1)).getMessage().contains("small while another runs in its memory"));
            assertTrue(assertThrows(IllegalStateException.class, memory::close).getMessage().contains("cannot close"));
            memory.end();
            assertArrayEquals(expected, run(session, 1));
        }
    }

    @Test
    void runsOnTwoThreadsAreRightOrRefused() throws Exception {
        try (SessionMemory memory = SessionMemory.of(1, List.of(SHORT, LONG));
                Executable shortOne = Executable.prepare(SHORT); Executable longOne = Executable.prepare(LONG);
                Session first = shortOne.open(in(memory, 1)); Session second = longOne.open(in(memory, 1))) {
            CompletableFuture<Integer> other = CompletableFuture.supplyAsync(() -> successes(first));
            assertTrue(successes(second) + other.get() > 0, "no run succeeded");
        }
    }

    private static int successes(Session session) {
        int count = 0;
        try (Session alone = session.executable().open(1)) {
            float[] expected = run(alone, 1);
            for (int run = 0; run < 2000; run++) {
                try {
                    assertArrayEquals(expected, run(session, 1));
                    count++;
                } catch (IllegalStateException e) {
                    assertTrue(e.getMessage().contains("another runs"), e.getMessage());
                }
            }
        }
        return count;
    }

    @Test
    void sessionsMayBeClosedBeforeTheMemoryOrAfterIt() {
        SessionMemory memory = SessionMemory.of(1, List.of(SHORT));
        Executable executable = Executable.prepare(SHORT);
        Session before = executable.open(in(memory, 1));
        Session after = executable.open(in(memory, 1));
        float[] expected = run(before, 1);
        before.close();
        assertArrayEquals(expected, run(after, 1), "the memory outlives a session");
        memory.close();
        memory.close();
        assertTrue(assertThrows(IllegalStateException.class, () -> run(after, 1)).getMessage().contains("memory is closed"));
        assertTrue(assertThrows(IllegalStateException.class, () -> executable.open(in(memory, 1))).getMessage().contains("is closed"));
        after.close();
        executable.close();
    }

    @Test
    void aMemoryThatIsTooSmallIsRefused() {
        try (SessionMemory memory = SessionMemory.of(2, List.of(SHORT.repeated(4))); Executable longOne = Executable.prepare(LONG);
                Executable batched = Executable.prepare(SHORT.repeated(4))) {
            batched.open(in(memory, 2)).close();
            String message = assertThrows(IllegalArgumentException.class, () -> batched.open(in(memory, 3))).getMessage();
            assertTrue(message.contains("small on 3 threads needs") && message.contains("has " + memory.byteSize()), message);
            longOne.open(in(memory, 1)).close();
        }
        try (SessionMemory memory = SessionMemory.of(1, List.of()); Executable longOne = Executable.prepare(LONG)) {
            assertThrows(IllegalArgumentException.class, () -> longOne.open(in(memory, 1)));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1L << 50, Long.MAX_VALUE - 200, Long.MAX_VALUE})
    void aMemoryThatCannotBeHadIsRefused(long arenaBytes) {
        Plan huge = new Plan("huge", "test", "cpu", SHORT.inputs(), SHORT.outputs(), SHORT.steps(), SHORT.constants(), arenaBytes, 0, 1);
        String message = assertThrows(InvalidInput.class, () -> SessionMemory.of(1, Arrays.asList(SHORT, huge))).getMessage();
        assertTrue(message.contains("plan huge needs an arena of " + arenaBytes), message);
    }
}
