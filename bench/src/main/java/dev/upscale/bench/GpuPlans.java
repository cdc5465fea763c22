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
import dev.upscale.runtime.cuda.CudaCatalog;
import dev.upscale.runtime.cuda.DeviceDescription;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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
     */
    record Row(String network, String pattern, String device, String precision, String variant, int convolutions, int byCuDnn, int compiled,
            String failure, int copies, long copyBytes, long hiddenBytes, long compileMs) {
        String key() {
            return String.join(" ", network, pattern, device, precision, variant);
        }
    }

    /** Options: models=DIR networks=A,B patterns=A,B devices=h100,a100 precisions=f16,f32 variants=… out=FILE.json seconds=S */
    public static void main(String[] arguments) throws IOException {
        Map<String, String> options = new TreeMap<>(Map.of("devices", "h100,a100", "precisions", "f16,f32", "variants", "baseline,paper,upscale",
                "patterns", "l2_0.5", "seconds", "1000000", "networks", ""));
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
            for (String pattern : options.get("patterns").split(",")) {
                Graph masked = null;
                for (String device : options.get("devices").split(",")) {
                    for (String precision : options.get("precisions").split(",")) {
                        for (String variant : options.get("variants").split(",")) {
                            if (rows.containsKey(String.join(" ", network, pattern, device, precision, variant)) || System.nanoTime() > end) {
                                continue;
                            }
                            graph = graph == null ? Upscale.read(model) : graph;
                            masked = masked == null ? masked(graph, model, network, pattern) : masked;
                            Row row = build(masked, network, pattern, device, precision, variant);
                            System.err.println(row);
                            rows.put(row.key(), row);
                            Files.writeString(out, JSON.writeValueAsString(rows.values()) + "\n");
                        }
                    }
                }
            }
        }
        System.out.print(table(rows.values()));
        System.exit(rows.values().stream().allMatch(row -> row.failure().isEmpty()) ? 0 : 1);
    }

    private static Graph masked(Graph graph, Path model, String network, String pattern) {
        Pattern read = PatternFile.read(model.resolveSibling(network + ".masks.json") + "#" + pattern);
        return Masking.apply(graph, read);
    }

    private static List<Path> models(Path folder, String networks) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".onnx.gz"))
                    .filter(file -> networks.isEmpty() || List.of(networks.split(",")).contains(file.getFileName().toString().replace(".onnx.gz", "")))
                    .sorted(Comparator.comparing(Path::toString)).toList();
        }
    }

    private static Map<String, Row> read(Path file) throws IOException {
        Map<String, Row> rows = new TreeMap<>();
        if (Files.exists(file)) {
            for (Row row : JSON.readValue(Files.readString(file), Row[].class)) {
                rows.put(row.key(), row);
            }
        }
        return rows;
    }

    static Row build(Graph masked, String network, String pattern, String device, String precision, String variant) {
        long begun = System.nanoTime();
        DeviceDescription description = DeviceDescription.of(device);
        Precision chosen = Precision.valueOf(precision.toUpperCase(Locale.ROOT));
        Variant chosenVariant = Variant.valueOf(variant.toUpperCase(Locale.ROOT));
        try (CudaCatalog catalog = CudaCatalog.of(description, chosen, chosenVariant)) {
            Plan plan = Compiler.compile(masked, CudaCatalog.options(chosenVariant, description, chosen), catalog);
            PlanSummary summary = PlanSummary.of(plan);
            List<Step.Convolve> convolutions = plan.steps().stream().filter(Step.Convolve.class::isInstance).map(Step.Convolve.class::cast).toList();
            int compiled = (int) convolutions.stream().filter(step -> step.kernel().equals("cudnn.fused")).count();
            return new Row(network, pattern, device, precision, variant, convolutions.size(),
                    (int) convolutions.stream().filter(step -> step.libraryPlan().isPresent()).count(), compiled, "", summary.copies(),
                    summary.copyBytes(), summary.hiddenCopyBytes(), (System.nanoTime() - begun) / 1_000_000);
        } catch (InvalidInput | IllegalStateException e) {
            return new Row(network, pattern, device, precision, variant, 0, 0, 0, String.valueOf(e.getMessage()), 0, 0, 0, (System.nanoTime() - begun) / 1_000_000);
        }
    }

    /** One line per network, pattern, device and precision. */
    static String table(Iterable<Row> rows) {
        Map<String, Map<String, Row>> lines = new TreeMap<>();
        rows.forEach(row -> lines.computeIfAbsent(String.join(" ", row.network, row.pattern, row.device, row.precision), key -> new TreeMap<>())
                .put(row.variant, row));
        StringBuilder text = new StringBuilder("""
                | network | pattern | GPU | precision | convolutions | built by cuDNN | visible copies, MB: baseline | paper | upscale | hidden, MB: baseline | paper | upscale | seconds: baseline | paper | upscale |
                | --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
                """);
        List<String> variants = List.of("baseline", "paper", "upscale");
        for (Map<String, Row> line : lines.values()) {
            Row any = line.values().iterator().next();
            List<String> cells = new ArrayList<>(List.of(any.network, any.pattern, any.device, any.precision,
                    each(line, variants, row -> String.valueOf(row.convolutions)), each(line, variants, row -> String.valueOf(row.byCuDnn))));
            variants.forEach(variant -> cells.add(cell(line.get(variant), row -> megabytes(row.copyBytes))));
            variants.forEach(variant -> cells.add(cell(line.get(variant), row -> megabytes(row.hiddenBytes))));
            variants.forEach(variant -> cells.add(cell(line.get(variant), row -> String.format(Locale.ROOT, "%.1f", row.compileMs / 1e3))));
            text.append("| ").append(String.join(" | ", cells)).append(" |\n");
        }
        return text.toString();
    }

    /** One value where the variants agree, else all of them. */
    private static String each(Map<String, Row> line, List<String> variants, java.util.function.Function<Row, String> value) {
        List<String> values = variants.stream().map(variant -> cell(line.get(variant), value)).toList();
        return values.stream().distinct().count() == 1 ? values.getFirst() : String.join(", ", values);
    }

    private static String cell(Row row, java.util.function.Function<Row, String> value) {
        return row == null ? "–" : row.failure.isEmpty() ? value.apply(row) : "failed";
    }

    private static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%.2f", bytes / 1e6);
    }
}
