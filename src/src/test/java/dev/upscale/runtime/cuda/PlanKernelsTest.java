package dev.upscale.runtime.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.upscale.Upscale;
import dev.upscale.channels.PatternFile;
import dev.upscale.cli.CommandLineProcess;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.Tensor;
import dev.upscale.plan.Accelerator;
import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanFile;
import dev.upscale.runtime.SessionOptions;
import dev.upscale.runtime.natives.CudaFiles;
import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.natives.NativeLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Plans whose kernels NVRTC compiled, in a build that holds none: what a machine without nvcc makes. */
@Tag(SimulatedDevice.TAG)
class PlanKernelsTest {
    private static final byte[] ELF = {0x7f, 'E', 'L', 'F'};

    @TempDir
    private Path folder;

    @BeforeAll
    static void simulatedDevice() {
        SimulatedDevice.assumeBuilt();
    }

    @AfterEach
    void unlink() throws IOException {
        CommandLineProcess.unlink(folder);
    }

    /** The command line of a build without nvcc, with the simulated cuDNN and, if it is given, the real NVRTC. */
    private CommandLineProcess withoutBinaries(Optional<Path> nvrtc) throws IOException {
        Path libraries = Files.createDirectories(folder.resolve("libraries"));
        Path simulated = Path.of(System.getProperty("upscale.cuda")).toAbsolutePath();
        for (NativeLibrary library : List.of(NativeLibrary.CUDA_DRIVER, NativeLibrary.CUBLASLT, NativeLibrary.CUDNN)) {
            CudaFiles.link(library, simulated.resolve("libcudasim.so"), libraries);
        }
        CommandLineProcess process = new CommandLineProcess(folder).property("upscale.cuda", libraries)
                .hiding("dev/upscale/cuda", ".cubin", ".ptx");
        if (nvrtc.isPresent()) {
            CudaFiles.link(NativeLibrary.NVRTC, nvrtc.get(), libraries);
        } else {
            process.property("upscale.natives.off", "nvrtc");
        }
        return process;
    }

    private static Path nvrtc() {
        Optional<Path> nvrtc = CudaFiles.find(NativeLibrary.NVRTC);
        assumeTrue(nvrtc.isPresent(), "NVRTC is missing: no kernels are compiled into plans");
        return nvrtc.get();
    }

    private Path model() throws IOException {
        try (InputStream resource = Upscale.class.getResourceAsStream("/dev/upscale/demo/densenet.onnx")) {
            return Files.write(folder.resolve("densenet.onnx"), resource.readAllBytes());
        }
    }

    private Path pattern() throws IOException {
        return Files.writeString(folder.resolve("pattern.json"), "{\"consumers\": {\"layers.1.c2.weight\": [0, 1, 7, 9]}}");
    }

    @Test
    void whatNvrtcCompiledIsInThePlanAndRuns() throws Exception {
        Path file = folder.resolve("densenet.plan");
        CommandLineProcess.Ended compiled = withoutBinaries(Optional.of(nvrtc()))
                .run("compile", model(), "--pattern", pattern(), "--target", "cuda:h100", "--precision", "f16", "-o", file);
        assertEquals(0, compiled.exitCode(), compiled.err());

        Plan plan = PlanFile.read(file);
        Accelerator.KernelCode kernels = plan.accelerator().orElseThrow().kernels().orElseThrow();
        assertEquals("sm_90", kernels.architecture());
        assertTrue(kernels.compiler().startsWith("NVRTC 13."), kernels.compiler());
        assertEquals(List.copyOf(PlanKernels.functions(plan)), kernels.functions());
        byte[] code = new byte[ELF.length];
        plan.constants().get(kernels.code()).data().get(code);
        assertEquals(new String(ELF, StandardCharsets.ISO_8859_1), new String(code, StandardCharsets.ISO_8859_1));

        runs(plan, Upscale.prune(Upscale.read(folder.resolve("densenet.onnx")), PatternFile.read(pattern().toString())), 1e-2);
    }

    /** On the simulated device with the plan's own kernels. */
    private static void runs(Plan plan, Graph graph, double tolerance) {
        Accelerator.KernelCode kernels = plan.accelerator().orElseThrow().kernels().orElseThrow();
        Map<String, Tensor> inputs = SimulatedNetworksTest.inputs(graph);
        Map<String, float[]> given = new LinkedHashMap<>();
        inputs.forEach((name, tensor) -> given.put(name, tensor.floats()));
        double[] expected = Interpreter.run(graph, inputs).values().iterator().next().values();
        SimulatedDevice.begin("");
        try (Gpu gpu = Gpu.open(0);
                CudaExecutable executable = CudaExecutable.prepare(plan, gpu);
                CudaSession session = executable.open(SessionOptions.threads(1).withPoison())) {
            assertEquals("plan, " + kernels.compiler() + ", " + kernels.architecture(), executable.kernelOrigin());
            session.run(given);
            double error = SimulatedNetworksTest.relativeL2(session.run(given).values().iterator().next(), expected);
            assertTrue(error <= tolerance, "relative error " + error);
        }
        SimulatedDevice.assertClean();
    }

    @Test
    void aDeviceThatNvrtcDoesNotKnowGetsPtx() throws Exception {
        DeviceDescription h100 = DeviceDescription.of("h100");
        Map<String, Object> properties = new LinkedHashMap<>(h100.properties());
        properties.put("deviceVer", 990);
        Path device = Files.writeString(folder.resolve("future.json"), new DeviceDescription("future", properties, h100.sources()).json());
        Path file = folder.resolve("densenet.plan");
        CommandLineProcess.Ended compiled = withoutBinaries(Optional.of(nvrtc()))
                .run("compile", model(), "--target", "cuda:" + device, "--variant", "unpruned", "-o", file);
        assertEquals(0, compiled.exitCode(), compiled.err());

        Plan plan = PlanFile.read(file);
        assertEquals("compute_90", plan.accelerator().orElseThrow().kernels().orElseThrow().architecture());
        runs(plan, Upscale.read(folder.resolve("densenet.onnx")), 2e-5);
    }

    @Test
    void anNvrtcThatFailsIsToldInItsWords() throws Exception {
        Path nvrtc = nvrtc();
        CommandLineProcess process = withoutBinaries(Optional.of(nvrtc));
        try (DirectoryStream<Path> builtins = Files.newDirectoryStream(folder.resolve("libraries"), "libnvrtc-builtins*")) {
            for (Path file : builtins) {
                Files.delete(file);
            }
        }
        CommandLineProcess.Ended ended = process.run("compile", model(), "--target", "cuda:l4", "--variant", "unpruned", "-o", folder.resolve("plan"));
        assumeTrue(ended.exitCode() != 0, "this NVRTC finds its builtins by itself");
        assertEquals(2, ended.exitCode(), ended.err());
        assertTrue(ended.err().contains("nvrtcCompileProgram") && ended.err().contains("failed to open libnvrtc-builtins")
                && ended.err().contains("name the folder of another NVRTC with --cuda"), ended.err());
    }

    @Test
    void theyAreCompiledForThePlansDevice() throws Exception {
        Path file = folder.resolve("densenet.plan");
        CommandLineProcess process = withoutBinaries(Optional.of(nvrtc()));
        CommandLineProcess.Ended compiled = process.run("compile", model(), "--target", "cuda:rtx4090", "--variant", "unpruned", "-o", file);
        assertEquals(0, compiled.exitCode(), compiled.err());

        assertEquals("sm_89", PlanFile.read(file).accelerator().orElseThrow().kernels().orElseThrow().architecture());
        String explained = process.run("explain", file).out();
        assertTrue(explained.contains("kernels compiled by NVRTC 13.") && explained.contains("for sm_89"), explained);
    }

    @Test
    void withoutNvrtcCompilingIsRefusedWithTheCure() throws Exception {
        Path file = folder.resolve("densenet.plan");
        CommandLineProcess.Ended refused = withoutBinaries(Optional.empty())
                .run("compile", model(), "--target", "cuda:l4", "--variant", "unpruned", "-o", file);
        assertEquals(2, refused.exitCode(), refused.err());
        String complaint = refused.err().lines().filter(line -> !line.endsWith("...")).reduce("", (one, other) -> one + other + "\n");
        assertEquals(1, complaint.lines().count(), complaint);
        for (String part : List.of("cuda:l4", "compute capability 8.9", "NVRTC", "is missing", "build where nvcc is", "upscale.natives.off")) {
            assertTrue(complaint.contains(part), complaint + "lacks " + part);
        }
        assertFalse(Files.exists(file));
    }

    @Test
    void doctorSaysWhoCompilesThem() throws Exception {
        String out = withoutBinaries(Optional.of(nvrtc())).run("doctor").out();
        assertTrue(out.contains("plans for a GPU can be compiled here\n") && out.contains("our kernels: no binaries in this build; NVRTC compiles them into plans"), out);
    }

    @Test
    void cubinsRunOnTheirGenerationAndPtxOnAllLaterDevices() {
        assertTrue(PlanKernels.runsOn("sm_80", 89) && PlanKernels.runsOn("sm_120", 121) && PlanKernels.runsOn("compute_89", 120));
        assertFalse(PlanKernels.runsOn("sm_89", 86) || PlanKernels.runsOn("sm_89", 90) || PlanKernels.runsOn("compute_90", 89)
                || PlanKernels.runsOn("sm_9x", 90) || PlanKernels.runsOn("", 90));
    }

    @Test
    void whatNvrtcDoesNotKnowIsCompiledToThePtxBeforeIt() {
        int[] known = {75, 80, 90};
        assertEquals("sm_90", KernelCompiler.architecture(known, 90));
        assertEquals("compute_80", KernelCompiler.architecture(known, 89));
        assertEquals("compute_90", KernelCompiler.architecture(known, 130));
        assertThrows(NativeError.class, () -> KernelCompiler.architecture(known, 70));
    }

    @Test
    void namesOfKernelsHaveTwoTypes() {
        assertThrows(IllegalArgumentException.class, () -> KernelCompiler.compile(new TreeSet<>(List.of("up_map")), 90));
    }
}
