package dev.upscale.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import tools.jackson.databind.json.JsonMapper;

/** What {@code bench/gpu.sh} keeps in {@code docs/results/gpu-plans.json} and {@code gpu-layouts.json}, as tables. */
final class GpuResults {
    /** Of the documents' names. */
    static final String PREFIX = "gpu-";

    private static final List<String> VARIANTS = List.of("baseline", "paper", "upscale");

    private GpuResults() {}

    static Collection<GpuPlans.Row> plansIn(Path folder) throws IOException {
        return GpuPlans.read(folder.resolve(PREFIX + "plans.json")).values();
    }

    static List<GpuLayouts.Row> layoutsIn(Path folder) throws IOException {
        return List.of(JsonMapper.shared().readValue(Files.readString(folder.resolve(PREFIX + "layouts.json")), GpuLayouts.Row[].class));
    }

    /** One table for each GPU: a line for each layout. */
    static String layouts(List<GpuLayouts.Row> rows) {
        Map<String, MarkdownTable> tables = new LinkedHashMap<>();
        for (GpuLayouts.Row row : rows) {
            tables.computeIfAbsent(row.device(), device -> new MarkdownTable(device, "smaller tensor, f16", "f16", "compiled", "smaller tensor, f32", "tf32",
                    "compiled", "f32")).row(row.layout(), workspace(row.smallerF16()), workspace(row.f16()), workspace(row.compiledF16()),
                    workspace(row.smallerF32()), workspace(row.tf32()), workspace(row.compiledTf32()), workspace(row.f32()));
        }
        return String.join("\n", tables.values().stream().map(MarkdownTable::toString).toList());
    }

    private static String workspace(long bytes) {
        return bytes < 0 ? "refused" : String.valueOf(bytes);
    }

    /** What all plans have in common, and a line for each network, pattern, GPU and precision. */
    static String plans(Collection<GpuPlans.Row> rows) {
        Map<String, Map<String, GpuPlans.Row>> lines = new TreeMap<>();
        rows.forEach(row -> lines.computeIfAbsent(String.join(" ", row.network(), row.pattern(), row.device(), row.precision()), key -> new TreeMap<>())
                .put(row.variant(), row));
        StringBuilder text = new StringBuilder(sums(rows)).append("""

                | network | pattern | GPU | precision | convolutions | built | visible copies, MB: baseline, paper, upscale | hidden copies, MB: baseline, paper, upscale | CPU seconds to compile: baseline, paper, upscale |
                | --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |
                """);
        for (Map<String, GpuPlans.Row> line : lines.values()) {
            GpuPlans.Row any = line.values().iterator().next();
            List<String> cells = List.of(any.network(), any.pattern(), any.device(), any.precision(), agreed(line, row -> String.valueOf(row.convolutions())),
                    agreed(line, row -> String.valueOf(row.byCuDnn())), each(line, row -> megabytes(row.copyBytes())),
                    each(line, row -> megabytes(row.hiddenBytes())), each(line, row -> seconds(row.compileCpuMs())));
            text.append("| ").append(String.join(" | ", cells)).append(" |\n");
        }
        return text.toString();
    }

    private static String sums(Collection<GpuPlans.Row> rows) {
        long convolutions = sum(rows, GpuPlans.Row::convolutions);
        long built = sum(rows, GpuPlans.Row::byCuDnn);
        long failed = rows.stream().filter(row -> !row.failure().isEmpty()).count();
        MarkdownTable table = new MarkdownTable("all rows together", "convolutions", "of these compiled for their graph", "visible copies, MB", "hidden copies, MB",
                "rows without hidden copies", "CPU seconds to compile a plan: median, longest");
        for (String variant : VARIANTS) {
            List<GpuPlans.Row> those = rows.stream().filter(row -> row.variant().equals(variant) && row.failure().isEmpty()).toList();
            table.row('`' + variant + '`', String.valueOf(sum(those, GpuPlans.Row::convolutions)), String.valueOf(sum(those, GpuPlans.Row::compiled)),
                    megabytes(sum(those, GpuPlans.Row::copyBytes)), megabytes(sum(those, GpuPlans.Row::hiddenBytes)),
                    those.stream().filter(row -> row.hiddenBytes() == 0).count() + " of " + those.size(), middleAndLongest(those));
        }
        return "Built: " + built + " of " + convolutions + " convolutions in " + rows.size() + " plans; " + failed + (failed == 1 ? " plan" : " plans") + " failed.\n\n" + table;
    }

    private static String middleAndLongest(List<GpuPlans.Row> rows) {
        long[] times = rows.stream().mapToLong(GpuPlans.Row::compileCpuMs).sorted().toArray();
        return times.length == 0 ? "–" : seconds(times[times.length / 2]) + ", " + seconds(times[times.length - 1]);
    }

    private static long sum(Collection<GpuPlans.Row> rows, ToLongFunction<GpuPlans.Row> value) {
        return rows.stream().mapToLong(value).sum();
    }

    /** One value where the variants agree, else all of them. */
    private static String agreed(Map<String, GpuPlans.Row> line, Function<GpuPlans.Row, String> value) {
        List<String> values = values(line, value);
        return values.stream().distinct().count() == 1 ? values.getFirst() : String.join(", ", values);
    }

    private static String each(Map<String, GpuPlans.Row> line, Function<GpuPlans.Row, String> value) {
        return String.join(", ", values(line, value));
    }

    private static List<String> values(Map<String, GpuPlans.Row> line, Function<GpuPlans.Row, String> value) {
        List<String> values = new ArrayList<>();
        for (String variant : VARIANTS) {
            GpuPlans.Row row = line.get(variant);
            values.add(row == null ? "–" : row.failure().isEmpty() ? value.apply(row) : "failed");
        }
        return values;
    }

    private static String seconds(long milliseconds) {
        return String.format(Locale.ROOT, "%.1f", milliseconds / 1e3);
    }

    private static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%.2f", bytes / 1e6);
    }

    /** What may run at once of the plans for one GPU. */
    static String branches(Collection<GpuPlans.Row> rows) {
        MarkdownTable table = new MarkdownTable("network", "`baseline`: steps, edges, rounds, chains", "`upscale`: steps, edges, rounds, chains");
        Map<String, Map<String, GpuPlans.Row>> lines = new TreeMap<>();
        rows.stream().filter(row -> row.pattern().equals("l2_0.5") && row.device().equals("h100") && row.precision().equals("f16"))
                .forEach(row -> lines.computeIfAbsent(row.network(), network -> new TreeMap<>()).put(row.variant(), row));
        lines.forEach((network, line) -> {
            List<String> cells = values(line, row -> row.steps() + ", " + row.edges() + ", " + row.rounds() + ", " + row.chains());
            table.row(network, cells.getFirst(), cells.getLast());
        });
        return table.toString();
    }

    static Collection<GpuChoices.Row> choicesIn(Path folder) throws IOException {
        return GpuChoices.read(folder.resolve(PREFIX + "choices.json")).values();
    }

    /** A line for each network with all its masks, and without any, GPUs together: what becomes of convolutions by each choice. */
    static String choices(Collection<GpuChoices.Row> rows) {
        Map<String, Map<String, List<GpuChoices.Row>>> lines = new TreeMap<>();
        rows.forEach(row -> lines.computeIfAbsent(row.network() + " " + (row.pattern().equals("unpruned") ? "unpruned" : "masks"), key -> new TreeMap<>())
                .computeIfAbsent(row.choice(), key -> new ArrayList<>()).add(row));
        MarkdownTable table = new MarkdownTable("network", "", "plans", "default: convolutions, compiled for a step", "`cudnn,cublaslt`: compiled, products",
                "`cublaslt,cudnn`: compiled, products", "`apart`: convolutions, compiled, sums MB", "`weighed`: convolutions, compiled, sums MB");
        lines.forEach((key, line) -> {
            List<GpuChoices.Row> plain = line.getOrDefault("default", List.of());
            table.row(key.split(" ")[0], key.split(" ")[1], String.valueOf(plain.size()),
                    choice(plain, GpuChoices.Row::convolutions, GpuChoices.Row::compiled),
                    choice(line.get("cudnn,cublaslt"), GpuChoices.Row::compiled, GpuChoices.Row::products),
                    choice(line.get("cublaslt,cudnn"), GpuChoices.Row::compiled, GpuChoices.Row::products),
                    separated(line.get("apart")), separated(line.get("weighed")));
        });
        return table.toString();
    }

    private static String separated(List<GpuChoices.Row> rows) {
        return rows == null ? "–" : choice(rows, GpuChoices.Row::convolutions, GpuChoices.Row::compiled) + ", "
                + megabytes(rows.stream().mapToLong(GpuChoices.Row::sumBytes).sum());
    }

    private static String choice(List<GpuChoices.Row> rows, ToLongFunction<GpuChoices.Row> one, ToLongFunction<GpuChoices.Row> other) {
        return rows == null ? "–" : rows.stream().mapToLong(one).sum() + ", " + rows.stream().mapToLong(other).sum();
    }
}
