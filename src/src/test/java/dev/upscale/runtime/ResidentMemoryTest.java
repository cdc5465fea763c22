package dev.upscale.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.plan.Plan;
import dev.upscale.runtime.cpu.CpuCatalog;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Many runs and many openings leave the process as large as it was. A Java heap that is all touched at the start, in a process of its own. */
@EnabledOnOs(OS.LINUX)
class ResidentMemoryTest {
    private static final long MOST_GROWTH_KIB = 4096;

    @Test
    void hundredThousandRuns() throws Exception {
        requireFlat("runs");
    }

    @Test
    void thousandsOfOpenRunCloseCycles() throws Exception {
        requireFlat("cycles");
    }

    private static void requireFlat(String what) throws Exception {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xms64m", "-Xmx64m", "-XX:+UseSerialGC", "-XX:+AlwaysPreTouch", "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"), Child.class.getName(), what)
                .redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        long growth = Long.parseLong(said.strip());
        assertTrue(growth < MOST_GROWTH_KIB, "grew by " + growth + " KiB");
    }

    /** Prints the growth in KiB after a while in which compilers and caches settle. */
    static final class Child {
        private static final int RUNS = 100_000;
        private static final int CYCLES = 2000;
        private static final int WINDOWS = 3;

        public static void main(String[] arguments) throws IOException {
            Plan plan = SessionTest.plan(kernels());
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment[] source = {arena.allocate(plan.inputs().getFirst().bytes(), 64)};
                MemorySegment[] result = {arena.allocate(plan.outputs().getFirst().bytes(), 64)};
                System.out.println(arguments[0].equals("runs") ? runs(plan, source, result) : cycles(plan, source, result));
            }
        }

        /** The libraries' convolutions where there are any. */
        private static List<String> kernels() {
            List<String> engines = new ArrayList<>(CpuCatalog.ofMachine().engines());
            if (engines.size() > 1) {
                engines.remove("java");
            }
            return engines.stream().map(engine -> engine + ".conv").toList();
        }

        private static long runs(Plan plan, MemorySegment[] source, MemorySegment[] result) throws IOException {
            long settled = 0;
            try (Executable executable = Executable.prepare(plan); Session session = executable.open(1)) {
                for (int run = 0; run < RUNS; run++) {
                    session.run(source, result);
                    settled = run == RUNS / 5 ? residentKib() : settled;
                }
                return residentKib() - settled;
            }
        }

        /** The least growth of some windows: a leak grows in each of them, a cache that fills or is compiled anew in one. */
        private static long cycles(Plan plan, MemorySegment[] source, MemorySegment[] result) throws IOException {
            long least = Long.MAX_VALUE;
            for (int window = 0; window < WINDOWS; window++) {
                long before = residentKib();
                for (int cycle = 0; cycle < CYCLES; cycle++) {
                    try (Executable executable = Executable.prepare(plan); Session session = executable.open(1)) {
                        session.run(source, result);
                    }
                }
                least = Math.min(least, residentKib() - before);
            }
            return least;
        }

        private static long residentKib() throws IOException {
            System.gc();
            return Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst().orElseThrow();
        }
    }
}
