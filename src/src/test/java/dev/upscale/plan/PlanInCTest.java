package dev.upscale.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A page of C, docs/examples/plan_steps.c, reads plans. */
class PlanInCTest {
    private static final Path ROOT = Files.exists(Path.of("README.md")) ? Path.of("") : Path.of("..");

    @TempDir
    private Path folder;

    private record Run(int exitCode, String out, String err) {}

    @BeforeEach
    void compile() throws Exception {
        assumeTrue(Stream.of(System.getenv().getOrDefault("PATH", "").split(":")).anyMatch(place -> Files.isExecutable(Path.of(place, "cc"))),
                "no C compiler (cc) is installed here; the C reader of plans is not tried");
        Run compiler = run("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-o", folder.resolve("plan_steps").toString(),
                ROOT.resolve("docs/examples/plan_steps.c").toString());
        assertEquals(new Run(0, "", ""), compiler);
    }

    @Test
    void printsTheSteps() throws Exception {
        Plan plan = Plans.small();
        Path file = folder.resolve("small.plan");
        PlanFile.write(plan, file);
        String expected = IntStream.range(0, plan.steps().size()).mapToObj(position -> {
            Step step = plan.steps().get(position);
            return String.format("%3d %-18s [%s] %s\n", position, step.kernel(),
                    step.destination().dims().stream().map(String::valueOf).collect(Collectors.joining(",")), step.name());
        }).collect(Collectors.joining());
        assertEquals(new Run(0, expected, ""), run(folder.resolve("plan_steps").toString(), file.toString()));
    }

    @Test
    void saysWhereTheCodeOfKernelsLies() throws Exception {
        byte[] code = "some code".getBytes(StandardCharsets.US_ASCII);
        Path file = folder.resolve("gpu.plan");
        PlanFile.write(Plans.withCode(Plans.small(), "cuda.kernels", Constant.i8(code)), file);
        Run run = run(folder.resolve("plan_steps").toString(), file.toString());
        String[] words = run.out.lines().toList().getLast().split(" ");
        assertEquals(List.of("code", "sm_89", "by", "NVRTC", "13.0:", "9", "bytes", "at"), List.of(words).subList(0, 8));
        int begin = Integer.parseInt(words[8]);
        assertEquals("some code", new String(Files.readAllBytes(file), begin, code.length, StandardCharsets.US_ASCII));
    }

    @Test
    void refusesWhatIsNoPlan() throws Exception {
        Path file = folder.resolve("plan");
        PlanFile.write(Plans.small(), file);
        byte[] whole = Files.readAllBytes(file);
        for (byte[] bytes : List.of(new byte[0], java.util.Arrays.copyOf(whole, 7), java.util.Arrays.copyOf(whole, 200),
                "no plan at all, but longer".getBytes(StandardCharsets.UTF_8))) {
            Files.write(file, bytes);
            Run run = run(folder.resolve("plan_steps").toString(), file.toString());
            assertTrue(run.exitCode == 2 && run.out.isEmpty() && run.err.lines().count() == 1 && run.err.contains(file.toString()), run.toString());
        }
    }

    private Run run(String... command) throws IOException, InterruptedException {
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        int exitCode = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile()).start().waitFor();
        return new Run(exitCode, Files.readString(out), Files.readString(err));
    }
}
