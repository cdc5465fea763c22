package dev.upscale.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Assertions;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** One command run in this process: what a user and a script see of it. */
record CommandLineRun(int exitCode, String out, String err) {

    static CommandLineRun of(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] words = new String[arguments.length];
        for (int i = 0; i < words.length; i++) {
            words[i] = String.valueOf(arguments[i]);
        }
        int exitCode = Main.run(new PrintWriter(out), new PrintWriter(err, true), words);
        return new CommandLineRun(exitCode, out.toString(), err.toString());
    }

    /** The single JSON document on standard output of a run that succeeded. */
    JsonNode json() {
        Assertions.assertEquals(0, exitCode, err);
        Assertions.assertEquals(1, out.strip().lines().count(), out);
        return JsonMapper.shared().readTree(out);
    }

    /** Asserts that the input was refused: exit code 2, nothing on standard output, one line that says all of {@code parts}. */
    void refused(String... parts) {
        Assertions.assertEquals(Main.BAD_INPUT, exitCode, () -> "exit code; " + err);
        Assertions.assertEquals("", out);
        Assertions.assertEquals(1, complaint().lines().count(), err);
        for (String part : parts) {
            Assertions.assertTrue(complaint().contains(part), () -> complaint() + "\nlacks: " + part);
        }
    }

    /** The lines on standard error that are not progress. */
    private String complaint() {
        return err.lines().filter(line -> !line.endsWith("...")).reduce((one, other) -> one + "\n" + other).orElse("");
    }
}
