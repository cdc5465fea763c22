package dev.upscale.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Passes measured on one instruction set and number of threads, as {@code passes.ISA.threadsN.json} in {@code docs/results} holds them. */
record PassResults(String isa, int threads, String origin, List<Row> rows) {
    /** How names of such documents begin. */
    static final String PREFIX = "passes.";
    private static final String NONE = "Not measured yet: `bench/kernels.sh --passes` measures.\n";
    private static final List<String> LIBRARIES = List.of("onednn", "onednn-normalisation", "xnnpack");

    /** How long a kernel took, and the median over rounds of its time over that of ours on a dense source. */
    record Time(double medianNs, double ratio) {}

    /** A pass with the kernels that were timed. */
    record Row(String shape, String date, String commit, Map<String, Time> times) {
        private double micros(List<String> engines, String reading) {
            return least(engines, reading, time -> time.medianNs / 1e3);
        }

        private double least(List<String> engines, String reading, ToDoubleFunction<Time> figure) {
            return engines.stream().map(engine -> times.get(engine + "-" + reading)).filter(time -> time != null).mapToDouble(figure).min()
                    .orElse(Double.NaN);
        }

        /** The time of our kernel over that of the fastest library's, each reading in its own way. */
        double overLibraries(String ours, String theirs) {
            return least(List.of("upscale"), ours, Time::ratio) / least(LIBRARIES, theirs, Time::ratio);
        }
    }

    /** All such documents of a folder: the widest instruction set first, then by threads. */
    static List<PassResults> readAll(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        List<PassResults> documents = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(file -> file.getFileName().toString().startsWith(PREFIX)).toList()) {
                try {
                    documents.add(of(JsonMapper.shared().readTree(Files.readString(file))));
                } catch (JacksonException e) {
                    throw new IllegalArgumentException(file + " is not a table of passes: " + e.getOriginalMessage()
                            + "; measure again with bench/kernels.sh --passes", e);
                }
            }
        }
        documents.sort(Comparator.comparing(PassResults::isa, Comparator.comparing(String::length).reversed()).thenComparing(PassResults::threads));
        return documents;
    }

    static PassResults of(JsonNode document) {
        List<Row> rows = new ArrayList<>();
        document.required("rows").forEach(row -> {
            Map<String, Time> times = new LinkedHashMap<>();
            row.required("kernels").forEachEntry((kernel, fields) ->
                    times.put(kernel, new Time(fields.required("medianNs").doubleValue(), fields.required("ratioToDense").doubleValue())));
            rows.add(new Row(row.required("shape").stringValue(), row.required("date").stringValue(), row.required("commit").stringValue(), times));
        });
        return new PassResults(document.required("isa").stringValue(), document.required("threads").intValue(), KernelResults.origin(document), rows);
    }

    /** All tables, in Markdown. */
    static String tables(List<PassResults> documents) {
        return documents.isEmpty() ? NONE : documents.stream().map(PassResults::section).collect(Collectors.joining("\n"));
    }

    private String section() {
        return "### Passes, " + KernelResults.setting(isa, threads) + "\n\n" + origin + "; measured on "
                + rows.stream().map(row -> row.date + " at commit " + row.commit).distinct().collect(Collectors.joining(", ")) + ".\n\n" + table();
    }

    private MarkdownTable table() {
        MarkdownTable table = new MarkdownTable("pass", "oneDNN", "XNNPACK", "ours", "ours over the best", "slice: best library", "ours", "ours over the best",
                "index: gather, best library", "gather, ours", "ours by index", "ours by index over gather, best library");
        for (Row row : rows) {
            table.row(row.shape, micros(row.micros(List.of("onednn", "onednn-normalisation"), "dense")), micros(row.micros(List.of("xnnpack"), "dense")),
                    micros(row.micros(List.of("upscale"), "dense")), ratio(row.overLibraries("dense", "dense")),
                    micros(row.micros(LIBRARIES, "slice")), micros(row.micros(List.of("upscale"), "slice")), ratio(row.overLibraries("slice", "slice")),
                    micros(row.micros(LIBRARIES, "gathered")), micros(row.micros(List.of("upscale"), "gathered")),
                    micros(row.micros(List.of("upscale"), "index")), ratio(row.overLibraries("index", "gathered")));
        }
        table.row("geometric mean", "", "", "", ratio(mean("dense", "dense")), "", "", ratio(mean("slice", "slice")), "", "", "",
                ratio(mean("index", "gathered")));
        return table.row("worst", "", "", "", ratio(worst("dense", "dense")), "", "", ratio(worst("slice", "slice")), "", "", "",
                ratio(worst("index", "gathered")));
    }

    private double mean(String ours, String theirs) {
        return Math.exp(rows.stream().mapToDouble(row -> row.overLibraries(ours, theirs)).filter(Double::isFinite).map(Math::log).average()
                .orElse(Double.NaN));
    }

    private double worst(String ours, String theirs) {
        return rows.stream().mapToDouble(row -> row.overLibraries(ours, theirs)).filter(Double::isFinite).max().orElse(Double.NaN);
    }

    private static String micros(double value) {
        return KernelResults.micros(value);
    }

    private static String ratio(double value) {
        return KernelResults.ratio(value);
    }
}
