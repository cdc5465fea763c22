package dev.upscale.cli;

import dev.upscale.graph.InvalidInput;
import dev.upscale.runtime.cpu.InterpolationError;
import dev.upscale.runtime.cuda.CudaCatalog;
import dev.upscale.runtime.cuda.CudaVersions;
import dev.upscale.runtime.cuda.InstalledDevice;
import dev.upscale.runtime.cuda.PackagedKernels;
import dev.upscale.runtime.natives.LibraryReport;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import dev.upscale.runtime.onednn.OneDnn;
import dev.upscale.runtime.upscale.CpuKernels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "doctor",
        description = "Native libraries found and where, versions, instruction set, GPU, native access; what is missing and how to get it.")
final class DoctorCommand extends Console {

    /** What the machine has. */
    record Report(
            String version, Java java, String system, int cores, Map<String, Object> processor, boolean nativeAccess,
            List<Library> libraries, List<PeerFound> peers, Gpu gpu, List<String> cures) {}

    record Java(String version, String vendor, String home, long maxHeapBytes) {}

    record Library(String name, boolean found, String version, String instructionSet, String file, String place, List<Passed> passedOver,
            String cure) {
        static Library of(LibraryReport report) {
            List<Passed> passedOver = report.passedOver().stream().map(place -> new Passed(place.place(), place.reason())).toList();
            return switch (report) {
                case LibraryReport.Loaded loaded -> new Library(loaded.library().title(), true, version(loaded),
                        instructionSet(loaded.library()), loaded.file().toString(), loaded.place(), passedOver, null);
                case LibraryReport.Missing missing ->
                    new Library(missing.library().title(), false, null, null, null, null, passedOver, missing.cure());
            };
        }

        private static String version(LibraryReport.Loaded loaded) {
            String told = loaded.library().isOfCuda() ? CudaVersions.of(loaded.library()) : "";
            return told.isEmpty() ? loaded.version() : told;
        }

        private static String instructionSet(NativeLibrary library) {
            return switch (library) {
                case ONEDNN -> OneDnn.instructionSet();
                case UPSCALE_CPU -> CpuKernels.load().instructionSet();
                case XNNPACK, CUBLASLT, NVRTC, CUDNN, CUDA_DRIVER, BUILD_DRIVER -> null;
            };
        }
    }

    record Passed(String place, String reason) {}

    record PeerFound(String name, String version) {}

    /**
     * The GPU side.
     *
     * @param found whether there is a GPU
     * @param reason why not, or its name
     * @param compiles whether plans can be compiled for a GPU here, and {@code obstacle} why not
     * @param kernels the binaries of our kernels in this build; if there are none, NVRTC compiles them into plans
     */
    record Gpu(boolean found, String reason, boolean compiles, String obstacle, List<String> kernels, List<Library> libraries) {
        static Gpu examine() {
            List<Library> libraries = NativeLibraries.findAllOfCuda().stream().map(Library::of).toList();
            String obstacle = CudaCatalog.obstacle();
            Optional<String> absent = InstalledDevice.obstacle();
            String reason = absent.orElseGet(() -> InstalledDevice.describe().properties().get("deviceName").toString());
            return new Gpu(absent.isEmpty(), reason, obstacle.isEmpty(), obstacle, PackagedKernels.binaries(), libraries);
        }
    }

    @Option(names = "--describe-device", description = "print a description of this machine's GPU, a JSON file for --target cuda:FILE.json")
    private boolean describeDevice;

    @Option(names = "--costs", description = "print how far interpolated costs of convolutions are from those measured on this machine, each in turn left out")
    private boolean costs;

    @Option(names = "--cuda", paramLabel = "DIR", description = "where to look first for CUDA's libraries: a folder of them, of Python packages, or a toolkit's"
            + " (else UPSCALE_CUDA)")
    private Path cuda;

    @Override
    public Integer call() {
        if (cuda != null) {
            System.setProperty("upscale.cuda", cuda.toString());
        }
        if (describeDevice) {
            InstalledDevice.obstacle().ifPresent(obstacle -> {
                throw new InvalidInput("--describe-device: there is no GPU to describe: " + obstacle);
            });
            out().print(InstalledDevice.describe().json());
            out().flush();
            return 0;
        }
        if (costs) {
            List<InterpolationError> errors = InterpolationError.ofUserTable();
            print(Map.of("interpolation", errors), describe(errors));
            return 0;
        }
        Report report = examine();
        print(report, describe(report));
        return 0;
    }

    private static Report examine() {
        List<Library> libraries = NativeLibraries.findAll().stream().map(Library::of).toList();
        List<String> cures = new ArrayList<>();
        boolean nativeAccess = NativeLibraries.isNativeAccessEnabled();
        if (!nativeAccess) {
            cures.add("start Java with --enable-native-access=dev.upscale,dev.upscale.bindings (the launcher does)");
        }
        libraries.stream().filter(library -> !library.found).forEach(library -> cures.add(library.name + ": " + library.cure));
        Gpu gpu = Gpu.examine();
        gpu.libraries.stream().filter(library -> !library.found && !"do nothing".equals(library.cure))
                .forEach(library -> cures.add("for GPUs: " + library.name + ": " + library.cure));
        if (libraries.stream().noneMatch(Library::found)) {
            cures.add("until then everything runs in pure Java, correctly but slowly");
        }
        Java java = new Java(Runtime.version().toString(), System.getProperty("java.vendor"), System.getProperty("java.home"),
                Runtime.getRuntime().maxMemory());
        List<PeerFound> peers = Peers.all().stream().map(peer -> new PeerFound(peer.name(), peer.version())).toList();
        return new Report(BuildVersion.read(), java, System.getProperty("os.name") + " " + System.getProperty("os.arch"),
                Runtime.getRuntime().availableProcessors(), Processor.describe(), nativeAccess, libraries, peers,
                gpu, cures);
    }

    private static String describe(List<InterpolationError> errors) {
        Table table = new Table("kernel, threads, groups", "measured", "interpolated", "error: median", "90 %", "95 %");
        errors.forEach(error -> table.row(error.kind(), error.times(), error.interpolated(), percent(error.median()), percent(error.p90()), percent(error.p95())));
        return table.toString();
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }

    private static String describe(Report report) {
        StringBuilder text = new StringBuilder();
        text.append("upscale    ").append(report.version).append('\n');
        text.append("Java       ").append(report.java.version).append(", ").append(report.java.vendor).append(", ")
                .append(report.java.home).append(", heap up to ").append(Table.bytes(report.java.maxHeapBytes)).append('\n');
        text.append("system     ").append(report.system).append(", ").append(report.cores).append(" cores\n");
        report.processor.forEach((name, value) -> text.append(String.format("%-10s %s%n", name, value)));
        text.append("native     access ").append(report.nativeAccess ? "allowed" : "DENIED").append('\n');
        report.libraries.forEach(library -> describe(library, text));
        text.append("peers      ").append(report.peers.isEmpty() ? "none on the class path" : report.peers.stream()
                .map(peer -> peer.name + " " + peer.version).reduce((one, other) -> one + ", " + other).orElseThrow()).append('\n');
        text.append("GPU        ").append(report.gpu.found ? report.gpu.reason : "none: " + report.gpu.reason).append('\n');
        text.append("           plans for a GPU can").append(report.gpu.compiles ? " be compiled here\n" : " not be compiled here: " + report.gpu.obstacle + "\n");
        text.append("           our kernels: ").append(report.gpu.kernels.isEmpty() ? "no binaries in this build; NVRTC compiles them into plans"
                : String.join(", ", report.gpu.kernels)).append('\n');
        report.gpu.libraries.forEach(library -> describe(library, text));
        report.cures.forEach(cure -> text.append("cure: ").append(cure).append('\n'));
        return text.toString();
    }

    private static void describe(Library library, StringBuilder text) {
        text.append(String.format("%-12s %s%n", library.name,
                library.found ? library.version + (library.instructionSet == null ? "" : " (" + library.instructionSet + ")") + ", " + library.place + ", " + library.file : "MISSING"));
        library.passedOver.forEach(passed -> text.append("             passed over: ").append(passed.place).append(": ")
                .append(passed.reason).append('\n'));
    }
}
