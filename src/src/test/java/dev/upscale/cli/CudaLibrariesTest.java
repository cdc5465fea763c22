package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.upscale.runtime.cuda.SimulatedDevice;
import dev.upscale.runtime.natives.CudaFiles;
import dev.upscale.runtime.natives.NativeLibrary;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Where {@code doctor} finds CUDA's libraries, in processes whose environment holds nothing else. The simulated device stands in for the
 * libraries: it offers the functions of all of them.
 */
@Tag(SimulatedDevice.TAG)
class CudaLibrariesTest {
    private static final String DRIVER = "libcuda.so.1";
    private static final List<String> LIBRARIES = List.of("libcublasLt.so.13", "libnvrtc.so.13", "libcudnn.so.9");
    private static final List<String> NAMES = List.of("cuBLASLt", "NVRTC", "cuDNN");
    private static final List<String> PLACES = List.of("folder ", "archive org.bytedeco:cuda-redist", "Python packages nvidia/*", "CUDA toolkit",
            "system's library path");

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

    private static Path simulated() {
        return Path.of(System.getProperty("upscale.cuda")).toAbsolutePath().resolve("libcudasim.so");
    }

    /** A user without anything of CUDA. */
    private CommandLineProcess bare() throws IOException {
        CommandLineProcess process = new CommandLineProcess(Files.createDirectories(folder.resolve("run")))
                .property("user.home", Files.createDirectories(folder.resolve("home")));
        for (String variable : List.of("UPSCALE_CUDA", "VIRTUAL_ENV", "CONDA_PREFIX", "CUDA_HOME", "CUDA_PATH", "LD_LIBRARY_PATH")) {
            process.variable(variable, null);
        }
        return process.variable("XDG_CACHE_HOME", folder.resolve("cache"));
    }

    /** Links to the simulated device under the libraries' names. */
    private static Path libraries(Path in, List<String> names) throws IOException {
        Files.createDirectories(in);
        for (String name : names) {
            Files.createSymbolicLink(in.resolve(name), simulated());
        }
        return in;
    }

    private Path environment(String name) throws IOException {
        Path home = folder.resolve(name);
        libraries(home.resolve("lib/python3.13/site-packages/nvidia/cudnn/lib"), List.of("libcudnn.so.9"));
        libraries(home.resolve("lib/python3.13/site-packages/nvidia/cu13/lib"), List.of("libcublasLt.so.13", "libnvrtc.so.13"));
        return home;
    }

    /** An archive as Bytedeco's: with a module's name, and files in a folder for the platform. */
    private Path archive(String artifact, List<String> names) throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().putValue("Automatic-Module-Name", "org.bytedeco." + artifact.replace('-', '.') + ".linux.x86_64");
        Path jar = folder.resolve(artifact + ".jar");
        try (OutputStream file = Files.newOutputStream(jar); JarOutputStream out = new JarOutputStream(file, manifest)) {
            out.putNextEntry(new ZipEntry("META-INF/maven/org.bytedeco/" + artifact + "/pom.properties"));
            out.write("version=13.3-9.25-1.5.14\n".getBytes(StandardCharsets.US_ASCII));
            for (String name : names) {
                out.putNextEntry(new ZipEntry("org/bytedeco/cuda/linux-x86_64/" + name));
                Files.copy(simulated(), out);
            }
        }
        return jar;
    }

    private List<Path> archives() throws IOException {
        return List.of(archive("cuda-redist", List.of("libnvrtc.so.13")), archive("cuda-redist-cublas", List.of("libcublasLt.so.13")),
                archive("cuda-redist-cudnn", List.of("libcudnn.so.9")));
    }

    private static JsonNode gpu(CommandLineProcess process, Object... more) throws Exception {
        List<Object> arguments = new ArrayList<>(List.of("doctor", "--json"));
        arguments.addAll(List.of(more));
        CommandLineProcess.Ended ended = process.run(arguments.toArray());
        assertEquals(0, ended.exitCode(), ended.err());
        return JsonMapper.shared().readTree(ended.out()).get("gpu");
    }

    private static Map<String, JsonNode> byName(JsonNode gpu) {
        Map<String, JsonNode> libraries = new LinkedHashMap<>();
        gpu.get("libraries").forEach(library -> libraries.put(library.get("name").stringValue(), library));
        return libraries;
    }

    private static void assertPlace(String place, JsonNode gpu, Path below) {
        for (String name : NAMES) {
            JsonNode library = byName(gpu).get(name);
            assertTrue(library.get("found").booleanValue() && library.get("place").stringValue().startsWith(place), place + ": " + library);
            assertTrue(library.get("file").stringValue().startsWith(below.toString()), below + ": " + library);
            assertTrue(List.of("13.0.0", "13.0", "9.24.99").contains(library.get("version").stringValue()), library.toString());
        }
    }

    private JsonNode assumeNoneInstalled() throws Exception {
        JsonNode gpu = gpu(bare());
        assumeTrue(NAMES.stream().noneMatch(name -> byName(gpu).get(name).get("found").booleanValue()),
                "CUDA's libraries are installed for all users here: what is looked at after them cannot be seen");
        return gpu;
    }

    @Test
    void withoutLibrariesEachIsMissingWithThePlacesAndTheCure() throws Exception {
        JsonNode gpu = assumeNoneInstalled();
        for (String name : NAMES) {
            JsonNode library = byName(gpu).get(name);
            List<String> passedOver = library.get("passedOver").valueStream().map(place -> place.get("place").stringValue()).toList();
            assertEquals(PLACES.size() - 1, passedOver.size(), passedOver.toString());
            for (int i = 0; i < passedOver.size(); i++) {
                assertTrue(passedOver.get(i).startsWith(PLACES.get(i + 1)), passedOver.toString());
            }
            assertTrue(library.get("cure").stringValue().startsWith("pip install nvidia-"), library.toString());
        }
        assertEquals("cuDNN is missing: " + byName(gpu).get("cuDNN").get("cure").stringValue(), gpu.get("obstacle").stringValue());

        String text = bare().run("doctor").out();
        for (String line : List.of("plans for a GPU can not be compiled here: cuDNN is missing: pip install nvidia-cudnn-cu13", "cuDNN        MISSING",
                "passed over: CUDA toolkit: ", "cure: for GPUs: NVRTC: pip install nvidia-cuda-nvrtc, build with the Maven profile cuda, or name a folder",
                "cure: for GPUs: cuBLASLt: pip install nvidia-cublas, or name a folder")) {
            assertTrue(text.contains(line), text + "lacks: " + line);
        }
    }

    /** All places hold the libraries; those before a place are taken away one by one. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4})
    void eachPlaceIsTakenIfThoseBeforeItHoldNothing(int place) throws Exception {
        if (place > 2) {
            assumeNoneInstalled();
        }
        CommandLineProcess process = bare();
        List<Path> below = List.of(folder.resolve("named"), folder.resolve("cache"), folder.resolve("venv"), folder.resolve("toolkit"),
                folder.resolve("system"));
        process.variable("LD_LIBRARY_PATH", libraries(folder.resolve("system"), LIBRARIES));
        if (place <= 3) {
            libraries(folder.resolve("toolkit/lib64"), LIBRARIES);
            process.variable("CUDA_HOME", folder.resolve("toolkit"));
        }
        if (place <= 2) {
            process.variable("VIRTUAL_ENV", environment("venv"));
        }
        if (place <= 1) {
            archives().forEach(process::with);
        }
        if (place == 0) {
            process.variable("UPSCALE_CUDA", libraries(folder.resolve("named"), LIBRARIES));
        }

        JsonNode gpu = gpu(process);

        assertPlace(PLACES.get(place), gpu, below.get(place));
        assertTrue(gpu.get("compiles").booleanValue(), gpu.toString());
    }

    @Test
    void aFolderIsNamedByAnOptionByAPropertyOrByTheEnvironment() throws Exception {
        Path first = libraries(folder.resolve("first"), LIBRARIES);
        Path second = libraries(folder.resolve("second"), LIBRARIES);
        Path third = libraries(folder.resolve("third"), LIBRARIES);

        assertPlace("folder " + third + " (UPSCALE_CUDA)", gpu(bare().variable("UPSCALE_CUDA", third)), third);
        assertPlace("folder " + second + " (-Dupscale.cuda)", gpu(bare().variable("UPSCALE_CUDA", third).property("upscale.cuda", second)), second);
        assertPlace("folder " + first + " (-Dupscale.cuda)", gpu(bare().property("upscale.cuda", second), "--cuda", first), first);
    }

    @Test
    void aNamedFolderMayHoldPythonPackagesOrAToolkit() throws Exception {
        Path packages = environment("venv").resolve("lib/python3.13/site-packages");
        libraries(folder.resolve("toolkit/targets/x86_64-linux/lib"), LIBRARIES);

        assertPlace("folder " + packages, gpu(bare().variable("UPSCALE_CUDA", packages)), packages);
        assertPlace("folder ", gpu(bare().variable("UPSCALE_CUDA", folder.resolve("toolkit"))), folder.resolve("toolkit"));
    }

    @Test
    void pythonPackagesAreTheEnvironmentsTheUsersOrPyenvs() throws Exception {
        Path environment = environment("environment");
        assertPlace("Python packages", gpu(bare().variable("CONDA_PREFIX", environment)), environment);

        Path user = folder.resolve("home/.local");
        Files.createDirectories(user.getParent());
        Files.move(environment, user);
        assertPlace("Python packages", gpu(bare()), user);

        Path pyenv = folder.resolve("home/.pyenv/versions/3.13.1");
        Files.createDirectories(pyenv.getParent());
        Files.move(user, pyenv);
        assertPlace("Python packages", gpu(bare()), pyenv);
    }

    @Test
    void archivesOnTheModulePathServeToo() throws Exception {
        CommandLineProcess process = bare();
        archives().forEach(process::withModule);

        assertPlace("archive org.bytedeco:cuda-redist", gpu(process), folder.resolve("cache/upscale/natives"));
    }

    /** The dynamic linker tells in what order it initialises libraries; each a file of its own here, or it would see one. */
    @Test
    void whatCudnnOpensIsLoadedBeforeIt() throws Exception {
        Path libraries = Files.createDirectories(folder.resolve("libraries"));
        for (String name : Stream.concat(LIBRARIES.stream(), Stream.of(DRIVER)).toList()) {
            Files.copy(simulated(), libraries.resolve(name));
        }
        Path told = folder.resolve("linker");
        gpu(bare().variable("UPSCALE_CUDA", libraries).variable("LD_DEBUG", "files").variable("LD_DEBUG_OUTPUT", told));

        List<String> lines = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(file -> file.getFileName().toString().startsWith("linker.")).toList()) {
                lines.addAll(Files.readAllLines(file));
            }
        }
        assumeTrue(lines.stream().anyMatch(line -> line.contains("calling init: ")), "the dynamic linker tells nothing (LD_DEBUG); it is not glibc's");
        List<String> order = lines.stream().filter(line -> line.contains("calling init: " + libraries + "/"))
                .map(line -> line.substring(line.lastIndexOf('/') + 1)).distinct().toList();
        assertEquals(List.of("libcublasLt.so.13", "libnvrtc.so.13", DRIVER, "libcudnn.so.9"), order);
    }

    /** The real libraries as pip, a toolkit or a distribution lays them out: their versions, and a plan. */
    @ParameterizedTest
    @ValueSource(strings = {"Python packages nvidia/*", "CUDA toolkit", "system's library path"})
    void theRealLibrariesCompileWhereverTheyLie(String place) throws Exception {
        if (!place.startsWith("Python")) {
            assumeNoneInstalled();
        }
        Map<NativeLibrary, Path> real = new LinkedHashMap<>();
        for (NativeLibrary library : List.of(NativeLibrary.CUBLASLT, NativeLibrary.NVRTC, NativeLibrary.CUDNN)) {
            Optional<Path> found = CudaFiles.find(library);
            assumeTrue(found.isPresent(), library.title() + " is missing: no real libraries are laid out as Python packages");
            real.put(library, found.get());
        }
        CommandLineProcess process = bare().variable("VIRTUAL_ENV", folder.resolve("venv")).variable("CUDA_HOME", folder.resolve("toolkit"))
                .variable("LD_LIBRARY_PATH", folder.resolve("system"));
        for (Map.Entry<NativeLibrary, Path> library : real.entrySet()) {
            Path in = folder.resolve(switch (place) {
                case "CUDA toolkit" -> "toolkit/lib64";
                case "system's library path" -> "system";
                default -> "venv/lib/python3.13/site-packages/nvidia/" + library.getKey().name().toLowerCase(Locale.ROOT) + "/lib";
            });
            CudaFiles.link(library.getKey(), library.getValue(), Files.createDirectories(in));
        }

        JsonNode gpu = gpu(process);

        NAMES.forEach(name -> assertEquals(place, byName(gpu).get(name).get("place").stringValue()));
        assertTrue(gpu.get("compiles").booleanValue(), gpu.toString());
        assertTrue(byName(gpu).get("cuDNN").get("version").stringValue().startsWith("9."), gpu.toString());
        assertTrue(byName(gpu).get("NVRTC").get("version").stringValue().startsWith("13."), gpu.toString());
        Path model = Files.write(folder.resolve("densenet.onnx"), Main.class.getResourceAsStream("/dev/upscale/demo/densenet.onnx").readAllBytes());
        CommandLineProcess.Ended compiled = process.run("compile", model, "--variant", "unpruned", "--target", "cuda:h100", "-o", folder.resolve("plan"));
        assertEquals(0, compiled.exitCode(), compiled.err());
    }
}
