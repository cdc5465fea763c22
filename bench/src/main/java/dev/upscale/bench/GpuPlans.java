package dev.upscale.bench;

import dev.upscale.Upscale;
import dev.upscale.channels.Masking;
import dev.upscale.channels.Pattern;
import dev.upscale.channels.PatternFile;
import dev.upscale.compile.Compiler;
import dev.upscale.compile.Precision;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanSummary;
import dev.upscale.plan.Step;
import dev.upscale.plan.StepDependencies;
import dev.upscale.runtime.cuda.CudaCatalog;
import dev.upscale.runtime.cuda.DeviceDescription;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What {@code bench/gpu.sh} calls: has the real cuDNN build every convolution of pruned networks for GPUs that need not be here, for the
 * variants of the comparison, and keeps what came of it in {@code docs/results/gpu-plans.json}. Rows that were made before are replaced.
 */
public final class GpuPlans {
    private static final JsonMapper JSON = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    private GpuPlans() {}

    /**
     * One plan.
     *
     * @param convolutions convolutions and linear layers
     * @param byCuDnn of these, carried out by a plan that cuDNN built
     * @param compiled of these, by an engine that cuDNN compiled for them
     * @param failure why there is no plan, or ""
     * @param copies steps that only move data, and the bytes that they write
     * @param hiddenBytes workspaces that hold a tensor
     * @param steps of the plan, and the edges that their memory asks for between them
     * @param rounds steps on the longest way along the edges
     * @param chains of steps one after the other, each with a handle of cuDNN
     * @param compileCpuMs time of processors to compile it, the model read, and no plan of cuDNN's kept from before
     */
    record Row(String network, String pattern, String device, String precision, String variant, int convolutions, int byCuDnn, int compiled,
            String failure, int copies, long copyBytes, long hiddenBytes, int steps, int edges, int rounds, int chains, long compileCpuMs) {
        private String progress() {
            return failure.isEmpty() ? key() + ": " + byCuDnn + " of " + convolutions + " built, copies " + copyBytes + " B, hidden " + hiddenBytes + " B, "
                    + compileCpuMs + " ms" : key() + ": " + failure;
        }

        static Row failed(String network, String pattern, String device, String precision, String variant, String failure, long compileCpuMs) {
            return new Row(network, pattern, device, precision, variant, 0, 0, 0, failure, 0, 0, 0, 0, 0, 0, 0, compileCpuMs);
        }

        String key() {
            return String.join(" ", network, pattern, device, precision, variant);
        }
    }

    /** Options: models=DIR out=FILE.json networks=A,B patterns=A,B (default: all) devices=h100,a100 precisions=f16,f32 variants=… seconds=S again=yes */
    public static void main(String[] arguments) throws IOException {
        Map<String, String> options = new TreeMap<>(Map.of("devices", "h100,a100", "precisions", "f16,f32", "variants", "baseline,paper,upscale",
                "patterns", "", "seconds", "1000000", "networks", ""));
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            options.put(argument.substring(0, equals), argument.substring(equals + 1));
        }
        long end = System.nanoTime() + Long.parseLong(options.get("seconds")) * 1_000_000_000L;
        Path out = Path.of(options.get("out"));
        Map<String, Row> rows = read(out);
        for (Path model : models(Path.of(options.get("models")), options.get("networks"))) {
            String network = model.getFileName().toString().replace(".onnx.gz", "").replace(".onnx", "");
            Graph graph = null;
            for (String pattern : patterns(model, network, options.get("patterns"))) {
                Graph masked = null;
                for (String device : options.get("devices").split(",")) {
                    for (String precision : options.get("precisions").split(",")) {
                        for (String variant : options.get("variants").split(",")) {
                            boolean isThere = rows.containsKey(String.join(" ", network, pattern, device, precision, variant));
                            if (isThere && !options.containsKey("again") || System.nanoTime() > end) {
                                continue;
                            }
                            graph = graph == null ? Upscale.read(model) : graph;
                            masked = masked == null ? masked(graph, model, network, pattern) : masked;
                            Row row = build(masked, network, pattern, device, precision, variant);
                            System.err.println("gpu: " + row.progress());
                            rows.put(row.key(), row);
                            Files.writeString(out, JSON.writeValueAsString(rows.values()) + "\n");
                        }
                    }
                }
            }
        }
        System.exit(rows.values().stream().allMatch(row -> row.failure().isEmpty()) ? 0 : 1);
    }

    private static Path masks(Path model, String network) {
        return model.resolveSibling(network + ".masks.json");
    }

    /** The masks that are given for a network, of those that were asked for. */
    static List<String> patterns(Path model, String network, String asked) throws IOException {
        return JSON.readTree(Files.readString(masks(model, network))).valueStream().map(mask -> mask.required("mask").stringValue())
                .filter(mask -> asked.isEmpty() || List.of(asked.split(",")).contains(mask)).toList();
    }

    static Graph masked(Graph graph, Path model, String network, String pattern) {
        Pattern read = PatternFile.read(masks(model, network) + "#" + pattern);
        return Masking.apply(graph, read);
    }

    static List<Path> models(Path folder, String networks) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".onnx.gz"))
                    .filter(file -> networks.isEmpty() || List.of(networks.split(",")).contains(file.getFileName().toString().replace(".onnx.gz", "")))
                    .sorted(Comparator.comparing(Path::toString)).toList();
        }
    }

    /** The rows of a file, by {@link Row#key}; none where there is no such file. */
    static Map<String, Row> read(Path file) throws IOException {
        Map<String, Row> rows = new TreeMap<>();
        if (Files.exists(file)) {
            for (Row row : JSON.readValue(Files.readString(file), Row[].class)) {
                rows.put(row.key(), row);
            }
        }
        return rows;
    }

    /** Compiles a variant with an empty cache of its own, so that each row says what a first compilation costs. */
    private static Row build(Graph masked, String network, String pattern, String device, String precision, String variant) throws IOException {
        Path cache = Files.createTempDirectory("upscale-plans");
        try {
            return build(masked, network, pattern, device, precision, variant, cache);
        } finally {
            try (Stream<Path> files = Files.walk(cache)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    private static Row build(Graph masked, String network, String pattern, String device, String precision, String variant, Path cache) {
        long begun = cpuMs();
        DeviceDescription description = DeviceDescription.of(device);
        Precision chosen = Precision.valueOf(precision.toUpperCase(Locale.ROOT));
        Variant chosenVariant = Variant.valueOf(variant.toUpperCase(Locale.ROOT));
        try (CudaCatalog catalog = CudaCatalog.of(description, chosen, chosenVariant, cache)) {
            Plan plan = Compiler.compile(masked, CudaCatalog.options(chosenVariant, description, chosen), catalog);
            long compiledIn = cpuMs() - begun;
            PlanSummary summary = PlanSummary.of(plan);
            List<Step.Convolve> convolutions = plan.steps().stream().filter(Step.Convolve.class::isInstance).map(Step.Convolve.class::cast).toList();
            int compiled = (int) convolutions.stream().filter(step -> step.kernel().equals("cudnn.fused")).count();
            StepDependencies order = StepDependencies.of(plan.steps());
            return new Row(network, pattern, device, precision, variant, convolutions.size(),
                    (int) convolutions.stream().filter(step -> step.libraryPlan().isPresent()).count(), compiled, "", summary.copies(),
                    summary.copyBytes(), summary.hiddenCopyBytes(), plan.steps().size(), order.edges(), order.levels(),
                    1 + Arrays.stream(order.lanes()).max().orElse(-1), compiledIn);
        } catch (InvalidInput | IllegalStateException e) {
            return Row.failed(network, pattern, device, precision, variant, String.valueOf(e.getMessage()), cpuMs() - begun);
        }
    }

    private static long cpuMs() {
        return ProcessHandle.current().info().totalCpuDuration().orElseThrow().toMillis();
    }
}
