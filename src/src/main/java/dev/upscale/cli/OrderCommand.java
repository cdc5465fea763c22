package dev.upscale.cli;

import dev.upscale.graph.InvalidInput;
import dev.upscale.order.Certificate;
import dev.upscale.order.Ordering;
import dev.upscale.order.OrderingProblem;
import dev.upscale.order.Orderings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

@Command(
        name = "order",
        description = {
            "Solves an ordering problem of its own: put n channels in one order so that the sets of channels are contiguous.",
            "The file holds {\"n\": 5, \"sets\": [[0, 2], [2, 4]], \"weights\": [1, 3]}, or a list of such problems; a set that is not"
                    + " contiguous costs its weight (1 where there are none) times its size. \"blocks\" are sets that must be contiguous."
        })
final class OrderCommand extends Console {
    private static final int MOST_CHANNELS = 1 << 20;

    /** Which solver. */
    enum Method { PAPER, UPSCALE }

    @Parameters(paramLabel = "PROBLEM.json", description = "the problem, or a list of problems")
    private Path file;

    @Option(names = "--method", paramLabel = "METHOD", description = "paper (the paper's heuristic) or upscale (exact within a budget; default)")
    private Method method = Method.UPSCALE;

    /** One answer, as the JSON document has it. */
    record Answer(
            int[] order, double cost, List<Integer> contiguous, int contiguousCount, int sets, double lowerBound, boolean optimal,
            CertificateFields certificate, double ms) {

        static Answer of(Ordering ordering) {
            boolean[] contiguous = ordering.contiguous();
            return new Answer(ordering.order(), ordering.cost(),
                    IntStream.range(0, contiguous.length).filter(set -> contiguous[set]).boxed().toList(),
                    ordering.contiguousCount(), contiguous.length, ordering.lowerBound(), ordering.optimal(),
                    CertificateFields.of(ordering.certificate()), ordering.nanos() / 1e6);
        }
    }

    /** A certificate: all sets can be contiguous, or these sets (within these blocks) cannot be together. */
    record CertificateFields(boolean allContiguous, List<Integer> sets, List<Integer> blocks, String text) {
        static CertificateFields of(Certificate certificate) {
            return switch (certificate) {
                case Certificate.AllContiguous all -> new CertificateFields(true, List.of(), List.of(), all.toString());
                case Certificate.Conflict conflict ->
                    new CertificateFields(false, conflict.sets(), conflict.blocks(), conflict.toString());
            };
        }
    }

    @Override
    public Integer call() {
        JsonNode document = Json.read(file);
        List<OrderingProblem> problems = new ArrayList<>();
        if (document.isArray()) {
            for (int i = 0; i < document.size(); i++) {
                problems.add(problem(document.get(i), file + ", problem " + i));
            }
        } else {
            problems.add(problem(document, file.toString()));
        }
        List<Answer> answers = new ArrayList<>();
        for (OrderingProblem problem : problems) {
            answers.add(solve(problem, answers.size()));
        }
        print(document.isArray() ? answers : answers.getFirst(), table(answers));
        return 0;
    }

    private Answer solve(OrderingProblem problem, int index) {
        try {
            return Answer.of(method == Method.PAPER ? Orderings.paper(problem) : Orderings.solve(problem));
        } catch (IllegalArgumentException e) {
            throw new InvalidInput(file + ", problem " + index + ": " + e.getMessage(), e);
        }
    }

    private static OrderingProblem problem(JsonNode document, String where) {
        if (!document.isObject()) {
            throw new InvalidInput(where + ": a problem is an object with n and sets");
        }
        JsonNode n = document.path("n");
        if (!n.isInt() || n.intValue() < 0 || n.intValue() > MOST_CHANNELS) {
            throw new InvalidInput(where + ": n must be a whole number from 0 to " + MOST_CHANNELS);
        }
        double[] weights = document.hasNonNull("weights") ? numbers(document.get("weights"), where + ": weights") : null;
        List<int[]> blocks = document.hasNonNull("blocks") ? sets(document.get("blocks"), where + ": blocks") : null;
        try {
            return new OrderingProblem(n.intValue(), sets(document.path("sets"), where + ": sets"), weights, blocks);
        } catch (IllegalArgumentException e) {
            throw new InvalidInput(where + ": " + e.getMessage(), e);
        }
    }

    private static List<int[]> sets(JsonNode list, String where) {
        if (!list.isArray()) {
            throw new InvalidInput(where + " must be a list of lists of channels");
        }
        List<int[]> sets = new ArrayList<>();
        for (JsonNode set : list) {
            if (!set.isArray()) {
                throw new InvalidInput(where + "[" + sets.size() + "] must be a list of channels");
            }
            int[] channels = new int[set.size()];
            for (int i = 0; i < channels.length; i++) {
                if (!set.get(i).isInt()) {
                    throw new InvalidInput(where + "[" + sets.size() + "][" + i + "] must be a whole number");
                }
                channels[i] = set.get(i).intValue();
            }
            sets.add(channels);
        }
        return sets;
    }

    private static double[] numbers(JsonNode list, String where) {
        if (!list.isArray()) {
            throw new InvalidInput(where + " must be a list of numbers");
        }
        double[] numbers = new double[list.size()];
        for (int i = 0; i < numbers.length; i++) {
            if (!list.get(i).isNumber()) {
                throw new InvalidInput(where + "[" + i + "] must be a number");
            }
            numbers[i] = list.get(i).doubleValue();
        }
        return numbers;
    }

    private String table(List<Answer> answers) {
        StringBuilder text = new StringBuilder();
        for (Answer answer : answers) {
            text.append(String.format(Locale.ROOT, "cost %s (at least %s), %d of %d sets contiguous, %.2f ms%n",
                    Table.number(answer.cost), Table.number(answer.lowerBound), answer.contiguousCount, answer.sets, answer.ms));
            text.append("  ").append(answer.certificate.text).append('\n');
            if (answers.size() == 1) {
                text.append("  order");
                for (int channel : answer.order) {
                    text.append(' ').append(channel);
                }
                text.append('\n');
            }
        }
        return text.toString();
    }
}
