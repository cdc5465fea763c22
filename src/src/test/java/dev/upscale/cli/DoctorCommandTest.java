package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
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
        assertTrue(report.has("nativeAccess"));
    }

    @Test
    void everyLibraryOfTheGpuIsFoundWithItsVersionOrHasACure() {
        JsonNode gpu = CommandLineRun.of("doctor", "--json").json().get("gpu");

        assertEquals(List.of("cuBLASLt", "NVRTC", "CUDA driver", "driver for building", "cuDNN"),
                gpu.get("libraries").valueStream().map(library -> library.get("name").stringValue()).toList());
        for (JsonNode library : gpu.get("libraries")) {
            assertTrue(library.get("found").booleanValue() ? !library.get("version").stringValue().isEmpty()
                    : !library.get("cure").stringValue().isEmpty() && !library.get("passedOver").isEmpty(), library.toString());
        }
        assertEquals(gpu.get("compiles").booleanValue(), gpu.get("obstacle").stringValue().isEmpty());
    }

    @Test
    void aGpuIsDescribedOrThereIsNone() {
        CommandLineRun run = CommandLineRun.of("doctor", "--describe-device");

        if (run.exitCode() == 0) {
            assertTrue(run.out().contains("multiProcessorCount"), run.out());
        } else {
            run.refused("there is no GPU to describe");
        }
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
