package dev.upscale.bench;

import dev.upscale.bench.ConvolutionContender.Kind;
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
import java.util.function.UnaryOperator;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What {@code bench/kernels.sh} calls: times our convolution against the libraries' on the shapes of {@link KernelShape#TABLE}, those of
 * a shape in turns in this process, and keeps the times as a document of {@code docs/results}.
 */
public final class KernelTable {
    private static final JsonMapper JSON = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
    private static final int LEAST_ROUNDS = 5;
    /** XNNPACK's threads spin for tens of milliseconds. */
    private static final Duration PAUSE = Duration.ofMillis(25);
    /** Pixels that lie a multiple of these bytes apart share a set of the first cache. */
    private static final int COLLIDING_BYTES = 4096;

    private final String isa;
    private final boolean forced;
    private final int threads;
    private final Duration budget;

    private KernelTable(String isa, int threads, Duration budget) {
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
                    Map.of("isa", "", "threads", "1", "seconds", "2", "rows", "1-" + KernelShape.TABLE.size()));
            for (String argument : arguments) {
                int equals = argument.indexOf('=');
                options.put(argument.substring(0, equals), argument.substring(equals + 1));
            }
            Duration budget = Duration.ofMillis((long) (1000 * Double.parseDouble(options.get("seconds"))));
            KernelTable table = new KernelTable(options.get("isa"), Integer.parseInt(options.get("threads")), budget);
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
        Path file = folder.resolve(KernelResults.PREFIX + isa + ".threads" + threads + ".json");
        ObjectNode document = JSON.createObjectNode();
        document.put("isa", isa);
        document.put("threads", threads);
        ResultsDocument.describe(document, doctor);
        ((ObjectNode) document.required("versions")).put("upscale_cpu", doctor.required("version").stringValue() + " (" + isa + ")");
        Map<String, JsonNode> rows = keptRows(file, document);
        String[] ends = range.split("-", 2);
        for (KernelShape shape : KernelShape.TABLE.subList(Integer.parseInt(ends[0]) - 1, Integer.parseInt(ends[ends.length - 1]))) {
            rows.put(shape.name(), measure(shape, date, commit));
        }
        ArrayNode sorted = document.putArray("rows");
        KernelShape.TABLE.stream().map(KernelShape::name).filter(rows::containsKey).forEach(shape -> sorted.add(rows.get(shape)));
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

    private JsonNode measure(KernelShape shape, String date, String commit) {
        ObjectNode row = JSON.createObjectNode();
        row.put("shape", shape.name()).put("multiplyAdds", shape.multiplyAdds()).put("date", date).put("commit", commit);
        ObjectNode kernels = row.putObject("kernels");
        ObjectNode refused = row.putObject("refused");
        List<ConvolutionContender> contenders = new ArrayList<>();
        try (ConvolutionProblem problem = new ConvolutionProblem(shape.convolution())) {
            try {
                for (Kind kind : contenders(shape)) {
                    try {
                        contenders.add(new ConvolutionContender(kind, problem, threads));
                    } catch (NativeError e) {
                        refused.put(kind.toString(), e.getMessage());
                    }
                }
                time(contenders, kernels);
            } finally {
                contenders.forEach(ConvolutionContender::close);
            }
        }
        StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-27s", shape.name()));
        kernels.forEachEntry((name, fields) -> line.append(' ').append(name)
                .append(String.format(Locale.ROOT, " %.1f", fields.path("medianNs").doubleValue() / 1e3)));
        System.out.println(line);
        return row;
    }

    private void time(List<ConvolutionContender> contenders, ObjectNode kernels) {
        Contest contest = new Contest().pauseBeforeTurns(threads > 1 ? PAUSE : Duration.ZERO);
        contenders.forEach(contender -> contest.add(contender.kind().toString(), contender::run));
        contest.run(budget, LEAST_ROUNDS);
        for (ConvolutionContender contender : contenders) {
            String name = contender.kind().toString();
            Timing timing = contest.timing(name);
            kernels.putObject(name).put("implementation", contender.implementation())
                    .put("medianNs", Math.round(timing.medianNs())).put("p25Ns", Math.round(timing.p25Ns())).put("p75Ns", Math.round(timing.p75Ns()))
                    .put("runs", timing.runs()).put("ratioToDense", contest.ratio(name, Kind.UPSCALE_DENSE.toString())).put("relL2", contender.relL2());
        }
    }

    /** XNNPACK cannot be held to an instruction set, and stays out where the others are. */
    private List<Kind> contenders(KernelShape shape) {
        List<Kind> kinds = new ArrayList<>(List.of(Kind.UPSCALE_DENSE, Kind.UPSCALE_SLICE, Kind.UPSCALE_INDEX, Kind.ONEDNN_DENSE));
        if (shape.convolution().inChannels() * Float.BYTES % COLLIDING_BYTES == 0 && !shape.name().contains("linear")) {
            kinds.add(Kind.UPSCALE_PADDED);
        }
        if (shape.isMatrixProduct()) {
            kinds.add(Kind.ONEDNN_MATMUL);
        }
        if (!forced) {
            kinds.add(Kind.XNNPACK_DENSE);
        }
        return kinds;
    }
}
