package dev.upscale.bench;

import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/** Our time over the best peer's, of documents {@code pytorch.NETWORK.*} of {@code docs/results}, which were measured beside ONNX Runtime and PyTorch. */
final class PytorchResults {
    /** How names of such documents begin. */
    static final String PREFIX = "pytorch.";
    private static final List<String> PEERS = List.of("onnxruntime", "pytorch");
    private static final String EXPORT = "@export";
    private static final String NONE = "Not measured yet: `bench/measure.sh --pytorch` measures.\n";

    private PytorchResults() {}

    /** For {@code docs/benchmarks.md}. */
    static String tables(List<ResultsDocument> all) {
        if (all.isEmpty()) {
            return NONE;
        }
        StringBuilder text = new StringBuilder();
        ResultsTables.bySetting(all).forEach((setting, documents) -> text.append("**").append(ResultsTables.capital(setting.toString())).append("**; ")
                .append(ResultsTables.measured(documents)).append("Pruned: ").append(ResultsTables.pruning(documents)).append(".\n\n")
                .append(rows(documents)).append('\n').append(summary(documents)).append(ResultsTables.distance(documents)).append("\n\n"));
        return text.toString();
    }

    private static MarkdownTable rows(List<ResultsDocument> documents) {
        MarkdownTable table = new MarkdownTable("network", "unpruned: ours", "ONNX Runtime", "PyTorch", "ours over the best", "pruned: ours", "ONNX Runtime",
                "PyTorch", "ours over the best");
        for (ResultsDocument document : documents) {
            table.row(document.network(),
                    time(document, "unpruned"), time(document, "onnxruntime"), time(document, "pytorch"), ResultsTables.ratio(unpruned(document)),
                    time(document, "upscale"), time(document, "onnxruntime" + EXPORT), time(document, "pytorch" + EXPORT), ResultsTables.ratio(pruned(document)));
        }
        return table.row("geometric mean", "", "", "", ResultsTables.ratio(ResultsTables.mean(documents, PytorchResults::unpruned)), "", "", "",
                ResultsTables.ratio(ResultsTables.mean(documents, PytorchResults::pruned)));
    }

    private static String summary(List<ResultsDocument> documents) {
        return String.format(Locale.ROOT, "Ours takes %s of the best peer's time on the unpruned networks, %s on the pruned ones. PyTorch takes"
                        + " %.1f and %.1f times as long as ONNX Runtime (geometric means).",
                span(documents, PytorchResults::unpruned), span(documents, PytorchResults::pruned),
                ResultsTables.mean(documents, document -> document.ratio("pytorch", "onnxruntime")),
                ResultsTables.mean(documents, document -> document.ratio("pytorch" + EXPORT, "onnxruntime" + EXPORT)));
    }

    private static String span(List<ResultsDocument> documents, ToDoubleFunction<ResultsDocument> figure) {
        return String.format(Locale.ROOT, "%.2f to %.2f", documents.stream().mapToDouble(figure).min().orElse(Double.NaN),
                documents.stream().mapToDouble(figure).max().orElse(Double.NaN));
    }

    private static double unpruned(ResultsDocument document) {
        return PEERS.stream().mapToDouble(peer -> document.ratio("unpruned", peer)).max().orElse(Double.NaN);
    }

    private static double pruned(ResultsDocument document) {
        return PEERS.stream().mapToDouble(peer -> document.ratio("upscale", peer + EXPORT)).max().orElse(Double.NaN);
    }

    private static String time(ResultsDocument document, String contender) {
        return document.times().containsKey(contender) ? String.format(Locale.ROOT, "%.2f", document.times().get(contender).medianNs() / 1e6) : "";
    }
}
