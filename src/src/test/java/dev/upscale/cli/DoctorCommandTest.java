package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class DoctorCommandTest {
    @Test
    void everyLibraryIsFoundOrHasACure() {
        JsonNode report = CommandLineRun.of("doctor", "--json").json();
        assertEquals(3, report.get("libraries").size());
        for (JsonNode library : report.get("libraries")) {
            assertTrue(library.get("found").booleanValue() ? library.get("file").isString() : library.get("cure").isString(),
                    library.toString());
        }
        assertTrue(report.get("cores").intValue() >= 1);
        assertTrue(report.get("java").get("version").stringValue().startsWith("25"));
        assertTrue(report.has("gpu") && report.has("nativeAccess"));
    }

    @Test
    void peopleGetAText() {
        CommandLineRun run = CommandLineRun.of("doctor");
        assertEquals(0, run.exitCode());
        assertTrue(run.out().contains("oneDNN") && run.out().contains("XNNPACK"), run.out());
    }

    @Test
    void wrongWordsAreRefused() {
        CommandLineRun.of("doctor", "--jsn").refused("--jsn", "--help");
        CommandLineRun.of("doktor").refused("doktor");
    }
}
