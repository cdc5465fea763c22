package dev.upscale.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * One network measured in one setting, as a file of {@code docs/results} holds it: what {@code ./upscale bench --json} printed,
 * and on which machine, with which versions and when.
 *
 * @param times by contender: variants, peers ({@code onnxruntime}) and peers on the exported network ({@code onnxruntime@export})
 * @param plans by variant
 * @param predictions by variant, of those whose steps were timed
 * @param coreDistanceNs of a cache line's way from one core to another and back, the median of the rounds; not a number if it was not sampled
 */
record ResultsDocument(String network, String pattern, int batch, int threads, double coreDistanceNs, Origin origin, Map<String, Times> times, Map<String, PlanFacts> plans,
        Map<String, Prediction> predictions) {
    private static final JsonMapper JSON = new JsonMapper();

    /** How documents of other tables begin. */
    private static final List<String> OTHERS = List.of(KernelResults.PREFIX, PassResults.PREFIX, ExportResults.PREFIX, PrecisionResults.PREFIX,
            PytorchResults.PREFIX, PruningResults.PREFIX, GpuResults.PREFIX, OrderingResults.FILE, SiblingResults.FILE);

    /** Where and when it was measured. */
    record Origin(String date, String commit, String processor, String machine, Map<String, String> versions) {}

    /**
     * How long runs of a contender took.
     *
     * @param ratio the median of its time over the unpruned network's on our kernels
     * @param ratioToBound the median of its time over that of its plan without copies; not a number where that was not kept
     * @param relL2 how far its output was from the reference engine's, relative; not a number for a bound without valid results
     */
    record Times(double medianNs, double p25Ns, double p75Ns, double ratio, double ratioToBound, double relL2) {}

    /** What a variant's plan computes and copies in one run. */
    record PlanFacts(long multiplyAdds, long copies, long copyBytes, long hiddenCopyBytes, long foldedBytes) {}

    /** The times of a plan's steps over what measured costs said of them. */
    record Prediction(double median, double greatest, double ofTotals) {}

    /** The time of a contender over the unpruned network's; not a number if it was not timed. */
    double ratio(String contender) {
        return times.containsKey(contender) ? times.get(contender).ratio : Double.NaN;
    }

    /** The time of one contender over another's; not a number if either was not timed. */
    double ratio(String contender, String other) {
        return ratio(contender) / ratio(other);
    }

    /** The time of {@code upscale} over that of its bound; not a number if either was not timed. */
    double overBound() {
        double kept = times.containsKey("upscale") ? times.get("upscale").ratioToBound : Double.NaN;
        return Double.isNaN(kept) ? ratio("upscale", "copy-free") : kept;
    }

    /** The multiply-adds of the pruned network over the unpruned one's. */
    double multiplyAddsLeft() {
        return plans.containsKey("upscale") && plans.containsKey("unpruned")
                ? (double) plans.get("upscale").multiplyAdds / plans.get("unpruned").multiplyAdds : Double.NaN;
    }

    /** 10⁹ floating-point operations in a second, of a contender on the unpruned network; not a number if it was not timed. */
    double unprunedGflops(String contender) {
        return times.containsKey(contender) && plans.containsKey("unpruned")
                ? 2.0 * plans.get("unpruned").multiplyAdds / times.get(contender).medianNs : Double.NaN;
    }

    /**
     * A document from what the commands printed.
     *
     * @param doctor of {@code ./upscale doctor --json}; only what does not tell whose machine it is goes into the document
     * @param bench  of {@code ./upscale bench --json}
     */
    static JsonNode assemble(JsonNode doctor, JsonNode bench, String pattern, String date, String commit) {
        ObjectNode document = JSON.createObjectNode();
        document.put("network", bench.required("model").stringValue().replaceFirst("\\.onnx(\\.gz)?$", ""));
        document.put("pattern", pattern);
        document.put("date", date);
        document.put("commit", commit);
        describe(document, doctor);
        document.set("bench", withoutSteps(bench));
        return document;
    }

    /** Of a profile, only what sums it up is kept. */
    private static JsonNode withoutSteps(JsonNode bench) {
        JsonNode kept = bench.deepCopy();
        kept.required("variants").forEach(variant -> {
            if (variant.path("profile") instanceof ObjectNode profile) {
                profile.remove("steps");
            }
        });
        return kept;
    }

    /** Says on what machine, and with what versions. */
    static void describe(ObjectNode document, JsonNode doctor) {
        ObjectNode machine = document.putObject("machine");
        machine.set("processor", doctor.required("processor").path("processor"));
        machine.set("vectors", doctor.required("processor").path("vectors"));
        if (doctor.required("processor").has("caches")) {
            machine.set("caches", doctor.required("processor").required("caches"));
        }
        machine.set("system", doctor.required("system"));
        machine.set("cores", doctor.required("cores"));
        ObjectNode versions = document.putObject("versions");
        versions.set("upscale", doctor.required("version"));
        versions.set("JDK", doctor.required("java").required("version"));
        for (JsonNode library : doctor.required("libraries")) {
            if (library.required("found").booleanValue()) {
                String instructionSet = library.path("instructionSet").asString("");
                versions.put(library.required("name").stringValue(),
                        library.required("version").stringValue() + (instructionSet.isEmpty() ? "" : " (" + instructionSet + ")"));
            }
        }
        doctor.required("peers").forEach(peer -> versions.set(peer.required("name").stringValue(), peer.required("version")));
    }

    /**
     * All documents of networks in a folder, by batch, threads, mask and network; none if there is no such folder.
     *
     * @throws IllegalArgumentException if one is not such a document; the message names it
     */
    static List<ResultsDocument> readAll(Path folder) throws IOException {
        return readAll(folder, ResultsDocument::isOne);
    }

    /** As {@link #readAll(Path)}, of those whose names begin alike. */
    static List<ResultsDocument> readAll(Path folder, String prefix) throws IOException {
        return readAll(folder, file -> isDocument(file) && file.getFileName().toString().startsWith(prefix));
    }

    private static List<ResultsDocument> readAll(Path folder, Predicate<Path> chosen) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        List<ResultsDocument> documents = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(chosen).toList()) {
                documents.add(read(file));
            }
        }
        documents.sort(Comparator.comparing(ResultsDocument::batch).thenComparing(ResultsDocument::threads)
                .thenComparing(ResultsDocument::pattern, Comparator.reverseOrder()).thenComparing(ResultsDocument::network));
        return documents;
    }

    private static boolean isOne(Path file) {
        return isDocument(file) && OTHERS.stream().noneMatch(file.getFileName().toString()::startsWith);
    }

    private static boolean isDocument(Path file) {
        return file.getFileName().toString().endsWith(".json");
    }

    private static ResultsDocument read(Path file) throws IOException {
        try {
            return of(JSON.readTree(Files.readString(file)));
        } catch (JacksonException e) {
            throw new IllegalArgumentException(file + " is not a results document: " + e.getOriginalMessage() + "; measure again with bench/measure.sh", e);
        }
    }

    static ResultsDocument of(JsonNode document) {
        JsonNode bench = document.required("bench");
        Map<String, Times> times = new LinkedHashMap<>();
        Map<String, PlanFacts> plans = new LinkedHashMap<>();
        Map<String, Prediction> predictions = new LinkedHashMap<>();
        bench.required("variants").forEachEntry((variant, fields) -> {
            times.put(variant, times(fields));
            plans.put(variant, new PlanFacts(count(fields, "multiplyAdds"), count(fields, "copies"), count(fields, "copyBytes"),
                    count(fields, "hiddenCopyBytes"), count(fields, "foldedBytes")));
            JsonNode prediction = fields.path("profile").path("prediction");
            if (prediction.isObject()) {
                predictions.put(variant,
                        new Prediction(number(prediction, "median"), number(prediction, "greatest"), number(prediction, "ofTotals")));
            }
        });
        bench.required("peers").forEachEntry((peer, networks) -> networks.forEachEntry((network, fields) ->
                times.put(network.equals("unpruned") ? peer : peer + "@" + network, times(fields))));
        return new ResultsDocument(document.required("network").stringValue(), document.required("pattern").stringValue(),
                bench.required("batch").intValue(), bench.required("threads").intValue(),
                bench.path("coreDistance").path("medianNs").asDouble(Double.NaN), origin(document), times, plans, predictions);
    }

    private static Origin origin(JsonNode document) {
        return new Origin(document.required("date").stringValue(), document.required("commit").stringValue(), processor(document), machine(document),
                versions(document));
    }

    /** The processor's name. */
    static String processor(JsonNode document) {
        return document.required("machine").required("processor").stringValue();
    }

    /** The machine in words. */
    static String machine(JsonNode document) {
        JsonNode machine = document.required("machine");
        return processor(document) + ", " + machine.required("cores").intValue() + " cores (" + list(machine.required("vectors"))
                + (machine.has("caches") ? "; caches of " + list(machine.required("caches")) : "") + "), " + machine.required("system").stringValue();
    }

    private static String list(JsonNode texts) {
        return texts.valueStream().map(JsonNode::stringValue).collect(Collectors.joining(", "));
    }

    private static Map<String, String> versions(JsonNode document) {
        Map<String, String> versions = new LinkedHashMap<>();
        document.required("versions").forEachEntry((library, version) -> versions.put(library, version.stringValue()));
        return versions;
    }

    private static Times times(JsonNode fields) {
        return new Times(number(fields, "medianNs"), number(fields, "p25Ns"), number(fields, "p75Ns"), number(fields, "ratioToUnpruned"),
                fields.path("ratioToCopyFree").asDouble(Double.NaN), fields.path("relL2").asDouble(Double.NaN));
    }

    private static double number(JsonNode fields, String name) {
        return fields.required(name).doubleValue();
    }

    private static long count(JsonNode fields, String name) {
        return fields.required(name).longValue();
    }
}
