package dev.upscale.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/**
 * One network of a study.
 *
 * @param model the file's name
 * @param heuristic how channels were rated
 * @param method unconstrained or constrained
 * @param amount the share of channels pruned
 * @param compensated whether its weights were solved for
 * @param multiplyAdds its share of the unpruned network's
 * @param seconds what making and classifying took
 */
record StudyPoint(String model, String heuristic, String method, double amount, boolean compensated, double top1, double top5,
        double agreement, double multiplyAdds, double seconds) {

    /** What its plan's time depends on: weights do not count. */
    static String pattern(String model, String heuristic, String method, double amount) {
        return model + " " + heuristic + " " + method + " " + amount;
    }

    String pattern() {
        return pattern(model, heuristic, method, amount);
    }

    String key() {
        return pattern() + (compensated ? " compensated" : "");
    }

    /** What points of one curve share. */
    String curve() {
        return heuristic + ", " + method + (compensated ? ", compensated" : "");
    }

    /** The fields of the documents; a ratio of 0 stands for one that was not measured. */
    Map<String, Object> fields(double timeRatio) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("model", model);
        fields.put("heuristic", heuristic);
        fields.put("method", method);
        fields.put("amount", amount);
        fields.put("compensated", compensated);
        fields.put("top1", top1);
        fields.put("top5", top5);
        fields.put("agreement", agreement);
        fields.put("multiplyAdds", multiplyAdds);
        fields.put("seconds", seconds);
        if (timeRatio > 0) {
            fields.put("timeRatio", timeRatio);
        }
        return fields;
    }

    static StudyPoint of(JsonNode json) {
        return new StudyPoint(json.path("model").asString(), json.path("heuristic").asString(), json.path("method").asString(),
                json.path("amount").asDouble(), json.path("compensated").asBoolean(), json.path("top1").asDouble(), json.path("top5").asDouble(),
                json.path("agreement").asDouble(), json.path("multiplyAdds").asDouble(), json.path("seconds").asDouble());
    }
}
