package dev.upscale.bench;

import dev.upscale.bench.ResultsDocument.PlanFacts;
import dev.upscale.bench.ResultsDocument.Times;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The tables of measured networks, in Markdown. Every number comes from the documents. */
final class ResultsTables {
    private static final String PEER = "onnxruntime";
    private static final String EXPORT = "onnxruntime@export";
    private static final List<String> PRUNED = List.of("constrained", "baseline", "paper", "upscale");
    static final List<String> UNCONSTRAINED = List.of("baseline", "paper", "upscale");
    private static final String ABLATION = "upscale-";
    private static final String BOUND = "copy-free";
    private static final String NONE = "Not measured yet: `bench/measure.sh` measures.\n";

    private ResultsTables() {}

    /** A batch size, a number of threads, and the mask. */
    record Setting(int batch, int threads, String pattern) {
        @Override
        public String toString() {
            return "batch " + batch + ", " + (threads == 1 ? "one thread" : threads + " threads") + (pattern.equals("l2_0.5") ? "" : ", mask " + pattern);
        }
    }

    /** The documents of each setting, in their order. */
    static Map<Setting, List<ResultsDocument>> bySetting(List<ResultsDocument> documents) {
        return documents.stream().collect(Collectors.groupingBy(document -> new Setting(document.batch(), document.threads(), document.pattern()),
                LinkedHashMap::new, Collectors.toList()));
    }

    /** The setting that is shown first and alone where there is room for one: the smallest batch on the fewest threads. */
    static List<ResultsDocument> headline(List<ResultsDocument> documents) {
        return documents.isEmpty() ? List.of() : bySetting(documents).values().iterator().next();
    }

    /** What was done to the networks, in words. */
    static String pruning(List<ResultsDocument> documents) {
        return documents.stream().map(ResultsDocument::pattern).distinct().map(pattern -> {
            Matcher magnitude = Pattern.compile("l2_(0\\.\\d+)").matcher(pattern);
            return magnitude.matches() ? String.format(Locale.ROOT, "of every convolution but the first and the depthwise ones, the %.0f %% of input"
                    + " channels with the smallest L2 norms are pruned", 100 * Double.parseDouble(magnitude.group(1)))
                    : "channels are pruned by pattern `" + pattern + "`";
        }).collect(Collectors.joining("; "));
    }

    /** For {@code README.md}. */
    static String readme(List<ResultsDocument> all) {
        if (all.isEmpty()) {
            return NONE;
        }
        List<ResultsDocument> documents = headline(all);
        StringBuilder text = new StringBuilder();
        text.append("Time of the pruned network over the unpruned one's (lower is better), and its share of multiply-adds; ")
                .append(pruning(documents)).append(".\n").append(capital(bySetting(documents).keySet().iterator().next().toString())).append("; ")
                .append(String.join("; ", documents.stream().map(document -> document.origin().machine()).distinct().toList())).append(".\n\n");
        text.append("![The figures of the table below as bars](docs/figures/networks.svg)\n\n");
        MarkdownTable table = new MarkdownTable("network", "multiply-adds left", "baseline", "paper", "upscale", "copies left (baseline, paper, upscale)");
        for (ResultsDocument document : documents) {
            table.row(document.network(), ratio(document.multiplyAddsLeft()), ratio(document.ratio("baseline")), ratio(document.ratio("paper")),
                    strong(ratio(document.ratio("upscale"))), copiesLeft(document));
        }
        table.row("geometric mean", ratio(mean(documents, ResultsDocument::multiplyAddsLeft)), meanRatio(documents, "baseline"), meanRatio(documents, "paper"),
                strong(meanRatio(documents, "upscale")), "");
        text.append(table);
        Map<Setting, List<ResultsDocument>> compared = bySetting(all);
        compared.values().removeIf(those -> !those.stream().allMatch(one -> one.times().containsKey(PEER) && one.times().containsKey(EXPORT)));
        if (!compared.isEmpty()) {
            MarkdownTable peers = new MarkdownTable("over ONNX Runtime", "unpruned", "pruned");
            compared.forEach((setting, those) -> peers.row(setting.toString(), overPeer(those, "unpruned", PEER), overPeer(those, "upscale", EXPORT)));
            text.append("\nTime over ONNX Runtime's in the same process, on the same network: geometric means, and the most of any network.\n\n").append(peers);
        }
        return text.append("\n`bench/measure.sh` measures again, on your machine, and rewrites this table.\n").toString();
    }

    private static String overPeer(List<ResultsDocument> documents, String contender, String peer) {
        return ratio(mean(documents, document -> document.ratio(contender, peer))) + " (at most "
                + ratio(documents.stream().mapToDouble(document -> document.ratio(contender, peer)).max().orElseThrow()) + ")";
    }

    /** For {@code docs/benchmarks.md}. */
    static String benchmarks(List<ResultsDocument> all) {
        if (all.isEmpty()) {
            return NONE;
        }
        StringBuilder text = new StringBuilder();
        bySetting(all).forEach((setting, documents) -> text.append("### ").append(capital(setting.toString())).append("\n\n").append(section(documents)));
        return text.toString();
    }

    private static String section(List<ResultsDocument> documents) {
        StringBuilder text = new StringBuilder(measured(documents));
        text.append(capital(pruning(documents))).append(".\n\n");
        text.append("**Unpruned**, against ONNX Runtime:\n\n").append(unpruned(documents));
        text.append("\n**Pruned**: time over the unpruned network's, on our kernels:\n\n").append(pruned(documents));
        text.append("\n**Copies** in one run, and what they write; what `upscale` writes because a gather was folded into a kernel, and within libraries:\n\n")
                .append(copied(documents));
        text.append("\n**ONNX Runtime on the export** of `upscale`:\n\n").append(exported(documents));
        if (documents.stream().anyMatch(document -> !ablations(document).isEmpty())) {
            text.append("\n**Ablation**: `upscale` without one technique at a time, over `upscale` (in bold what is worth more than 1 %):\n\n")
                    .append(ablation(documents));
        }
        text.append('\n').append(accuracy(documents)).append('\n').append(spread(documents)).append(distance(documents)).append('\n');
        return text.append(bound(documents)).append(prediction(documents)).append('\n').toString();
    }

    /** On what machine, with what versions and when the documents were measured: a line for each. */
    static String measured(List<ResultsDocument> documents) {
        StringBuilder text = new StringBuilder();
        origins(documents).forEach((origin, networks) ->
                text.append(origin).append(networks.size() == documents.size() ? "" : " (" + String.join(", ", networks) + ")").append(".\n"));
        return text.toString();
    }

    private static List<String> ablations(ResultsDocument document) {
        return document.times().keySet().stream().filter(contender -> contender.startsWith(ABLATION)).toList();
    }

    private static String ablation(List<ResultsDocument> documents) {
        List<ResultsDocument> ablated = documents.stream().filter(document -> !ablations(document).isEmpty()).toList();
        List<String> contenders = ablated.stream().flatMap(document -> ablations(document).stream()).distinct().toList();
        List<String> heads = new ArrayList<>(List.of("without"));
        ablated.forEach(document -> heads.add(document.network()));
        MarkdownTable table = new MarkdownTable(heads.toArray(String[]::new));
        for (String contender : contenders) {
            List<String> cells = new ArrayList<>(List.of("`" + contender.substring(ABLATION.length()) + "`"));
            for (ResultsDocument document : ablated) {
                double ratio = document.ratio(contender, "upscale");
                PlanFacts facts = document.plans().get(contender);
                cells.add(facts == null ? "" : (ratio > 1.01 ? strong(ratio(ratio)) : ratio(ratio))
                        + (facts.copies() == 0 ? "" : ", " + facts.copies() + " copies" + moved(facts.copyBytes())));
            }
            table.row(cells.toArray(String[]::new));
        }
        return table.toString();
    }

    private static String bound(List<ResultsDocument> documents) {
        List<ResultsDocument> bounded = documents.stream().filter(document -> document.times().containsKey(BOUND)).toList();
        return bounded.isEmpty() ? "" : String.format(Locale.ROOT, "`upscale` takes %.3f times as long as `copy-free`, its bound (geometric mean; at most %.3f).%n",
                mean(bounded, ResultsDocument::overBound), bounded.stream().mapToDouble(ResultsDocument::overBound).max().orElseThrow());
    }

    private static String prediction(List<ResultsDocument> documents) {
        List<ResultsDocument.Prediction> predictions = documents.stream()
                .filter(document -> document.predictions().containsKey("upscale")).map(document -> document.predictions().get("upscale")).toList();
        if (predictions.isEmpty()) {
            return "";
        }
        double[] medians = predictions.stream().mapToDouble(ResultsDocument.Prediction::median).sorted().toArray();
        double[] totals = predictions.stream().mapToDouble(ResultsDocument.Prediction::ofTotals).sorted().toArray();
        return String.format(Locale.ROOT, "The convolutions of `upscale` take %.2f to %.2f times what measured costs predict (medians of the networks;"
                        + " sums %.2f to %.2f; a single step at most %.1f).%n", medians[0], medians[medians.length - 1], totals[0],
                totals[totals.length - 1], predictions.stream().mapToDouble(ResultsDocument.Prediction::greatest).max().orElseThrow());
    }

    /** The networks measured on each machine, with which versions and when. */
    private static Map<String, List<String>> origins(List<ResultsDocument> documents) {
        Map<String, List<String>> networks = new LinkedHashMap<>();
        for (ResultsDocument document : documents) {
            ResultsDocument.Origin origin = document.origin();
            String versions = origin.versions().entrySet().stream().map(version -> version.getKey() + " " + version.getValue())
                    .collect(Collectors.joining(", "));
            networks.computeIfAbsent(origin.machine() + "; " + versions + "; measured on " + origin.date() + " at commit " + origin.commit(),
                    key -> new ArrayList<>()).add(document.network());
        }
        return networks;
    }

    private static String unpruned(List<ResultsDocument> documents) {
        MarkdownTable table = new MarkdownTable("network", "10⁹ multiply-adds", "ours", "GFLOP/s", "ONNX Runtime", "GFLOP/s", "ours over ONNX Runtime");
        for (ResultsDocument document : documents) {
            table.row(document.network(), document.plans().containsKey("unpruned")
                            ? String.format(Locale.ROOT, "%.3f", document.plans().get("unpruned").multiplyAdds() / 1e9) : "",
                    time(document, "unpruned"), gflops(document, "unpruned"), time(document, PEER), gflops(document, PEER),
                    ratio(document.ratio("unpruned", PEER)));
        }
        return table.row("geometric mean", "", "", "", "", "", ratio(mean(documents, document -> document.ratio("unpruned", PEER)))).toString();
    }

    private static String pruned(List<ResultsDocument> documents) {
        MarkdownTable table = new MarkdownTable("network", "multiply-adds left", "constrained", "baseline", "paper", "upscale");
        for (ResultsDocument document : documents) {
            List<String> cells = new ArrayList<>(List.of(document.network(), ratio(document.multiplyAddsLeft())));
            PRUNED.forEach(variant -> cells.add(ratio(document.ratio(variant))));
            table.row(cells.toArray(String[]::new));
        }
        List<String> means = new ArrayList<>(List.of("geometric mean", ratio(mean(documents, ResultsDocument::multiplyAddsLeft))));
        PRUNED.forEach(variant -> means.add(meanRatio(documents, variant)));
        return table.row(means.toArray(String[]::new)).toString();
    }

    private static String copied(List<ResultsDocument> documents) {
        List<String> variants = new ArrayList<>(List.of("unpruned"));
        variants.addAll(PRUNED);
        List<String> heads = new ArrayList<>(List.of("network"));
        heads.addAll(variants);
        heads.addAll(List.of("folded", "in libraries"));
        MarkdownTable table = new MarkdownTable(heads.toArray(String[]::new));
        for (ResultsDocument document : documents) {
            List<String> cells = new ArrayList<>(List.of(document.network()));
            variants.forEach(variant -> cells.add(document.plans().containsKey(variant)
                    ? copies(document, variant) + moved(document.plans().get(variant).copyBytes()) : ""));
            PlanFacts best = document.plans().get("upscale");
            cells.add(best == null ? "" : bytes(best.foldedBytes()));
            cells.add(best == null ? "" : bytes(best.hiddenCopyBytes()));
            table.row(cells.toArray(String[]::new));
        }
        return table.toString();
    }

    private static String exported(List<ResultsDocument> documents) {
        MarkdownTable table = new MarkdownTable("network", "ONNX Runtime", "over ONNX Runtime, unpruned", "`upscale` over ONNX Runtime on the export");
        for (ResultsDocument document : documents) {
            table.row(document.network(), time(document, EXPORT), ratio(document.ratio(EXPORT, PEER)), ratio(document.ratio("upscale", EXPORT)));
        }
        return table.row("geometric mean", "", ratio(mean(documents, document -> document.ratio(EXPORT, PEER))),
                ratio(mean(documents, document -> document.ratio("upscale", EXPORT)))).toString();
    }

    private static String accuracy(List<ResultsDocument> documents) {
        Map<Double, String> where = new TreeMap<>();
        documents.forEach(document -> document.times().forEach((contender, times) -> {
            if (Double.isFinite(times.relL2())) {
                where.putIfAbsent(times.relL2(), "`" + contender + "` of " + document.network());
            }
        }));
        double largest = where.keySet().stream().mapToDouble(Double::doubleValue).max().orElse(0);
        return String.format(Locale.ROOT, "Largest relative L2 difference of any output from the reference engine: %.1e (%s).", largest, where.get(largest));
    }

    /** How far apart the cores were while the networks were timed; nothing where that was not sampled. */
    static String distance(List<ResultsDocument> documents) {
        double[] nanos = documents.stream().mapToDouble(ResultsDocument::coreDistanceNs).filter(Double::isFinite).sorted().toArray();
        return nanos.length == 0 ? "" : String.format(Locale.ROOT, " The cores were %.0f to %.0f ns apart (medians of the networks).", nanos[0],
                nanos[nanos.length - 1]);
    }

    private static String spread(List<ResultsDocument> documents) {
        double[] sorted = documents.stream().flatMap(document -> document.times().values().stream()).mapToDouble(ResultsTables::spread).sorted().toArray();
        return String.format(Locale.ROOT, "The quartiles of a contender's times lie apart by %.1f %% of its median (median over all contenders; at most %.1f %%).",
                50 * (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]), 100 * sorted[sorted.length - 1]);
    }

    private static double spread(Times times) {
        return (times.p75Ns() - times.p25Ns()) / times.medianNs();
    }

    /** The geometric mean over the networks that have the figure; not a number if none has. */
    static double mean(List<ResultsDocument> documents, ToDoubleFunction<ResultsDocument> figure) {
        double logarithm = documents.stream().mapToDouble(figure).filter(Double::isFinite).map(Math::log).average().orElse(Double.NaN);
        return Math.exp(logarithm);
    }

    private static String meanRatio(List<ResultsDocument> documents, String contender) {
        return ratio(mean(documents, document -> document.ratio(contender)));
    }

    private static String time(ResultsDocument document, String contender) {
        return document.times().containsKey(contender) ? String.format(Locale.ROOT, "%.2f ms", document.times().get(contender).medianNs() / 1e6) : "";
    }

    private static String gflops(ResultsDocument document, String contender) {
        double gflops = document.unprunedGflops(contender);
        return Double.isNaN(gflops) ? "" : String.format(Locale.ROOT, "%.1f", gflops);
    }

    private static String copies(ResultsDocument document, String variant) {
        return document.plans().containsKey(variant) ? String.valueOf(document.plans().get(variant).copies()) : "";
    }

    /** The copies of the variants of the unconstrained network, for example {@code 11, 4, 0}. */
    static String copiesLeft(ResultsDocument document) {
        return UNCONSTRAINED.stream().filter(document.plans()::containsKey).map(variant -> copies(document, variant)).collect(Collectors.joining(", "));
    }

    private static String moved(long bytes) {
        return bytes == 0 ? "" : " (" + bytes(bytes) + ")";
    }

    static String ratio(double value) {
        return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%.2f", value);
    }

    private static String bytes(long bytes) {
        return bytes == 0 ? "0" : bytes < 1_000_000 ? String.format(Locale.ROOT, "%.1f kB", bytes / 1e3) : String.format(Locale.ROOT, "%.2f MB", bytes / 1e6);
    }

    private static String strong(String text) {
        return text.isEmpty() ? "" : "**" + text + "**";
    }

    static String capital(String text) {
        return Character.toUpperCase(text.charAt(0)) + text.substring(1);
    }
}
