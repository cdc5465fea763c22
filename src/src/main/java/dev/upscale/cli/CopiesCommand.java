package dev.upscale.cli;

import dev.upscale.Upscale;
import dev.upscale.channels.Pattern;
import dev.upscale.channels.PatternFile;
import dev.upscale.channels.Masking;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

@Command(
        name = "copies",
        description = {
            "What is copied in one inference: networks by patterns, variant upscale against paper. Nothing is run.",
            "Patterns are those of a list beside the model, NAME.masks.json for NAME.onnx.gz, or of --patterns."
        })
final class CopiesCommand extends Console {
    @Parameters(paramLabel = "MODEL", arity = "1..*", description = "networks: ONNX files, gzipped or not")
    private List<Path> models;

    @Option(names = "--patterns", paramLabel = "FILE", description = "a JSON file with one pattern or a list of them, for one model")
    private Path patterns;

    @Option(names = "--batch", paramLabel = "N", description = "the batch size, where the models leave it open or allow another (default: the models', or 1)")
    private Integer batch;

    @Option(names = "--variants", paramLabel = "V,V", split = ",", description = "unpruned, constrained, baseline, paper, upscale"
            + " (default: paper,upscale)")
    private List<String> variants = List.of("paper", "upscale");

    @Mixin
    private EngineArguments engines;

    /** The result: by network, pattern and variant. */
    record Report(List<String> engines, Map<String, Map<String, Map<String, Map<String, Object>>>> networks) {}

    @Override
    public Integer call() {
        if (patterns != null && models.size() > 1) {
            throw new InvalidInput("--patterns " + patterns + " is for one model, and " + models.size() + " are given");
        }
        List<Variant> chosen = variants.stream().map(EngineArguments::variant).toList();
        Map<String, Map<String, Map<String, Map<String, Object>>>> networks = new LinkedHashMap<>();
        for (Path model : models) {
            networks.put(stem(model), network(model, chosen));
        }
        print(new Report(engines.engines(), networks), describe(networks));
        return 0;
    }

    private Map<String, Map<String, Map<String, Object>>> network(Path model, List<Variant> chosen) {
        Graph graph = ModelFile.read(model, batch);
        Map<String, Map<String, Map<String, Object>>> byPattern = new LinkedHashMap<>();
        patterns(model).forEach((name, pattern) -> {
            progress("%s, %s ...", stem(model), name);
            Masking.requireFit(graph, pattern);
            Map<String, Map<String, Object>> byVariant = new LinkedHashMap<>();
            for (Variant variant : chosen) {
                byVariant.put(variant.label(),
                        PlanFields.of(Upscale.compile(Networks.of(variant, graph, pattern), engines.options(variant))));
            }
            byPattern.put(name, byVariant);
        });
        return byPattern;
    }

    private Map<String, Pattern> patterns(Path model) {
        Path file = patterns != null ? patterns : model.resolveSibling(stem(model) + ".masks.json");
        if (patterns == null && !Files.exists(file)) {
            throw new InvalidInput(model + " has no patterns beside it, in " + file + "; name a file with --patterns");
        }
        JsonNode root = Json.read(file);
        Map<String, Pattern> read = new LinkedHashMap<>();
        for (JsonNode entry : root.isArray() ? root : List.of(root)) {
            try {
                read.put(entry.path("mask").asString("pattern " + (read.size() + 1)), PatternFile.parse(entry));
            } catch (InvalidInput e) {
                throw e.in(file.toString());
            }
        }
        return read;
    }

    private static String stem(Path model) {
        return model.getFileName().toString().replaceFirst("\\.onnx(\\.gz)?$", "");
    }

    private String describe(Map<String, Map<String, Map<String, Map<String, Object>>>> networks) {
        List<String> heads = new ArrayList<>(List.of("network, pattern"));
        variants.forEach(variant -> heads.addAll(List.of(variant, "copied", "beside")));
        heads.add(variants.size() == 2 ? variants.getLast() + " of " + variants.getFirst() : "");
        Table table = new Table(heads.toArray(String[]::new));
        networks.forEach((network, byPattern) -> byPattern.forEach((pattern, byVariant) -> {
            List<Object> cells = new ArrayList<>(List.of(network + ", " + pattern));
            byVariant.values().forEach(fields -> cells.addAll(List.of(fields.get("copies"), Table.bytes((long) fields.get("copyBytes")),
                    Table.bytes((long) fields.get("foldedBytes")))));
            cells.add(variants.size() == 2 ? share(byVariant) : "");
            table.row(cells.toArray());
        }));
        return table + "Bytes of one inference: of copies, and beside them what kernels write beyond their own output in a copy's stead.\n";
    }

    private String share(Map<String, Map<String, Object>> byVariant) {
        long first = (long) byVariant.get(variants.getFirst()).get("copyBytes");
        long last = (long) byVariant.get(variants.getLast()).get("copyBytes");
        return first == 0 ? last == 0 ? "" : "∞" : String.format(Locale.ROOT, "%.3f", (double) last / first);
    }
}
