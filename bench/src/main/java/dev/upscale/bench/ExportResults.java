package dev.upscale.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What {@link ExportTable} measured, as tables. */
final class ExportResults {
    /** Of the documents' names, before the number of threads. */
    static final String PREFIX = "exports.threads";

    private ExportResults() {}

    static List<JsonNode> readAll(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            List<JsonNode> documents = new ArrayList<>();
            for (Path file : files.filter(file -> file.getFileName().toString().startsWith(PREFIX)).sorted().toList()) {
                documents.add(JsonMapper.shared().readTree(Files.readString(file)));
            }
            return documents;
        }
    }

    static String tables(List<JsonNode> documents) {
        StringBuilder text = new StringBuilder();
        for (JsonNode document : documents) {
            text.append("**").append(document.required("threads").intValue()).append(" thread").append(document.required("threads").intValue() == 1 ? "" : "s")
                    .append("**; ").append(origin(document)).append("\n\n").append(table(document)).append('\n');
        }
        return text.toString();
    }

    private static String origin(JsonNode document) {
        return ResultsDocument.processor(document) + ", ONNX Runtime "
                + document.required("versions").path("onnxruntime").asString("?") + "; measured on " + document.required("date").stringValue() + " at commit "
                + document.required("commit").stringValue() + ".";
    }

    private static String table(JsonNode document) {
        MarkdownTable table = new MarkdownTable("network and mask", "largest difference from ours", "gathers, original order", "gathers, slices, our order",
                "ONNX Runtime, original order", "our order", "our order over original", "ours over ONNX Runtime in our order");
        double logOfExports = 0;
        double logOfOurs = 0;
        int rows = 0;
        for (JsonNode row : document.required("rows")) {
            double toOriginal = row.required("exportToOriginal").doubleValue();
            double toExport = row.required("oursToExport").doubleValue();
            logOfExports += Math.log(toOriginal);
            logOfOurs += Math.log(toExport);
            rows++;
            table.row(row.required("network").stringValue() + " " + row.required("mask").stringValue(),
                    String.format(Locale.ROOT, "%.1e", row.required("relL2").doubleValue()), row.required("originalGathers").toString(),
                    row.required("gathers") + ", " + row.required("slices"), milliseconds(row, "originalNs"), milliseconds(row, "exportNs"),
                    ratio(toOriginal), ratio(toExport));
        }
        return table.row("geometric mean", "", "", "", "", "", ratio(Math.exp(logOfExports / rows)), ratio(Math.exp(logOfOurs / rows))).toString();
    }

    private static String milliseconds(JsonNode row, String field) {
        return String.format(Locale.ROOT, "%.2f ms", row.required(field).longValue() / 1e6);
    }

    private static String ratio(double ratio) {
        return String.format(Locale.ROOT, "%.2f", ratio);
    }
}
