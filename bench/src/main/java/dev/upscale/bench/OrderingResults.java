package dev.upscale.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What {@link OrderingTable} found, as a table of {@code docs/ordering.md}. */
final class OrderingResults {
    /** Of the documents' folder. */
    static final String FILE = "ordering.json";
    private static final String NONE = "Not measured yet: `bench/ordering.sh` measures.\n";

    private OrderingResults() {}

    /** The table of a folder's document. */
    static String table(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        return Files.exists(file) ? table(JsonMapper.shared().readTree(Files.readString(file))) : NONE;
    }

    static String table(JsonNode document) {
        MarkdownTable table = new MarkdownTable("problems", "number", "sets, at most", "all sets cost", "`upscale`", "proven lower bound", "optimum known by",
                "optimal on", "median", "worst");
        for (JsonNode row : document.required("rows")) {
            boolean known = !row.required("optimumBy").stringValue().isEmpty();
            table.row(row.required("family").stringValue(), row.required("problems").toString(), row.required("mostSets").toString(), number(row, "total"),
                    number(row, "cost"), number(row, "lowerBound"), known ? row.required("optimumBy").stringValue() : "its lower bound",
                    (known ? row.required("problems") : row.required("proven")).toString(), milliseconds(row, "medianMs"), milliseconds(row, "worstMs"));
        }
        return ResultsDocument.processor(document) + "; JDK " + document.required("versions").required("JDK").stringValue()
                + ", one thread, a cold process; seed " + document.required("seed") + "; measured on " + document.required("date").stringValue()
                + " at commit " + document.required("commit").stringValue() + ".\n\n" + table;
    }

    private static String number(JsonNode row, String field) {
        return String.format(Locale.ROOT, "%,.0f", row.required(field).doubleValue());
    }

    private static String milliseconds(JsonNode row, String field) {
        return String.format(Locale.ROOT, "%.2f ms", row.required(field).doubleValue());
    }
}
