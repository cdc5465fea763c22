package dev.upscale.cli;

import dev.upscale.compile.Variant;
import dev.upscale.plan.Plan;
import dev.upscale.report.Bars;
import dev.upscale.report.Curves;
import dev.upscale.report.Figures;
import dev.upscale.report.Glossary;
import dev.upscale.report.Page;
import dev.upscale.report.Section;
import dev.upscale.report.StepComparison;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.DoubleFunction;

/** What the demonstration found, as a document, a text and a page. */
final class DemoReport {
    private static final Map<Variant, String> MEANINGS = Map.of(
            Variant.UNPRUNED, "the network as it was trained",
            Variant.CONSTRAINED, "layers that share channels must prune the same ones: no copies, but the choice is poorer (another network)",
            Variant.BASELINE, "each layer prunes what it likes and copies the channels that it kept side by side before it reads them",
            Variant.PAPER, "the same network; the paper's reordering of channels saves some of the copies",
            Variant.UPSCALE, "the same network; exact reordering, and kernels that read channels where they lie");

    private final String network;
    private final String heuristic;
    private final double amount;
    private final int available;
    private final int images;
    private final int threads;
    private final Map<Variant, Map<String, Object>> variants = new LinkedHashMap<>();
    private final Map<Variant, Difference> differences = new LinkedHashMap<>();
    private final Map<String, Map<String, Object>> peers = new LinkedHashMap<>();

    DemoReport(String network, String heuristic, double amount, int available, int images, int threads) {
        this.network = network;
        this.heuristic = heuristic;
        this.amount = amount;
        this.available = available;
        this.images = Math.min(images, available);
        this.threads = threads;
    }

    void put(Variant variant, Plan plan, Difference difference) {
        Map<String, Object> fields = PlanFields.of(plan);
        fields.put("maxAbs", difference.maxAbs());
        fields.put("relL2", difference.relL2());
        variants.put(variant, fields);
        differences.put(variant, difference);
    }

    void accuracy(Variant variant, double top1) {
        variants.get(variant).put("top1", top1);
    }

    void times(Contest contest, Set<String> peerNames) {
        variants.forEach((variant, fields) -> fields.putAll(times(contest, variant.label())));
        peerNames.forEach(name -> peers.put(name, times(contest, name)));
    }

    private static Map<String, Object> times(Contest contest, String name) {
        Map<String, Object> fields = contest.timing(name).fields();
        fields.put("ratioToUnpruned", contest.ratio(name, Variant.UNPRUNED.label()));
        return fields;
    }

    boolean passed() {
        return differences.values().stream().allMatch(difference -> difference.isWithin(VerifyCommand.TOLERANCE));
    }

    /** For {@code --json}. */
    Map<String, Object> document(Path html) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("model", network);
        document.put("heuristic", heuristic);
        document.put("amount", amount);
        document.put("images", images);
        document.put("batch", 1);
        document.put("threads", threads);
        Map<String, Object> byLabel = new LinkedHashMap<>();
        variants.forEach((variant, fields) -> byLabel.put(variant.label(), fields));
        document.put("variants", byLabel);
        Map<String, Object> byPeer = new LinkedHashMap<>();
        peers.forEach((name, fields) -> byPeer.put(name, Map.of("unpruned", fields)));
        document.put("peers", byPeer);
        document.put("html", html.toString());
        return document;
    }

    /** For people. */
    String text() {
        List<List<String>> rows = rows();
        Table table = new Table(rows.getFirst().toArray(String[]::new));
        rows.subList(1, rows.size()).forEach(row -> table.row(row.toArray()));
        StringBuilder text = new StringBuilder(summary()).append("\n\n").append(table).append('\n');
        meanings().forEach((name, meaning) -> text.append(String.format("%-12s %s%n", name, meaning)));
        return text.append("difference   from the network with zeroed weights in the reference engine, relative (L2); must be below ")
                .append(VerifyCommand.TOLERANCE).append('\n').toString();
    }

    private Map<String, String> meanings() {
        Map<String, String> meanings = new LinkedHashMap<>();
        variants.keySet().forEach(variant -> meanings.put(variant.label(), MEANINGS.get(variant)));
        peers.keySet().forEach(name -> meanings.put(name, "another runtime, on the unpruned network"));
        return meanings;
    }

    private String summary() {
        return String.format(Locale.ROOT, "%s on Fashion-MNIST: %.0f %% of the input channels of every convolution pruned by %s norm, without retraining;"
                + " accuracy on %d test images; time of one image on %d thread%s.", network, 100 * amount, heuristic.toUpperCase(Locale.ROOT), images,
                threads, threads == 1 ? "" : "s");
    }

    private List<List<String>> rows() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("variant", "accuracy", "time", "of unpruned", "copies", "copied", "difference"));
        variants.forEach((variant, fields) -> rows.add(List.of(variant.label(), percent((double) fields.get("top1")),
                Table.time((long) fields.get("medianNs")), ratio(fields), String.valueOf(fields.get("copies")),
                Table.bytes((long) fields.get("copyBytes")),
                differences.get(variant).isWithin(VerifyCommand.TOLERANCE) ? String.format(Locale.ROOT, "%.1e", differences.get(variant).relL2())
                        : "WRONG " + differences.get(variant).relL2())));
        peers.forEach((name, fields) -> rows.add(List.of(name, "", Table.time((long) fields.get("medianNs")), ratio(fields), "", "", "")));
        return rows;
    }

    private static String ratio(Map<String, Object> fields) {
        return String.format(Locale.ROOT, "%.3f", (double) fields.get("ratioToUnpruned"));
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.2f %%", 100 * share);
    }

    /** A page of its own, with the baseline's steps and ours side by side. */
    String html(List<StepComparison.Timed> compared, List<Curves.Series> curves) {
        List<Section> sections = new ArrayList<>();
        sections.add(new Bars("Time of one image", "Median; the line shows the quartiles. All variants took turns in one process.", timeBars()));
        sections.add(new Bars("Bytes copied for one image", "Written by steps that move activations and compute nothing.",
                bars("copyBytes", value -> Table.bytes((long) value))));
        sections.add(new Bars("Accuracy", "On " + images + " of " + available + " bundled test images.", bars("top1", DemoReport::percent)));
        sections.add(new Figures("All figures", "Difference: from the network with zeroed weights in the reference engine, relative (L2).", rows()));
        if (!curves.isEmpty()) {
            sections.add(new Curves("Accuracy over time", "Each point prunes another share of the input channels, without retraining. Baseline and"
                    + " upscale are the same network, so they have the same accuracy.", Curves.Measure.time("time of one image"),
                    Curves.Measure.percent("top-1 accuracy"), curves));
        }
        sections.addAll(PlanSections.of(compared));
        sections.add(new Glossary("The variants", "", meanings()));
        return new Page("upscale: a pruned network without copies", summary(), sections).html();
    }

    private List<Bars.Bar> timeBars() {
        List<Bars.Bar> bars = new ArrayList<>();
        variants.forEach((variant, fields) -> bars.add(timeBar(variant.label(), fields, variant == Variant.UPSCALE)));
        peers.forEach((name, fields) -> bars.add(timeBar(name, fields, false)));
        return bars;
    }

    private static Bars.Bar timeBar(String name, Map<String, Object> fields, boolean best) {
        long median = (long) fields.get("medianNs");
        return new Bars.Bar(name, median, (long) fields.get("p25Ns"), (long) fields.get("p75Ns"), Table.time(median), best);
    }

    private List<Bars.Bar> bars(String field, DoubleFunction<String> text) {
        List<Bars.Bar> bars = new ArrayList<>();
        variants.forEach((variant, fields) -> {
            double value = ((Number) fields.get(field)).doubleValue();
            bars.add(new Bars.Bar(variant.label(), value, 0, 0, text.apply(value), variant == Variant.UPSCALE));
        });
        return bars;
    }
}
