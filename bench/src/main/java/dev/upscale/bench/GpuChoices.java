package dev.upscale.bench;

import dev.upscale.Upscale;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.Compiler;
import dev.upscale.compile.KernelCatalog;
import dev.upscale.compile.Precision;
import dev.upscale.compile.Segments;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.plan.Accelerator;
import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanSummary;
import dev.upscale.plan.Step;
import dev.upscale.runtime.cuda.CudaCatalog;
import dev.upscale.runtime.cuda.DeviceDescription;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What {@code bench/gpu.sh --choices} calls: compiles variant {@code upscale} of pruned networks for GPUs that need not be here, with the engines and
 * the places of segments that one may choose, and keeps what came of it in {@code docs/results/gpu-choices.json}. Nothing is timed.
 */
public final class GpuChoices {
    private static final JsonMapper JSON = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    /** What is compared, in the order of the table. */
    static final List<String> CHOICES = List.of("default", "cudnn,cublaslt", "cublaslt,cudnn", "apart", "weighed");

    private static final String UNPRUNED = "unpruned";

    private GpuChoices() {}

    /**
     * One plan.
     *
     * @param pattern the mask, or {@code unpruned}
     * @param choice engines, or where segments lie
     * @param compiled convolutions and linear layers on engines that cuDNN compiles for them
     * @param products convolutions and linear layers that go to cuBLASLt
     * @param copyBytes that steps write which only move data, and what lies in workspaces that hold a tensor
     * @param sumBytes that partial sums write
     */
    record Row(String network, String pattern, String device, String precision, String choice, int convolutions, int compiled, int products, long copyBytes,
            long sumBytes, int steps) {
        String key() {
            return String.join(" ", network, pattern, device, precision, choice);
        }
    }

    /** Options: models=DIR out=FILE.json networks=A,B patterns=A,B devices=h100,a100 precisions=f16 choices=default:… seconds=S again=yes */
    public static void main(String[] arguments) throws IOException {
        Map<String, String> options = new TreeMap<>(Map.of("devices", "h100,a100", "precisions", "f16", "patterns", "", "seconds", "1000000", "networks", "",
                "choices", String.join(":", CHOICES)));
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            options.put(argument.substring(0, equals), argument.substring(equals + 1));
        }
        long end = System.nanoTime() + Long.parseLong(options.get("seconds")) * 1_000_000_000L;
        Path out = Path.of(options.get("out"));
        Map<String, Row> rows = read(out);
        for (Path model : GpuPlans.models(Path.of(options.get("models")), options.get("networks"))) {
            String network = model.getFileName().toString().replace(".onnx.gz", "");
            Graph graph = null;
            List<String> patterns = new ArrayList<>(GpuPlans.patterns(model, network, options.get("patterns")));
            if (options.get("patterns").isEmpty() || List.of(options.get("patterns").split(",")).contains(UNPRUNED)) {
                patterns.add(UNPRUNED);
            }
            for (String pattern : patterns) {
                Graph masked = null;
                for (String device : options.get("devices").split(",")) {
                    for (String precision : options.get("precisions").split(",")) {
                        for (String choice : options.get("choices").split(":")) {
                            boolean isThere = rows.containsKey(String.join(" ", network, pattern, device, precision, choice));
                            if (isThere && !options.containsKey("again") || System.nanoTime() > end) {
                                continue;
                            }
                            graph = graph == null ? Upscale.read(model) : graph;
                            masked = masked != null ? masked : pattern.equals(UNPRUNED) ? graph : GpuPlans.masked(graph, model, network, pattern);
                            Row row = build(masked, network, pattern, device, precision, choice);
                            System.err.println("gpu: " + row);
                            rows.put(row.key(), row);
                            Files.writeString(out, JSON.writeValueAsString(rows.values()) + "\n");
                        }
                    }
                }
            }
        }
    }

    /** The rows of a file, by {@link Row#key}; none where there is no such file. */
    static Map<String, Row> read(Path file) throws IOException {
        Map<String, Row> rows = new LinkedHashMap<>();
        if (Files.exists(file)) {
            for (Row row : JSON.readValue(Files.readString(file), Row[].class)) {
                rows.put(row.key(), row);
            }
        }
        return rows;
    }

    private static CompileOptions chosen(CompileOptions options, String choice) {
        return switch (choice) {
            case "default" -> options;
            case "apart" -> options.withSegments(Segments.APART);
            case "weighed" -> options.withSegments(Segments.WEIGHED);
            default -> options.withEngines(List.of(choice.split(",")));
        };
    }

    private static Row build(Graph masked, String network, String pattern, String device, String precision, String choice) {
        DeviceDescription description = DeviceDescription.of(device);
        Precision chosen = Precision.valueOf(precision.toUpperCase(Locale.ROOT));
        try (CudaCatalog catalog = CudaCatalog.of(description, chosen, Variant.UPSCALE)) {
            Noting noting = new Noting(catalog);
            Plan plan = Compiler.compile(masked, chosen(CudaCatalog.options(Variant.UPSCALE, description, chosen), choice), noting);
            PlanSummary summary = PlanSummary.of(plan);
            List<Step.Convolve> convolutions = plan.steps().stream().filter(Step.Convolve.class::isInstance).map(Step.Convolve.class::cast).toList();
            return new Row(network, pattern, device, precision, choice, convolutions.size(), (int) convolutions.stream().filter(noting::isCompiled).count(),
                    (int) convolutions.stream().filter(step -> step.kernel().startsWith("cublaslt.")).count(),
                    summary.copyBytes() + summary.hiddenCopyBytes(), summary.foldedBytes(), plan.steps().size());
        } catch (InvalidInput e) {
            throw new IllegalStateException(String.join(" ", network, pattern, device, precision, choice) + ": " + e.getMessage(), e);
        }
    }

    /** A catalog that remembers which of the plans it offered have engines that are compiled for a step. */
    private record Noting(KernelCatalog catalog, Map<String, Boolean> compiled) implements KernelCatalog {
        Noting(KernelCatalog catalog) {
            this(catalog, new HashMap<>());
        }

        boolean isCompiled(Step.Convolve step) {
            return step.libraryPlan().map(compiled::get).orElse(false);
        }

        @Override
        public Set<String> engines() {
            return catalog.engines();
        }

        @Override
        public Answer offer(String kernel, Step step) {
            Answer answer = catalog.offer(kernel, step);
            if (answer instanceof Offer offer) {
                offer.libraryPlan().ifPresent(plan -> compiled.put(plan.name(), offer.isCompiledForStep()));
            }
            return answer;
        }

        @Override
        public Plan complete(Plan plan, List<Accelerator.LibraryPlan> named) {
            return catalog.complete(plan, named);
        }
    }
}
