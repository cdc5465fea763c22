package dev.upscale.cli;

import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.Precision;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.runtime.cuda.DeviceDescription;
import dev.upscale.runtime.cuda.Gpu;
import dev.upscale.runtime.cuda.InstalledDevice;
import dev.upscale.runtime.cublaslt.CuBlasLt;
import dev.upscale.runtime.cudnn.CuDnn;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "gpu-check",
        description = "On a machine with a GPU: compiles every variant for it, compares each with the masked model in the reference engine,"
                + " times replays of its CUDA graph and its steps by the device's events, and writes one JSON report. Exit code 1 where a"
                + " variant fails or differs.")
final class GpuCheckCommand extends Console {
    @Mixin
    private ModelArguments model;

    @Option(names = "--variants", paramLabel = "V,V", split = ",", description = "unpruned, constrained, baseline, paper, upscale (default: all)")
    private List<String> variants = Arrays.stream(Variant.values()).map(Variant::label).toList();

    @Option(names = "--precision", paramLabel = "P,P", split = ",", defaultValue = "f32,f16", description = "of f32, tf32, f16, bf16 (default: f32,f16)")
    private List<String> precisions;

    @Option(names = "--engines", paramLabel = "E,E", split = ",", description = "of cudnn, cublaslt (1x1 convolutions, linear layers and matrix products),"
            + " products (cuBLASLt for products of two activations alone), cuda; default: cudnn,products")
    private List<String> engines = CompileOptions.GPU_ENGINES;

    @Option(names = "--replays", paramLabel = "N", defaultValue = "200", description = "how often each graph is replayed and timed (default: 200)")
    private int replays;

    @Option(names = {"-o", "--output"}, paramLabel = "REPORT", description = "where to write the report (JSON)")
    private Path output;

    @Override
    public Integer call() {
        if (replays < 1) {
            throw new InvalidInput("--replays " + replays + " is not a positive number");
        }
        EngineArguments.knownOfGpu(engines);
        List<Variant> chosen = variants.stream().map(EngineArguments::variant).toList();
        List<Precision> wanted = precisions.stream().map(GpuCheckCommand::precision).toList();
        Optional<String> obstacle = Gpu.obstacle();
        if (obstacle.isPresent()) {
            throw new InvalidInput("gpu-check: " + obstacle.get());
        }
        if (!CuDnn.obstacle().isEmpty()) {
            throw new InvalidInput("gpu-check: " + CuDnn.obstacle());
        }
        Graph graph = model.read();
        Networks networks = new Networks(graph, model.pattern(graph), model.inputs(graph));
        try (Gpu gpu = Gpu.open(0)) {
            Map<String, Object> report = report(gpu, networks, chosen, wanted);
            if (output != null) {
                OutputFile.write(output, file -> Files.writeString(file, Json.write(report) + "\n"));
            }
            print(report, describe(report));
            return Boolean.TRUE.equals(report.get("passed")) ? 0 : Main.FAILED;
        }
    }

    private static Precision precision(String name) {
        return Stream.of(Precision.values()).filter(known -> known.label().equals(name)).findFirst()
                .orElseThrow(() -> new InvalidInput("--precision " + name + " is not one of f32, tf32, f16, bf16"));
    }

    private Map<String, Object> report(Gpu gpu, Networks networks, List<Variant> chosen, List<Precision> wanted) {
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("simulated", gpu.isSimulated());
        if (gpu.isSimulated()) {
            report.put("warning", "SIMULATED DEVICE: nothing here ran on a GPU, and nothing was timed");
        }
        report.put("version", BuildVersion.read());
        DeviceDescription description = InstalledDevice.describe();
        report.put("device", Map.of("name", gpu.name(), "capability", gpu.capability() / 10.0, "properties", description.properties()));
        report.put("driver", Gpu.driverVersion());
        report.put("cudnn", CuDnn.version());
        report.put("cublaslt", CuBlasLt.version());
        report.put("engines", engines);
        report.put("system", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        report.put("java", Runtime.version().toString());
        report.put("model", model.name());
        report.put("replays", gpu.isSimulated() ? 0 : replays);
        boolean passed = true;
        Map<String, Object> byPrecision = new LinkedHashMap<>();
        for (Precision precision : wanted) {
            Map<String, Object> byVariant = new LinkedHashMap<>();
            for (Variant variant : chosen) {
                progress("gpu-check %s %s ...", precision.label(), variant.label());
                GpuCheck check = new GpuCheck(gpu, description, networks, precision, engines, replays);
                Map<String, Object> fields = check.run(variant);
                passed &= Boolean.TRUE.equals(fields.get("passed"));
                byVariant.put(variant.label(), fields);
            }
            byPrecision.put(precision.label(), Map.of("tolerance", GpuCheck.tolerance(precision), "variants", byVariant));
        }
        report.put("precisions", byPrecision);
        report.put("passed", passed);
        return report;
    }

    private static String describe(Map<String, Object> report) {
        StringBuilder text = new StringBuilder();
        if (report.containsKey("warning")) {
            text.append(report.get("warning")).append('\n');
        }
        Table table = new Table("precision", "variant", "relative (L2)", "copies", "hidden", "graph replay", "");
        ((Map<?, ?>) report.get("precisions")).forEach((precision, of) -> ((Map<?, ?>) ((Map<?, ?>) of).get("variants")).forEach((variant, given) -> {
            Map<?, ?> fields = (Map<?, ?>) given;
            if (fields.containsKey("error")) {
                table.row(precision.toString(), variant.toString(), "", "", "", "", "FAILED: " + fields.get("error"));
                return;
            }
            table.row(precision.toString(), variant.toString(), String.format(Locale.ROOT, "%.3g", fields.get("relL2")), fields.get("copies").toString(),
                    Table.bytes((long) fields.get("hiddenCopyBytes")),
                    fields.containsKey("medianNs") ? String.format(Locale.ROOT, "%.1f us", (long) fields.get("medianNs") / 1e3) : "not timed",
                    Boolean.TRUE.equals(fields.get("passed")) ? "" : "ABOVE the tolerance");
        }));
        return text.append(table).toString();
    }
}
