package dev.upscale.cli;

import dev.upscale.graph.InvalidInput;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a study has found so far: lines of JSON in its folder, appended as they come, so that a study that was stopped goes on. */
final class StudyRecord {
    private static final JsonMapper JSON = new JsonMapper();

    private final Path folder;
    private final Map<String, StudyPoint> points = new LinkedHashMap<>();
    private final Map<String, Double> ratios = new LinkedHashMap<>();
    private final Map<String, Double> unpruned = new LinkedHashMap<>();

    StudyRecord(Path folder) {
        this.folder = folder;
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new InvalidInput("--output " + folder + " cannot be made: " + e, e);
        }
        for (JsonNode line : lines("points.jsonl")) {
            StudyPoint point = StudyPoint.of(line);
            points.put(point.key(), point);
        }
        lines("times.jsonl").forEach(line -> ratios.put(line.path("pattern").asString(), line.path("timeRatio").asDouble()));
        lines("unpruned.jsonl").forEach(line -> unpruned.put(line.path("model").asString(), line.path("top1").asDouble()));
    }

    /** The whole lines of a file; one that was cut off is passed over. */
    private List<JsonNode> lines(String name) {
        Path file = folder.resolve(name);
        if (!Files.exists(file)) {
            return List.of();
        }
        try {
            return Files.readAllLines(file).stream().filter(line -> !line.isBlank()).map(line -> {
                try {
                    return JSON.readTree(line);
                } catch (JacksonException e) {
                    return JSON.createObjectNode();
                }
            }).filter(line -> !line.isEmpty()).toList();
        } catch (IOException e) {
            throw new InvalidInput(file + " cannot be read: " + e, e);
        }
    }

    private void append(String name, Map<String, Object> fields) {
        try {
            Files.writeString(folder.resolve(name), "\n" + Json.write(fields), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new InvalidInput(folder.resolve(name) + " cannot be written: " + e, e);
        }
    }

    boolean has(String key) {
        return points.containsKey(key);
    }

    void add(StudyPoint point) {
        points.put(point.key(), point);
        append("points.jsonl", point.fields(0));
    }

    boolean isTimed(String pattern) {
        return ratios.containsKey(pattern);
    }

    void addTime(String pattern, double ratio, double medianNs) {
        ratios.put(pattern, ratio);
        append("times.jsonl", Map.of("pattern", pattern, "timeRatio", ratio, "medianNs", medianNs));
    }

    boolean knowsUnpruned(String model) {
        return unpruned.containsKey(model);
    }

    void addUnpruned(String model, double top1) {
        unpruned.put(model, top1);
        append("unpruned.jsonl", Map.of("model", model, "top1", top1));
    }

    Collection<StudyPoint> points() {
        return points.values();
    }

    /** A pattern's time over the unpruned network's; 0 if it was not measured. */
    double ratio(StudyPoint point) {
        return ratios.getOrDefault(point.pattern(), 0.0);
    }

    /** Top-1 of the unpruned networks. */
    Map<String, Double> unpruned() {
        return unpruned;
    }

    Map<String, Object> document() {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("unprunedTop1", unpruned);
        document.put("points", points.values().stream().map(point -> point.fields(ratio(point))).toList());
        return document;
    }

    String csv() {
        StringBuilder csv = new StringBuilder("model,heuristic,method,amount,compensated,top1,top5,agreement,multiply_adds,time_ratio,seconds\n");
        for (StudyPoint point : points.values()) {
            csv.append(String.format(Locale.ROOT, "%s,%s,%s,%s,%s,%.4f,%.4f,%.4f,%.4f,%s,%.2f%n", point.model(), point.heuristic(), point.method(),
                    point.amount(), point.compensated(), point.top1(), point.top5(), point.agreement(), point.multiplyAdds(),
                    ratio(point) > 0 ? String.format(Locale.ROOT, "%.4f", ratio(point)) : "", point.seconds()));
        }
        return csv.toString();
    }
}
