package dev.upscale.bench;

import dev.upscale.BoundSession;
import dev.upscale.Upscale;
import dev.upscale.channels.PatternFile;
import dev.upscale.cli.Contest;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.Compiler;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.onnx.ImportOptions;
import dev.upscale.runtime.Executable;
import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.upscale.CpuPool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What {@code bench/siblings.sh} calls: times the {@link Siblings} of a network by themselves, as one convolution each, and with only those
 * merged that no concat takes, in turns on one pool; and the network, of which they are a part. Keeps the times as a document of
 * {@code docs/results}, one row for each network, mask, batch and number of threads.
 */
public final class SiblingTable {
    private static final JsonMapper JSON = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
    private static final int LEAST_ROUNDS = 20;
    private static final String UNPRUNED = "unpruned";
    private static final String SEPARATE = "separate";
    private static final String MERGED = "merged";
    private static final String BESIDE_CONCATS = "besideConcats";
    private static final List<String> GROUPINGS = List.of(SEPARATE, MERGED, BESIDE_CONCATS);

    private final int threads;
    private final Duration budget;

    private SiblingTable(int threads, Duration budget) {
        this.threads = threads;
        this.budget = budget;
    }

    /** Measures one network; exit code 2, with one line, if it cannot, and 1 if a kernel computes wrongly. */
    public static void main(String[] arguments) throws IOException {
        try {
            Map<String, String> options = new TreeMap<>(Map.of("mask", UNPRUNED, "batch", "1", "threads", "1", "seconds", "1"));
            for (String argument : arguments) {
                int equals = argument.indexOf('=');
                options.put(argument.substring(0, equals), argument.substring(equals + 1));
            }
            Path model = Path.of(options.get("model"));
            int batch = Integer.parseInt(options.get("batch"));
            Graph graph = Upscale.read(model, ImportOptions.defaults().withBatch(batch));
            String network = model.getFileName().toString().replaceFirst("\\.onnx(\\.gz)?$", "");
            String mask = options.get("mask");
            Graph masked = mask.equals(UNPRUNED) ? graph
                    : Upscale.prune(graph, PatternFile.read(model.resolveSibling(network + ".masks.json") + "#" + mask));
            SiblingTable table = new SiblingTable(Integer.parseInt(options.get("threads")),
                    Duration.ofMillis((long) (1000 * Double.parseDouble(options.get("seconds")))));
            ObjectNode row = table.measure(masked, JSON.createObjectNode().put("network", network).put("mask", mask).put("batch", batch));
            row.put("date", options.get("date")).put("commit", options.get("commit"));
            keep(Path.of(options.get("folder")), JSON.readTree(Files.readString(Path.of(options.get("doctor")))), row);
        } catch (IllegalArgumentException | JacksonException | InvalidInput | NativeError e) {
            System.err.println("siblings: " + e.getMessage());
            System.exit(2);
        } catch (IllegalStateException e) {
            System.err.println("siblings: " + e.getMessage());
            System.exit(1);
        }
    }

    /** The document's other rows stay if they are of this machine and versions. */
    private static void keep(Path folder, JsonNode doctor, ObjectNode row) throws IOException {
        Path file = folder.resolve(SiblingResults.FILE);
        ObjectNode document = JSON.createObjectNode();
        ResultsDocument.describe(document, doctor);
        Map<String, JsonNode> rows = new LinkedHashMap<>();
        if (Files.exists(file)) {
            JsonNode old = JSON.readTree(Files.readString(file));
            if (old.path("machine").equals(document.path("machine")) && old.path("versions").equals(document.path("versions"))) {
                old.required("rows").forEach(kept -> rows.put(key(kept), kept));
            }
        }
        rows.put(key(row), row);
        ArrayNode array = document.putArray("rows");
        rows.values().forEach(array::add);
        Files.createDirectories(folder);
        Files.writeString(file, JSON.writeValueAsString(document) + "\n");
    }

    private static String key(JsonNode row) {
        return row.required("network") + " " + row.required("mask") + " " + row.required("batch") + " " + row.required("threads");
    }

    private ObjectNode measure(Graph masked, ObjectNode row) {
        List<Siblings> all = Siblings.in(Compiler.fold(masked));
        row.put("threads", threads).put("groups", all.size());
        long separateWork = 0;
        long mergedWork = 0;
        Map<String, Double> sums = new LinkedHashMap<>();
        GROUPINGS.forEach(name -> sums.put(name, 0.0));
        ArrayNode groups = row.putArray("tensors");
        try (CpuPool pool = new CpuPool(threads)) {
            for (Siblings siblings : all) {
                ObjectNode group = groups.addObject().put("tensor", siblings.tensor());
                time(siblings, pool).forEach((name, nanos) -> {
                    sums.merge(name, nanos, Double::sum);
                    group.put(name + "Ns", Math.round(nanos));
                });
                separateWork += siblings.multiplyAdds(siblings.parts());
                mergedWork += siblings.multiplyAdds(List.of(Siblings.merged(siblings.parts())));
                System.out.println(String.format(Locale.ROOT, "%s %dx%d, %d channels to %s: ", siblings.tensor(), siblings.height(), siblings.width(),
                        siblings.channels(), siblings.parts().stream().map(Siblings.Part::outputs).toList()) + group);
            }
        }
        sums.forEach((name, nanos) -> row.put(name + "Ns", Math.round(nanos)));
        row.put("multiplyAdds", separateWork).put("mergedMultiplyAdds", mergedWork).put("networkNs", Math.round(network(masked)));
        System.out.println(row.deepCopy().without("tensors"));
        return row;
    }

    private Map<String, Double> time(Siblings siblings, CpuPool pool) {
        Contest contest = new Contest();
        try (SiblingConvolutions convolutions = new SiblingConvolutions(siblings, pool)) {
            contest.add(SEPARATE, convolutions.grouping(siblings.parts()));
            contest.add(MERGED, convolutions.grouping(List.of(Siblings.merged(siblings.parts()))));
            contest.add(BESIDE_CONCATS, convolutions.grouping(siblings.mergedBesideConcats()));
            contest.run(budget, LEAST_ROUNDS);
        }
        Map<String, Double> nanos = new LinkedHashMap<>();
        double separate = contest.timing(SEPARATE).medianNs();
        GROUPINGS.forEach(name -> nanos.put(name, separate * contest.ratio(name, SEPARATE)));
        return nanos;
    }

    /** The median of runs of the whole network, without merging, its kernels chosen by a fixed preference. */
    private double network(Graph masked) {
        Contest contest = new Contest();
        try (Executable executable = Upscale.prepare(Upscale.compile(masked, CompileOptions.of(Variant.UPSCALE)));
                BoundSession session = BoundSession.open(executable, threads)) {
            contest.add("network", session::run);
            contest.run(budget.multipliedBy(3), LEAST_ROUNDS);
        }
        return contest.timing("network").medianNs();
    }
}
