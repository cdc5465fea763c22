package dev.upscale.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What {@link SiblingTable} measured, as a table of {@code docs/cpu-engines.md}. */
final class SiblingResults {
    /** Of the documents' folder. */
    static final String FILE = "siblings.json";
    private static final String NONE = "Not measured yet: `bench/siblings.sh` measures.\n";

    private SiblingResults() {}

    /** The table of a folder's document. */
    static String table(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        return Files.exists(file) ? table(JsonMapper.shared().readTree(Files.readString(file))) : NONE;
    }

    static String table(JsonNode document) {
        MarkdownTable table = new MarkdownTable("network", "mask", "batch", "threads", "tensors", "network, ms", "siblings, µs", "multiply-adds, all merged",
                "time, all merged", "share of the network", "time, but for concats", "share of the network");
        TreeSet<String> measured = new TreeSet<>();
        for (JsonNode row : document.required("rows")) {
            measured.add(row.required("date").stringValue() + " at commit " + row.required("commit").stringValue());
            double separate = row.required("separateNs").doubleValue();
            double network = row.required("networkNs").doubleValue();
            table.row(row.required("network").stringValue(), row.required("mask").stringValue(), row.required("batch").toString(),
                    row.required("threads").toString(), row.required("groups").toString(), String.format(Locale.ROOT, "%.2f", network / 1e6),
                    String.format(Locale.ROOT, "%.0f", separate / 1e3),
                    ratio(row.required("mergedMultiplyAdds").doubleValue(), row.required("multiplyAdds").doubleValue()),
                    ratio(row.required("mergedNs").doubleValue(), separate), share(row.required("mergedNs").doubleValue() - separate, network),
                    ratio(row.required("besideConcatsNs").doubleValue(), separate), share(row.required("besideConcatsNs").doubleValue() - separate, network));
        }
        return ResultsDocument.processor(document) + "; upscale "
                + document.required("versions").required("upscale").stringValue() + "; measured on " + String.join(", ", measured) + ".\n\n" + table;
    }

    private static String ratio(double one, double other) {
        return String.format(Locale.ROOT, "%.3f", one / other);
    }

    private static String share(double difference, double whole) {
        return String.format(Locale.ROOT, "%+.2f %%", 100 * difference / whole);
    }
}
