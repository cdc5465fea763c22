package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.onnx.SharedModels;
import dev.upscale.runtime.cuda.SimulatedDevice;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code gpu-check} and {@code doctor} where the simulated device stands in for a GPU. */
@Tag(SimulatedDevice.TAG)
class GpuCheckCommandTest {
    @BeforeAll
    static void simulatedDevice() {
        SimulatedDevice.assumeBuilt();
    }

    @Test
    void verifiesEveryVariantAndTimesNothingOnASimulatedDevice(@TempDir Path folder) throws Exception {
        SimulatedDevice.begin("");
        Path report = folder.resolve("report.json");
        CommandLineRun run = CommandLineRun.of("gpu-check", SharedModels.find("fashion/resnet.onnx").toString(), "--json", "-o", report.toString());
        assertEquals(0, run.exitCode(), run.err());
        JsonNode document = JsonMapper.shared().readTree(Files.readString(report));
        assertEquals(document, JsonMapper.shared().readTree(run.out()));
        assertTrue(document.path("simulated").asBoolean());
        assertTrue(document.path("warning").asString().contains("SIMULATED"));
        for (String precision : new String[] {"f32", "f16"}) {
            JsonNode variants = document.path("precisions").path(precision).path("variants");
            assertEquals(5, variants.size());
            variants.forEach(variant -> {
                assertTrue(variant.path("passed").asBoolean(), variant.toString());
                assertTrue(variant.path("relL2").asDouble() <= document.path("precisions").path(precision).path("tolerance").asDouble());
                assertFalse(variant.has("medianNs") || variant.has("stepTimes"), "a simulated device has no times");
            });
        }
        SimulatedDevice.assertClean();
    }

    @Test
    void cuBlasLtIsAVariantOfIt(@TempDir Path folder) throws Exception {
        SimulatedDevice.begin("");
        Path report = folder.resolve("report.json");
        CommandLineRun run = CommandLineRun.of("gpu-check", SharedModels.find("fashion/googlenet.onnx").toString(), "--variants", "upscale", "--engines",
                "cublaslt,cudnn", "-o", report.toString());
        assertEquals(0, run.exitCode(), run.err());
        JsonNode document = JsonMapper.shared().readTree(Files.readString(report));
        assertEquals("cublaslt", document.path("engines").path(0).asString());
        assertEquals("13.0.0", document.path("cublaslt").asString());
        assertTrue(SimulatedDevice.count("products") > 0, "no product was computed");
        SimulatedDevice.assertClean();
    }

    @Test
    void anEngineThatIsNoneIsRefusedInOneLine() {
        CommandLineRun run = CommandLineRun.of("gpu-check", SharedModels.find("fashion/resnet.onnx").toString(), "--engines", "onednn");
        assertEquals(2, run.exitCode(), run.err());
        assertTrue(run.err().contains("--engines onednn is not one of cudnn, cublaslt, products, cuda on a GPU"), run.err());
    }

    @Test
    void aFaultIsInTheReport(@TempDir Path folder) throws Exception {
        SimulatedDevice.begin("refuse:3");
        Path report = folder.resolve("report.json");
        CommandLineRun run = CommandLineRun.of("gpu-check", SharedModels.find("fashion/resnet.onnx").toString(), "--variants", "baseline,upscale",
                "--precision", "f32", "-o", report.toString());
        assertEquals(1, run.exitCode(), run.err());
        assertTrue(run.out().contains("SIMULATED DEVICE") && run.out().contains("FAILED"), run.out());
        assertTrue(Files.readString(report).contains("CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"));
        SimulatedDevice.assertClean();
    }

    @Test
    void doctorNamesTheDevice() {
        SimulatedDevice.begin("");
        CommandLineRun run = CommandLineRun.of("doctor");
        assertEquals(0, run.exitCode(), run.err());
        assertTrue(run.out().contains("simulated device (no GPU)"), run.out());
    }
}
