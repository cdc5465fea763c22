package dev.upscale.runtime.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.graph.InvalidInput;
import dev.upscale.plan.Element;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeviceDescriptionTest {
    @Test
    void everyPropertyOfTheKnownDevicesHasASource() {
        for (String name : DeviceDescription.KNOWN) {
            DeviceDescription device = DeviceDescription.of(name);
            assertEquals(name, device.name());
            assertEquals(device.properties().keySet(), device.sources().keySet(), name);
            assertTrue(device.sources().values().stream().noneMatch(String::isBlank), name);
        }
    }

    @Test
    void whatIsWrittenIsReadAgain(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("mine.json");
        Files.writeString(file, DeviceDescription.of("l4").json());

        assertEquals(DeviceDescription.of("l4"), DeviceDescription.of(file.toString()));
    }

    @Test
    void whatIsMissingIsNamed(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("part.json");
        Files.writeString(file, "{\"name\":\"part\",\"properties\":{\"deviceVer\":900},\"sources\":{}}");

        InvalidInput error = assertThrows(InvalidInput.class, () -> DeviceDescription.of(file.toString()));

        assertTrue(error.getMessage().contains("device part has no driverVer, cudaDeviceId"), error.getMessage());
        assertTrue(error.getMessage().startsWith(file.toString()), error.getMessage());
    }

    @Test
    void unknownNamesAndDamagedFilesAreRefused(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("text.json");
        Files.writeString(file, "no json");

        assertTrue(assertThrows(InvalidInput.class, () -> DeviceDescription.of(file.toString())).getMessage().contains("is no description of a device"));
        assertTrue(assertThrows(InvalidInput.class, () -> DeviceDescription.of("h200")).getMessage().contains("known are h100"));
        assertThrows(InvalidInput.class, () -> DeviceDescription.of(folder.resolve("absent.json").toString()));
    }

    @Test
    void halvesWithTensorCoresCountForMore() {
        DeviceDescription h100 = DeviceDescription.of("h100");

        assertTrue(h100.target(Element.F16, true).rates().multiplyAdd() < h100.target(Element.F32, true).rates().multiplyAdd());
        assertEquals("cuda:h100", h100.target(Element.F16, true).name());
    }
}
