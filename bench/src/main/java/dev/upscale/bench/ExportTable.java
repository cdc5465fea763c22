package dev.upscale.bench;

import dev.upscale.BoundSession;
import dev.upscale.Upscale;
import dev.upscale.channels.PatternFile;
import dev.upscale.cli.Contest;
import dev.upscale.cli.Peer;
import dev.upscale.compile.Compiler;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.onnx.OnnxExporter;
import dev.upscale.runtime.Executable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What {@code bench/exports.sh} calls: each network of a folder with each of its masks, exported in our order and in the original one, in
 * ONNX Runtime. Outputs are compared with ours and with the truth that stands beside the models before anything is timed.
 */
public final class ExportTable {
    /** ONNX Runtime's output and ours may differ by this much, relative (L2). */
    static final double TOLERANCE = 1e-4;

    private static final JsonMapper JSON = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
    private static final int LEAST_ROUNDS = 5;
    private static final String MASKS = ".masks.json";

    private ExportTable() {}

    /** Measures; exit code 2, with one line, if it cannot, and 1 if an output is off. */
    public static void main(String[] arguments) throws IOException {
        try {
            Map<String, String> options = new TreeMap<>(Map.of("threads", "1", "seconds", "1", "networks", ".*"));
            for (String argument : arguments) {
                int equals = argument.indexOf('=');
                options.put(argument.substring(0, equals), argument.substring(equals + 1));
            }
            measure(options);
        } catch (IllegalArgumentException | JacksonException | InvalidInput e) {
            System.err.println("exports: " + e.getMessage());
            System.exit(2);
        } catch (IllegalStateException e) {
            System.err.println("exports: " + e.getMessage());
            System.exit(1);
        }
    }

    private static void measure(Map<String, String> options) throws IOException {
        int threads = Integer.parseInt(options.get("threads"));
        Duration budget = Duration.ofMillis((long) (1000 * Double.parseDouble(options.get("seconds"))));
        Path file = Path.of(options.get("folder")).resolve(ExportResults.PREFIX + threads + ".json");
        ObjectNode document = JSON.createObjectNode();
        document.put("threads", threads).put("date", options.get("date")).put("commit", options.get("commit"));
        ResultsDocument.describe(document, JSON.readTree(Files.readString(Path.of(options.get("doctor")))));
        ArrayNode rows = document.putArray("rows");
        if (Files.exists(file)) {
            JSON.readTree(Files.readString(file)).required("rows").forEach(row -> {
                if (!row.required("network").stringValue().matches(options.get("networks"))) {
                    rows.add(row);
                }
            });
        }
        for (Path masks : masks(Path.of(options.get("models")))) {
            String network = masks.getFileName().toString().replace(MASKS, "");
            if (network.matches(options.get("networks"))) {
                for (JsonNode mask : JSON.readTree(Files.readString(masks))) {
                    ExportCase one = new ExportCase(masks.getParent(), network, mask.get("mask").stringValue());
                    rows.add(row(one, threads, budget));
                    System.out.println(rows.get(rows.size() - 1).toString());
                }
            }
        }
        List<JsonNode> sorted = new ArrayList<>(rows.values());
        sorted.sort(Comparator.comparing(row -> row.required("network").stringValue()));
        rows.removeAll().addAll(sorted);
        Files.writeString(file, JSON.writeValueAsString(document) + "\n");
    }

    private static List<Path> masks(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().endsWith(MASKS)).sorted().toList();
        }
    }

    private static ObjectNode row(ExportCase one, int threads, Duration budget) throws IOException {
        ObjectNode row = JSON.createObjectNode().put("network", one.network).put("mask", one.mask);
        try (Executable executable = Upscale.prepare(Upscale.compile(one.masked()));
                BoundSession ours = BoundSession.open(executable, threads);
                Peer.Session exported = one.open(Variant.UPSCALE, threads);
                Peer.Session original = one.open(Variant.BASELINE, threads)) {
            ours.input(0).put(one.input());
            ours.run();
            float[] expected = new float[ours.output(0).remaining()];
            ours.output(0).get(expected);
            double difference = Math.max(distance(exported, expected), distance(original, expected));
            if (!(difference <= TOLERANCE)) {
                throw new IllegalStateException(one.network + " " + one.mask + ": ONNX Runtime's output on an export is off by " + difference);
            }
            Contest contest = new Contest().add("ours", ours::run).add("export", exported::run).add("original", original::run);
            contest.run(budget.multipliedBy(3), LEAST_ROUNDS);
            row.put("relL2", difference).put("gathers", one.count(Variant.UPSCALE, Op.Take.class)).put("slices", one.count(Variant.UPSCALE, Op.Slice.class))
                    .put("originalGathers", one.count(Variant.BASELINE, Op.Take.class))
                    .put("oursNs", Math.round(contest.timing("ours").medianNs())).put("exportNs", Math.round(contest.timing("export").medianNs()))
                    .put("originalNs", Math.round(contest.timing("original").medianNs()))
                    .put("exportToOriginal", contest.ratio("export", "original")).put("oursToExport", contest.ratio("ours", "export"));
        }
        return row;
    }

    private static double distance(Peer.Session session, float[] expected) {
        session.run();
        return distance(session.outputs().getFirst(), expected);
    }

    /** The relative L2 difference. */
    static double distance(float[] actual, float[] expected) {
        double error = 0;
        double norm = 0;
        for (int i = 0; i < expected.length; i++) {
            error += Math.pow((double) actual[i] - expected[i], 2);
            norm += Math.pow(expected[i], 2);
        }
        return Math.sqrt(error / norm);
    }

    /** One network with one of its masks. */
    record ExportCase(Path folder, String network, String mask) {
        Graph masked() {
            return Upscale.prune(Upscale.read(folder.resolve(network + ".onnx.gz")), PatternFile.read(folder.resolve(network + MASKS) + "#" + mask));
        }

        float[] input() throws IOException {
            float[] values = new float[(int) (Files.size(folder.resolve(network + ".input.f32")) / Float.BYTES)];
            ByteBuffer.wrap(Files.readAllBytes(folder.resolve(network + ".input.f32"))).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
            return values;
        }

        /** What {@code export} writes of a variant. */
        Graph exported(Variant variant) {
            return Compiler.prune(Compiler.fold(masked()), variant);
        }

        long count(Variant variant, Class<? extends Op> kind) {
            return exported(variant).nodes().stream().map(Node::op).filter(kind::isInstance).count();
        }

        Peer.Session open(Variant variant, int threads) throws IOException {
            Graph graph = exported(variant);
            Path file = Files.createTempFile("upscale-export", ".onnx");
            try {
                OnnxExporter.write(graph, file);
                String name = graph.inputs().getFirst();
                List<Long> dims = new ArrayList<>();
                graph.type(name).dims().forEach(dim -> dims.add(dim.longValue()));
                return new OnnxRuntimePeer().open(Files.readAllBytes(file), threads,
                        List.of(new Peer.Input(name, dims.stream().mapToLong(Long::longValue).toArray(), input())));
            } finally {
                Files.delete(file);
            }
        }

        @Override
        public String toString() {
            return String.format(Locale.ROOT, "%s %s", network, mask);
        }
    }
}
