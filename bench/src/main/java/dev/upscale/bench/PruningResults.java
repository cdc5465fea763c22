package dev.upscale.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.function.Predicate;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What {@code ./upscale study}, {@code tune} and {@code prune --compensate} gave, as {@code docs/results/pruning.json} holds it, as tables. */
final class PruningResults {
    /** Of the document's name. */
    static final String PREFIX = "pruning.";

    private static final List<String> METHODS = List.of("unconstrained", "constrained");
    private static final double[] AMOUNTS = {0.1, 0.2, 0.3, 0.4, 0.5};
    private static final double[] ALL_AMOUNTS = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8};

    private final JsonNode document;

    private PruningResults(JsonNode document) {
        this.document = document;
    }

    static PruningResults read(Path folder) throws IOException {
        return new PruningResults(JsonMapper.shared().readTree(Files.readString(folder.resolve(PREFIX + "json"))));
    }

    static PruningResults of(JsonNode document) {
        return new PruningResults(document);
    }

    String tables() {
        return "**As pruned**: top-1 of " + document.required("images").intValue() + " test images.\n\n"
                + grid(List.of("l1", "l2", "fpgm", "hrank"), false, AMOUNTS) + "\n" + gains()
                + "\n**Compensated**:\n\n" + grid(List.of("l2", "residual"), true, ALL_AMOUNTS)
                + "\n**Time** of the plan over the unpruned one's, `l2`; measured on " + document.required("timesDate").stringValue() + ":\n\n" + times()
                + "\n**`tune`**, and what uniform amounts (`l2`) reach at the same measured time, all compensated:\n\n" + tune()
                + "\n**Compensation of large networks** with synthetic weights:\n\n" + large();
    }

    private String grid(List<String> heuristics, boolean compensated, double[] amounts) {
        MarkdownTable table = table(amounts);
        document.required("unpruned").properties().forEach(network -> {
            for (String heuristic : heuristics) {
                for (String method : METHODS) {
                    List<JsonNode> found = points(p -> is(p, network.getKey(), heuristic, method, compensated));
                    if (!found.isEmpty()) {
                        row(table, network.getKey() + " (" + accuracy(network.getValue().doubleValue()) + "), " + heuristic + ", " + method, found, "top1", "%.4f", amounts);
                    }
                }
            }
        });
        return table.toString();
    }

    private String times() {
        MarkdownTable table = table(ALL_AMOUNTS);
        document.required("unpruned").properties().forEach(network -> {
            for (String method : METHODS) {
                List<JsonNode> timed = points(p -> is(p, network.getKey(), "l2", method, true) && p.has("timeRatio"));
                if (!timed.isEmpty()) {
                    row(table, network.getKey() + ", " + method, timed, "timeRatio", "%.2f", ALL_AMOUNTS);
                }
            }
        });
        return table.toString();
    }

    private static MarkdownTable table(double[] amounts) {
        List<String> heads = new ArrayList<>(List.of("amount"));
        for (double amount : amounts) {
            heads.add(Double.toString(amount));
        }
        return new MarkdownTable(heads.toArray(String[]::new));
    }

    private static void row(MarkdownTable table, String name, List<JsonNode> points, String field, String format, double[] amounts) {
        List<String> cells = new ArrayList<>(List.of(name));
        for (double amount : amounts) {
            cells.add(points.stream().filter(p -> p.required("amount").doubleValue() == amount).findFirst()
                    .map(p -> String.format(Locale.ROOT, format, p.required(field).doubleValue())).orElse("–"));
        }
        table.row(cells.toArray(String[]::new));
    }

    /** Unconstrained less constrained, in points of top-1. */
    private String gains() {
        MarkdownTable table = new MarkdownTable("unconstrained less constrained, points", "0.1", "0.2", "0.3", "0.4", "0.5", "mean");
        List<String> cells = new ArrayList<>(List.of("same amount, all networks and heuristics"));
        double all = 0;
        int count = 0;
        for (double amount : AMOUNTS) {
            double sum = 0;
            int pairs = 0;
            for (JsonNode free : points(p -> !compensated(p) && p.required("method").stringValue().equals("unconstrained") && p.required("amount").doubleValue() == amount)) {
                for (JsonNode bound : points(p -> is(p, free.required("network").stringValue(), free.required("heuristic").stringValue(), "constrained", false)
                        && p.required("amount").doubleValue() == amount)) {
                    sum += 100 * (top1(free) - top1(bound));
                    pairs++;
                }
            }
            cells.add(String.format(Locale.ROOT, "%+.1f", sum / pairs));
            all += sum;
            count += pairs;
        }
        cells.add(String.format(Locale.ROOT, "%+.1f", all / count));
        return table.row(cells.toArray(String[]::new)) + "\n" + gainAtEqualTime();
    }

    private String gainAtEqualTime() {
        double sum = 0;
        int count = 0;
        for (JsonNode bound : points(p -> !compensated(p) && p.required("method").stringValue().equals("constrained") && p.has("timeRatio"))) {
            OptionalDouble free = reached(bound.required("network").stringValue(), "unconstrained", false, bound.required("timeRatio").doubleValue());
            if (free.isPresent()) {
                sum += 100 * (free.getAsDouble() - top1(bound));
                count++;
            }
        }
        return String.format(Locale.ROOT, "At equal measured time (`l2`, %d constrained points within the unconstrained curves): %+.1f points.\n", count, sum / count);
    }

    private String tune() {
        MarkdownTable table = new MarkdownTable("network, ratio", "predicted", "measured", "timed with the others", "`tune`", "unconstrained", "constrained");
        int compared = 0;
        int above = 0;
        for (JsonNode tuned : document.required("tune")) {
            String network = tuned.required("network").stringValue();
            boolean timed = tuned.has("timeRatio");
            double time = timed ? tuned.required("timeRatio").doubleValue() : Double.NaN;
            OptionalDouble free = timed ? reached(network, "unconstrained", true, time) : OptionalDouble.empty();
            OptionalDouble bound = timed ? reached(network, "constrained", true, time) : OptionalDouble.empty();
            compared += bound.isPresent() ? 1 : 0;
            above += bound.isPresent() && top1(tuned) > bound.getAsDouble() && top1(tuned) > free.orElse(0) ? 1 : 0;
            table.row(network + ", " + tuned.required("latencyRatio"), ratio(tuned, "predictedRatio"), ratio(tuned, "measuredRatio"), timed ? ratio(tuned, "timeRatio") : "–",
                    accuracy(top1(tuned)), cell(free), cell(bound));
        }
        return table + "\nAbove every curve that reaches its time: " + above + " of the " + compared + " that were timed with the curves.\n";
    }

    private String large() {
        MarkdownTable table = new MarkdownTable("network, amount 0.5", "inputs", "time", "peak memory", "layers' error (median) before", "after",
                "output's error before", "after");
        for (JsonNode row : document.required("large")) {
            table.row(row.required("network").stringValue(), row.required("images").toString(),
                    String.format(Locale.ROOT, "%.0f s", row.required("seconds").doubleValue()),
                    String.format(Locale.ROOT, "%.1f GB", row.required("peakKilobytes").doubleValue() * 1024 / 1e9), format("%.2f", row, "medianLayerErrorBefore"),
                    format("%.2f", row, "medianLayerErrorAfter"), format("%.2f", row, "outputErrorBefore"), format("%.2f", row, "outputErrorAfter"));
        }
        return table.toString();
    }

    /**
     * The accuracy that uniform amounts reach in a time: between the neighbours on the frontier of what is faster and more accurate than
     * all that is slower; nothing beyond the fastest.
     */
    private OptionalDouble reached(String network, String method, boolean compensated, double time) {
        List<double[]> curve = new ArrayList<>();
        for (JsonNode point : points(p -> is(p, network, "l2", method, compensated) && p.has("timeRatio"))) {
            curve.add(new double[] {point.required("timeRatio").doubleValue(), top1(point)});
        }
        curve.add(new double[] {1, document.required("unpruned").required(network).doubleValue()});
        curve.sort(Comparator.comparingDouble(point -> point[0]));
        double[] before = null;
        for (double[] point : curve) {
            if (before != null && point[1] <= before[1]) {
                continue;
            }
            if (before != null && before[0] <= time && time <= point[0]) {
                return OptionalDouble.of(before[1] + (point[1] - before[1]) * (time - before[0]) / (point[0] - before[0]));
            }
            before = point;
        }
        return OptionalDouble.empty();
    }

    private List<JsonNode> points(Predicate<JsonNode> wanted) {
        List<JsonNode> found = new ArrayList<>();
        document.required("points").forEach(point -> {
            if (wanted.test(point)) {
                found.add(point);
            }
        });
        return found;
    }

    private static boolean is(JsonNode point, String network, String heuristic, String method, boolean compensated) {
        return point.required("network").stringValue().equals(network) && point.required("heuristic").stringValue().equals(heuristic)
                && point.required("method").stringValue().equals(method) && compensated(point) == compensated;
    }

    private static boolean compensated(JsonNode point) {
        return point.required("compensated").booleanValue();
    }

    private static double top1(JsonNode point) {
        return point.required("top1").doubleValue();
    }

    private static String cell(OptionalDouble accuracy) {
        return accuracy.isPresent() ? accuracy(accuracy.getAsDouble()) : "–";
    }

    private static String accuracy(double top1) {
        return String.format(Locale.ROOT, "%.4f", top1);
    }

    private static String ratio(JsonNode row, String field) {
        return format("%.3f", row, field);
    }

    private static String format(String format, JsonNode row, String field) {
        return String.format(Locale.ROOT, format, row.required(field).doubleValue());
    }
}
