package dev.upscale.bench;

import java.util.List;
import java.util.Locale;

/** What bf16 gains and loses: the tables of documents {@code bf16.NETWORK.*} of {@code docs/results}, which hold each network in f32 and in bf16. */
final class PrecisionResults {
    /** How names of such documents begin. */
    static final String PREFIX = "bf16.";
    private static final String REDUCED = "@bf16";
    private static final String NONE = "Not measured yet: `bench/measure.sh --bf16` measures.\n";

    private PrecisionResults() {}

    /** For {@code docs/cpu-engines.md}. */
    static String tables(List<ResultsDocument> all) {
        if (all.isEmpty()) {
            return NONE;
        }
        StringBuilder text = new StringBuilder();
        ResultsTables.bySetting(all).forEach((setting, documents) -> text.append(ResultsTables.measured(documents)).append("Whole networks, ").append(setting)
                .append(", `--costs measured` (f32 with Winograd), ms, medians of turns in one process. Pruned is variant `upscale`: ")
                .append(ResultsTables.pruning(documents))
                .append(".\nThe ratio is that of bf16 to f32 in turns; the error is relative L2 of the outputs in bf16 against double precision.\n\n")
                .append(rows(documents)).append('\n'));
        return text.toString();
    }

    private static MarkdownTable rows(List<ResultsDocument> documents) {
        MarkdownTable table = new MarkdownTable("network", "unpruned: f32", "bf16", "ratio", "error", "pruned: f32", "bf16", "ratio", "error");
        for (ResultsDocument document : documents) {
            table.row(document.network(),
                    time(document, "unpruned"), time(document, "unpruned" + REDUCED), ratio(document, "unpruned"), error(document, "unpruned"),
                    time(document, "upscale"), time(document, "upscale" + REDUCED), ratio(document, "upscale"), error(document, "upscale"));
        }
        return table.row("geometric mean", "", "", mean(documents, "unpruned"), "", "", "", mean(documents, "upscale"), "");
    }

    private static String time(ResultsDocument document, String contender) {
        return document.times().containsKey(contender) ? String.format(Locale.ROOT, "%.2f", document.times().get(contender).medianNs() / 1e6) : "";
    }

    private static String ratio(ResultsDocument document, String variant) {
        return ResultsTables.ratio(document.ratio(variant + REDUCED, variant));
    }

    private static String error(ResultsDocument document, String variant) {
        ResultsDocument.Times times = document.times().get(variant + REDUCED);
        return times == null || Double.isNaN(times.relL2()) ? "" : String.format(Locale.ROOT, "%.1e", times.relL2());
    }

    private static String mean(List<ResultsDocument> documents, String variant) {
        return ResultsTables.ratio(ResultsTables.mean(documents, document -> document.ratio(variant + REDUCED, variant)));
    }
}
