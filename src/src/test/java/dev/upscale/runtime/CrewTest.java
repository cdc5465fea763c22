package dev.upscale.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CrewTest {
    private static final int THREADS = 64;

    @TempDir
    private Path folder;

    /** In a process whose address space has room for a few stacks alone. */
    @Test
    void threadsThatTheSystemDoesNotGiveAreSaidInOneLineAndThoseThatItGaveEnd() throws Exception {
        Path shell = Path.of("/bin/sh");
        assumeTrue(Files.isExecutable(shell), "no /bin/sh here, whose ulimit limits a process's memory");
        Process process = new ProcessBuilder(shell.toString(), "-c", "ulimit -v 8000000 && exec \"$@\"", "sh",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx64m", "-Xss512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                "-XX:CompressedClassSpaceSize=64m", "-XX:ReservedCodeCacheSize=64m", "-Xshare:off", "-Xlog:disable", "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")), Scarce.class.getName())
                .redirectError(folder.resolve("err").toFile()).redirectOutput(folder.resolve("out").toFile()).start();
        boolean ended = process.waitFor(60, TimeUnit.SECONDS);
        process.destroyForcibly();
        assertEquals("this system does not give 63 more threads; open the session with fewer\nthreads left: []\n",
                Files.readString(folder.resolve("out")), () -> ended + " " + read(folder.resolve("err")));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (java.io.IOException e) {
            return e.toString();
        }
    }

    /** Asks for more threads than there is room for. */
    static final class Scarce {
        private Scarce() {}

        public static void main(String[] arguments) {
            Crew.Work work = (sources, results, microBatch) -> { };
            String said;
            try (Crew crew = new Crew(Collections.nCopies(THREADS, work), 8, "scarce")) {
                said = "all " + THREADS + " threads were given";
            } catch (IllegalStateException e) {
                said = e.getMessage();
            }
            Set<String> left = Thread.getAllStackTraces().keySet().stream().map(Thread::getName).filter(name -> name.startsWith("upscale"))
                    .collect(Collectors.toSet());
            System.out.print(said + "\nthreads left: " + left + "\n");
        }
    }
}
