package dev.upscale.bench;

import dev.upscale.cli.Contest;
import dev.upscale.cli.Timing;
import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.upscale.CpuKernels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What {@code bench/kernels.sh} calls: times our kernels against the libraries' on the shapes of {@link KernelShape#TABLE} or
 * {@link PassShape#TABLE}, those of a shape in turns in this process, and keeps the times as a document of {@code docs/results}.
 */
public final class KernelTable {
    private static final JsonMapper JSON = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
    private static final int LEAST_ROUNDS = 5;
    /** XNNPACK's threads spin for tens of milliseconds. */
    private static final Duration PAUSE = Duration.ofMillis(25);

    /** What is timed, and how its document's name begins. */
    private enum Suite {
        CONVOLUTIONS(KernelResults.PREFIX, KernelShape.TABLE.stream().map(KernelShape::name).toList(), ConvolutionRow::new),
        PASSES(PassResults.PREFIX, PassShape.TABLE.stream().map(PassShape::name).toList(), PassRow::new);

        private final String prefix;
        private final List<String> shapes;
        private final Function<String, KernelRow> open;

        Suite(String prefix, List<String> shapes, Function<String, KernelRow> open) {
            this.prefix = prefix;
            this.shapes = shapes;
            this.open = open;
        }
    }

    private final Suite suite;
    private final String isa;
    private final boolean forced;
    private final int threads;
    private final Duration budget;

    private KernelTable(Suite suite, String isa, int threads, Duration budget) {
        this.suite = suite;
        CpuKernels kernels = CpuKernels.load();
        this.isa = isa.isEmpty() ? kernels.bestInstructionSet() : isa;
        this.forced = !this.isa.equals(kernels.bestInstructionSet());
        this.threads = threads;
        this.budget = budget;
        kernels.useInstructionSet(this.isa);
    }

    /** Measures; exit code 2, with one line, if it cannot, and 1 if a kernel computes wrongly. */
    public static void main(String[] arguments) throws IOException {
        try {
            Map<String, String> options = new TreeMap<>(
                    Map.of("isa", "", "threads", "1", "seconds", "2", "rows", "1-", "suite", "convolutions"));
            for (String argument : arguments) {
                int equals = argument.indexOf('=');
                options.put(argument.substring(0, equals), argument.substring(equals + 1));
            }
            Duration budget = Duration.ofMillis((long) (1000 * Double.parseDouble(options.get("seconds"))));
            KernelTable table = new KernelTable(Suite.valueOf(options.get("suite").toUpperCase(Locale.ROOT)), options.get("isa"), Integer.parseInt(options.get("threads")), budget);
            table.keep(Path.of(options.get("folder")), JSON.readTree(Files.readString(Path.of(options.get("doctor")))), options.get("date"),
                    options.get("commit"), options.get("rows"));
        } catch (IllegalArgumentException | JacksonException | NativeError e) {
            System.err.println("kernels: " + e.getMessage());
            System.exit(2);
        } catch (IllegalStateException e) {
            System.err.println("kernels: " + e.getMessage());
            System.exit(1);
        }
    }

    /** Measures some rows, numbered from 1, for the document, whose other rows stay if they are of this machine and versions. */
    private void keep(Path folder, JsonNode doctor, String date, String commit, String range) throws IOException {
        Path file = folder.resolve(suite.prefix + isa + ".threads" + threads + ".json");
        ObjectNode document = JSON.createObjectNode();
        document.put("isa", isa);
        document.put("threads", threads);
        ResultsDocument.describe(document, doctor);
        ((ObjectNode) document.required("versions")).put("upscale_cpu", doctor.required("version").stringValue() + " (" + isa + ")");
        Map<String, JsonNode> rows = keptRows(file, document);
        String[] ends = range.split("-", 2);
        String last = ends[ends.length - 1];
        for (String shape : suite.shapes.subList(Integer.parseInt(ends[0]) - 1, last.isEmpty() ? suite.shapes.size() : Integer.parseInt(last))) {
            rows.put(shape, measure(shape, date, commit));
        }
        ArrayNode sorted = document.putArray("rows");
        suite.shapes.stream().filter(rows::containsKey).forEach(shape -> sorted.add(rows.get(shape)));
        Files.createDirectories(folder);
        Files.writeString(file, JSON.writeValueAsString(document) + "\n");
    }

    private static Map<String, JsonNode> keptRows(Path file, JsonNode document) throws IOException {
        Map<String, JsonNode> rows = new LinkedHashMap<>();
        if (Files.exists(file)) {
            JsonNode old = JSON.readTree(Files.readString(file));
            UnaryOperator<JsonNode> origin = node -> JSON.createArrayNode().add(node.path("machine")).add(node.path("versions"));
            if (origin.apply(old).equals(origin.apply(document))) {
                old.required("rows").forEach(row -> rows.put(row.required("shape").stringValue(), row));
            }
        }
        return rows;
    }

    private JsonNode measure(String shape, String date, String commit) {
        ObjectNode row = JSON.createObjectNode();
        List<Contender> contenders = new ArrayList<>();
        try (KernelRow open = suite.open.apply(shape)) {
            row.put("shape", shape).put("multiplyAdds", open.multiplyAdds()).put("date", date).put("commit", commit);
            ObjectNode kernels = row.putObject("kernels");
            ObjectNode refused = row.putObject("refused");
            try {
                for (String name : open.contenders(forced, threads)) {
                    try {
                        contenders.add(open.contender(name, threads));
                    } catch (NativeError e) {
                        refused.put(name, e.getMessage());
                    }
                }
                time(contenders, kernels);
            } finally {
                contenders.forEach(Contender::close);
            }
            StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-27s", shape));
            kernels.forEachEntry((name, fields) -> line.append(' ').append(name)
                    .append(String.format(Locale.ROOT, " %.1f", fields.path("medianNs").doubleValue() / 1e3)));
            System.out.println(line);
        }
        return row;
    }

    private void time(List<Contender> contenders, ObjectNode kernels) {
        Contest contest = new Contest().pauseBeforeTurns(threads > 1 ? PAUSE : Duration.ZERO);
        contenders.forEach(contender -> contest.add(contender.name(), contender::run));
        contest.run(budget, LEAST_ROUNDS);
        for (Contender contender : contenders) {
            String name = contender.name();
            Timing timing = contest.timing(name);
            kernels.putObject(name).put("implementation", contender.implementation())
                    .put("medianNs", Math.round(timing.medianNs())).put("p25Ns", Math.round(timing.p25Ns())).put("p75Ns", Math.round(timing.p75Ns()))
                    .put("runs", timing.runs()).put("ratioToDense", contest.ratio(name, contenders.getFirst().name())).put("relL2", contender.relL2());
        }
    }
}
