package dev.upscale.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class PlanTextTest {

    @Test
    void printsOneLinePerStep() throws IOException {
        assertGolden("small.plan.txt", PlanText.print(Plans.small()));
    }

    /** Compares with a file beside the tests; what differs is written to target/golden, to be copied over if it is right. */
    private static void assertGolden(String name, String actual) throws IOException {
        try (InputStream golden = PlanTextTest.class.getResourceAsStream(name)) {
            String expected = golden == null ? "" : new String(golden.readAllBytes(), StandardCharsets.UTF_8);
            if (!expected.equals(actual)) {
                Files.writeString(Files.createDirectories(Path.of("target", "golden")).resolve(name), actual);
            }
            assertEquals(expected, actual);
        }
    }
}
