package dev.upscale.order;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** One problem of {@code ordering_oracle.json} with its optimum by exhaustive search and what apple/ml-upscale reaches. */
record OracleInstance(
        int index,
        String kind,
        OrderingProblem unweighted,
        OrderingProblem weighted,
        double bestUnweighted,
        double bestWeighted,
        double reference,
        double referenceWeighted) {

    static List<OracleInstance> all() {
        try (InputStream in = OracleInstance.class.getResourceAsStream("ordering_oracle.json")) {
            List<OracleInstance> instances = new ArrayList<>();
            for (JsonNode node : new ObjectMapper().readTree(in)) {
                int n = node.get("n").asInt();
                List<int[]> sets = new ArrayList<>();
                node.get("sets").forEach(set -> sets.add(ints(set)));
                double[] weights = new double[sets.size()];
                for (int i = 0; i < weights.length; i++) {
                    weights[i] = node.get("alt_weights").get(i).asDouble();
                }
                instances.add(new OracleInstance(instances.size(), node.get("kind").asString(),
                        OrderingProblem.of(n, sets), OrderingProblem.of(n, sets, weights),
                        node.get("best_cost_unweighted").asDouble(), node.get("best_cost_alt_weighted").asDouble(),
                        node.get("reference_cost").asDouble(), node.get("reference_cost_alt_weighted").asDouble()));
            }
            return instances;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int[] ints(JsonNode array) {
        int[] ints = new int[array.size()];
        for (int i = 0; i < ints.length; i++) {
            ints[i] = array.get(i).asInt();
        }
        return ints;
    }
}
