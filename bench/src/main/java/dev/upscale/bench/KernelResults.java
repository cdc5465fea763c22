package dev.upscale.bench;

import dev.upscale.bench.ConvolutionContender.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Convolutions of all shapes measured on one instruction set and number of threads, as {@code kernels.ISA.threadsN.json} in
 * {@code docs/results} holds them, and the table of them.
 */
record KernelResults(String isa, int threads, String processor, String origin, List<Row> rows) {
    /** How names of such documents begin. */
    static final String PREFIX = "kernels.";
    private static final String NONE = "Not measured yet: `bench/kernels.sh` measures.\n";
    private static final int READING_COLUMN = 7;
    private static final List<Kind> LIBRARIES = List.of(Kind.ONEDNN_DENSE, Kind.ONEDNN_MATMUL, Kind.XNNPACK_DENSE);

    /** How long a kernel took, and the median over rounds of its time over that of ours on a dense source. */
    record Time(double medianNs, double ratio) {}

    /** A shape with the kernels that were timed. */
    record Row(String shape, String date, String commit, Map<Kind, Time> times) {
        private double micros(Kind... kinds) {
            return Stream.of(kinds).filter(times::containsKey).mapToDouble(kind -> times.get(kind).medianNs / 1e3).min().orElse(Double.NaN);
        }

        /** Our kernel's time over that of the fastest library's. */
        double overLibraries() {
            return 1 / LIBRARIES.stream().filter(times::containsKey).mapToDouble(kind -> times.get(kind).ratio).min().orElse(Double.NaN);
        }

        /** The time of ours by an index list over that on a dense source. */
        double indexOverDense() {
            return times.get(Kind.UPSCALE_INDEX).ratio;
        }
    }

    /** All such documents of a folder: the widest instruction set first, then by threads. */
    static List<KernelResults> readAll(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        List<KernelResults> documents = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(file -> file.getFileName().toString().startsWith(PREFIX)).toList()) {
                try {
                    documents.add(of(JsonMapper.shared().readTree(Files.readString(file))));
                } catch (JacksonException e) {
                    throw new IllegalArgumentException(file + " is not a table of kernels: " + e.getOriginalMessage()
                            + "; measure again with bench/kernels.sh", e);
                }
            }
        }
        documents.sort(Comparator.comparing(KernelResults::isa, Comparator.comparing(String::length).reversed())
                .thenComparing(KernelResults::threads));
        return documents;
    }

    static KernelResults of(JsonNode document) {
        List<Row> rows = new ArrayList<>();
        document.required("rows").forEach(row -> {
            Map<Kind, Time> times = new EnumMap<>(Kind.class);
            row.required("kernels").forEachEntry((kernel, fields) ->
                    times.put(Kind.of(kernel), new Time(fields.required("medianNs").doubleValue(),
                            fields.required("ratioToDense").doubleValue())));
            rows.add(new Row(row.required("shape").stringValue(), row.required("date").stringValue(), row.required("commit").stringValue(),
                    times));
        });
        return new KernelResults(document.required("isa").stringValue(), document.required("threads").intValue(), ResultsDocument.processor(document),
                origin(document), rows);
    }

    /** The machine and the versions of a document. */
    static String origin(JsonNode document) {
        List<String> versions = new ArrayList<>();
        document.required("versions").forEachEntry((name, version) -> versions.add(name + " " + version.stringValue()));
        return ResultsDocument.machine(document) + "; " + String.join(", ", versions);
    }

    /** For example "AVX-512, one thread". */
    static String setting(String isa, int threads) {
        return isa.toUpperCase(Locale.ROOT).replace("AVX512", "AVX-512") + ", " + (threads == 1 ? "one thread" : threads + " threads");
    }

    /** All tables, in Markdown. */
    static String tables(List<KernelResults> documents) {
        return documents.isEmpty() ? NONE : documents.stream().map(KernelResults::section).collect(Collectors.joining("\n"));
    }

    private String section() {
        StringBuilder text = new StringBuilder();
        text.append("### ").append(setting(isa, threads)).append("\n\n").append(origin).append("; measured on ")
                .append(rows.stream().map(row -> row.date + " at commit " + row.commit).distinct().collect(Collectors.joining(", "))).append(".\n\n");
        return text.append(table()).toString();
    }

    private MarkdownTable table() {
        MarkdownTable table = new MarkdownTable(cells("shape", "oneDNN", "XNNPACK", "ours dense", "padded", "slice", "index", "reading",
                "ours over the best library", "index over dense"));
        for (Row row : rows) {
            table.row(cells(row.shape, micros(row.micros(Kind.ONEDNN_DENSE, Kind.ONEDNN_MATMUL)), micros(row.micros(Kind.XNNPACK_DENSE)),
                    micros(row.micros(Kind.UPSCALE_DENSE)), micros(row.micros(Kind.UPSCALE_PADDED)), micros(row.micros(Kind.UPSCALE_SLICE)),
                    micros(row.micros(Kind.UPSCALE_INDEX)), micros(row.micros(Kind.READING_INDEX)), ratio(row.overLibraries()), ratio(row.indexOverDense())));
        }
        table.row(cells("geometric mean", "", "", "", "", "", "", "", ratio(mean(Row::overLibraries)), ratio(mean(Row::indexOverDense))));
        return table.row(cells("worst", "", "", "", "", "", "", "", ratio(worst(Row::overLibraries)), ratio(worst(Row::indexOverDense))));
    }

    /** Of a row, without that of mere reading where it was timed on no shape. */
    private String[] cells(String... cells) {
        boolean reading = rows.stream().anyMatch(row -> row.times.containsKey(Kind.READING_INDEX));
        return IntStream.range(0, cells.length).filter(column -> reading || column != READING_COLUMN).mapToObj(column -> cells[column]).toArray(String[]::new);
    }

    /** The geometric mean of a figure of the rows that have it. */
    double mean(ToDoubleFunction<Row> figure) {
        return Math.exp(rows.stream().mapToDouble(figure).filter(Double::isFinite).map(Math::log).average().orElse(Double.NaN));
    }

    /** The greatest of a figure. */
    double worst(ToDoubleFunction<Row> figure) {
        return rows.stream().mapToDouble(figure).filter(Double::isFinite).max().orElse(Double.NaN);
    }

    /** The median of a figure of the rows that have it. */
    double median(ToDoubleFunction<Row> figure) {
        double[] sorted = rows.stream().mapToDouble(figure).filter(Double::isFinite).sorted().toArray();
        return sorted.length == 0 ? Double.NaN : (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    static String micros(double value) {
        return Double.isNaN(value) ? "–" : String.format(Locale.ROOT, value < 100 ? "%.1f" : "%.0f", value);
    }

    static String ratio(double value) {
        return Double.isFinite(value) ? String.format(Locale.ROOT, "%.2f", value) : "–";
    }
}
