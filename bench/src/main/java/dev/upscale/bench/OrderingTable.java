package dev.upscale.bench;

import dev.upscale.Upscale;
import dev.upscale.channels.ChannelFlow;
import dev.upscale.channels.Liveness;
import dev.upscale.channels.PatternFile;
import dev.upscale.compile.Compiler;
import dev.upscale.compile.OrderChannels;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.order.Ordering;
import dev.upscale.order.OrderingProblem;
import dev.upscale.order.Orderings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What {@code bench/ordering.sh} calls: solves the oracle's problems, random ones of a stated seed, and those of each network of a folder
 * with each of its masks. Costs are counted again from the orders, and compared with the optimum wherever it is known otherwise than by
 * the solver: by trying everything, or since it was planted.
 */
public final class OrderingTable {
    /** The seed of random problems, where no other is given. */
    static final String SEED = "2023";

    private static final JsonMapper JSON = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
    private static final String MASKS = ".masks.json";
    private static final int SETS = 12;

    private final ArrayNode rows;
    private final long seed;

    private OrderingTable(ArrayNode rows, long seed) {
        this.rows = rows;
        this.seed = seed;
    }

    /** Solves; exit code 2, with one line, if it cannot, and 1 if a cost is not the optimum. */
    public static void main(String[] arguments) throws IOException {
        try {
            Map<String, String> options = new TreeMap<>(Map.of("seed", SEED));
            for (String argument : arguments) {
                int equals = argument.indexOf('=');
                options.put(argument.substring(0, equals), argument.substring(equals + 1));
            }
            ObjectNode document = JSON.createObjectNode();
            document.put("seed", Long.parseLong(options.get("seed"))).put("date", options.get("date")).put("commit", options.get("commit"));
            ResultsDocument.describe(document, JSON.readTree(Files.readString(Path.of(options.get("doctor")))));
            OrderingTable table = new OrderingTable(document.putArray("rows"), Long.parseLong(options.get("seed")));
            table.oracle(Path.of(options.get("oracle")));
            table.random();
            table.networks(Path.of(options.get("models")));
            Files.writeString(Path.of(options.get("folder")).resolve(OrderingResults.FILE), JSON.writeValueAsString(document) + "\n");
        } catch (IllegalArgumentException | JacksonException | InvalidInput e) {
            System.err.println("ordering: " + e.getMessage());
            System.exit(2);
        } catch (IllegalStateException e) {
            System.err.println("ordering: " + e.getMessage());
            System.exit(1);
        }
    }

    private void oracle(Path file) throws IOException {
        Map<OrderingProblem, Double> plain = new LinkedHashMap<>();
        Map<OrderingProblem, Double> weighted = new LinkedHashMap<>();
        for (JsonNode node : JSON.readTree(Files.readString(file))) {
            List<int[]> sets = new ArrayList<>();
            node.required("sets").forEach(set -> sets.add(JSON.treeToValue(set, int[].class)));
            int n = node.required("n").intValue();
            plain.put(OrderingProblem.of(n, sets), node.required("best_cost_unweighted").doubleValue());
            weighted.put(OrderingProblem.of(n, sets, JSON.treeToValue(node.required("alt_weights"), double[].class)),
                    node.required("best_cost_alt_weighted").doubleValue());
        }
        solve("oracle, all weights 1", "exhaustive search (given)", new ArrayList<>(plain.keySet()), plain::get);
        solve("oracle, weighted", "exhaustive search (given)", new ArrayList<>(weighted.keySet()), weighted::get);
    }

    private void random() {
        random("8 channels, 7 sets", "all orders", 100, random -> OrderingProblems.generic(random, 8, 7, 0.4, false), OrderingProblems::leastOfAllOrders);
        random("8 channels, 7 sets, blocks", "all orders", 100, random -> OrderingProblems.generic(random, 8, 7, 0.4, true),
                OrderingProblems::leastOfAllOrders);
        random("24 channels, 12 sets", "all families of sets", 100, random -> OrderingProblems.generic(random, 24, SETS, 0.2, false),
                OrderingProblems::leastOfAllFamilies);
        for (int n : new int[] {64, 256, 2048}) {
            random("hidden intervals, " + n + " channels, " + SETS + " sets", "planted: 0", 100,
                    random -> OrderingProblems.hiddenIntervals(random, n, SETS), problem -> 0);
        }
        for (int[] shape : new int[][] {{20, 2}, {10, 4}, {5, 8}, {100, 2}, {50, 4}, {25, 8}}) {
            random("layered, " + shape[0] * shape[1] + " sets: " + shape[0] + " layers of " + shape[1], "", 5,
                    random -> OrderingProblems.layered(random, shape[0], shape[1]), null);
        }
    }

    private void random(String family, String optimum, int count, Function<Random, OrderingProblem> problem,
            ToDoubleFunction<OrderingProblem> least) {
        Random random = new Random(seed);
        solve(family, optimum, Stream.generate(() -> problem.apply(random)).limit(count).toList(), least);
    }

    private void networks(Path models) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(models)) {
            files = all.filter(file -> file.getFileName().toString().endsWith(MASKS)).sorted().toList();
        }
        for (Path masks : files) {
            String network = masks.getFileName().toString().replace(MASKS, "");
            Graph graph = Upscale.read(models.resolve(network + ".onnx.gz"));
            List<OrderingProblem> problems = new ArrayList<>();
            List<Ordering> orderings = new ArrayList<>();
            int count = 0;
            for (JsonNode mask : JSON.readTree(Files.readString(masks))) {
                ChannelFlow flow = ChannelFlow.of(Compiler.fold(Upscale.prune(graph, PatternFile.read(masks + "#" + mask.required("mask").stringValue()))));
                for (OrderChannels.Group group : OrderChannels.apply(flow, Liveness.of(flow), OrderChannels.Method.EXACT).groups()) {
                    problems.add(group.problem());
                    orderings.add(group.ordering());
                }
                count++;
            }
            row("segments of " + network + ", " + count + " masks", "", problems, orderings, null);
        }
    }

    private void solve(String family, String optimum, List<OrderingProblem> problems, ToDoubleFunction<OrderingProblem> least) {
        row(family, optimum, problems, problems.stream().map(Orderings::solve).toList(), least);
    }

    private void row(String family, String optimum, List<OrderingProblem> problems, List<Ordering> orderings, ToDoubleFunction<OrderingProblem> least) {
        double total = 0;
        double cost = 0;
        double bound = 0;
        int sets = 0;
        int proven = 0;
        for (int i = 0; i < problems.size(); i++) {
            OrderingProblem problem = problems.get(i);
            Ordering ordering = orderings.get(i);
            double counted = problem.cost(ordering.order());
            if (!problem.respectsBlocks(ordering.order()) || least != null && Math.abs(counted - least.applyAsDouble(problem)) > 1e-9 * problem.totalValue()) {
                throw new IllegalStateException(family + ", problem " + i + ": cost " + counted + " is not the optimum, or a block is torn");
            }
            total += problem.totalValue();
            cost += counted;
            bound += ordering.lowerBound();
            sets = Math.max(sets, problem.sets().size());
            proven += ordering.lowerBound() >= counted - 1e-9 * problem.totalValue() ? 1 : 0;
        }
        double[] ms = orderings.stream().mapToDouble(ordering -> ordering.nanos() / 1e6).sorted().toArray();
        ObjectNode row = rows.addObject().put("family", family).put("problems", problems.size()).put("mostSets", sets).put("optimumBy", optimum)
                .put("total", total).put("cost", cost).put("lowerBound", bound).put("proven", proven)
                .put("medianMs", ms.length == 0 ? 0 : ms[ms.length / 2]).put("worstMs", ms.length == 0 ? 0 : ms[ms.length - 1]);
        System.out.println(JsonMapper.shared().writeValueAsString(row));
    }
}
