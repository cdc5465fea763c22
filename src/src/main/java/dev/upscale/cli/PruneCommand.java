package dev.upscale.cli;

import dev.upscale.channels.Pattern;
import dev.upscale.channels.PatternFile;
import dev.upscale.compile.RecogniseShuffles;
import dev.upscale.compress.Checkpoint;
import dev.upscale.compress.Compensation;
import dev.upscale.compress.Criteria;
import dev.upscale.compress.Images;
import dev.upscale.compress.Solution;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.onnx.OnnxExporter;
import dev.upscale.prune.Heuristic;
import dev.upscale.prune.PruneOptions;
import dev.upscale.prune.Pruner;
import dev.upscale.prune.Ratings;
import dev.upscale.prune.WeightRatings;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "prune",
        description = {
            "Makes a pruning pattern, from the network's weights or from what it computes.",
            "With --compensate, the weights that remain are solved for from unlabelled inputs, and a network with them is written."
        })
final class PruneCommand extends Console {
    static final int USUAL_BATCH = 32;

    @Mixin
    private ModelFile model;

    @Option(names = "--heuristic", paramLabel = "H", defaultValue = "l2", description = "how channels are rated: l1, l2 (default), lamp, fpgm, hrank, residual"
            + " (the error left after compensation) or random; hrank and residual need --data or --compensate")
    private String heuristic;

    @Option(names = "--amount", paramLabel = "A", required = true, description = "share of the channels to prune, from 0 to below 1")
    private double amount;

    @Option(names = "--global", description = "rank the channels of all weights together")
    private boolean global;

    @Option(names = "--method", paramLabel = "M", defaultValue = "unconstrained", description = "unconstrained (default): each consumer for itself;"
            + " constrained: one mask for each segment")
    private String method;

    @Option(names = "--side", paramLabel = "S", defaultValue = "input", description = "input (default): what consumers read; output: what producers make")
    private String side;

    @Option(names = "--amount-of", paramLabel = "WEIGHT=A", description = "another amount for one weight; may be repeated")
    private Map<String, Double> amounts = new HashMap<>();

    @Option(names = "--exclude", paramLabel = "WEIGHT", description = "leave one weight whole; may be repeated")
    private List<String> excluded = List.of();

    @Option(names = "--seed", paramLabel = "N", defaultValue = "0", description = "for heuristic random (default: 0)")
    private long seed;

    @Option(names = "--data", paramLabel = "DATA", description = "unlabelled inputs to rate channels by: an IDX or npy file, or a folder of IDX files or of images")
    private Path data;

    @Option(names = "--compensate", paramLabel = "DATA", description = "solve for the weights that remain, from unlabelled inputs (as for --data)")
    private Path compensate;

    @Option(names = "--weights", paramLabel = "OUT.onnx", description = "where to write the network with the weights solved for")
    private Path weights;

    @Option(names = "--images", paramLabel = "N", defaultValue = "512", description = "inputs that are used, at most (default: 512)")
    private int images;

    @Option(names = "--ridge", paramLabel = "R", description = "how strongly weights are held where they were, relative to the mean square of the"
            + " inputs (default: " + Compensation.USUAL_RIDGE + ")")
    private double ridge = Compensation.USUAL_RIDGE;

    @Option(names = "--threads", paramLabel = "T", defaultValue = "1", description = "threads that solve (default: 1)")
    private int threads;

    @Mixin
    private DataArguments normalisation;

    @Option(names = {"-o", "--output"}, paramLabel = "PATTERN", required = true, description = "where to write the pattern")
    private Path output;

    @Override
    public Integer call() {
        Heuristic rating = named(Heuristic.class, "--heuristic", heuristic);
        PruneOptions options = options();
        requireSense();
        progress("prune %s ...", model.name());
        Graph graph = model.read();
        Pattern pattern = Pruner.prune(RecogniseShuffles.apply(graph), ratings(graph, rating, options), options);
        OutputFile.write(output, file -> PatternFile.write(pattern, file));
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("pattern", output.toString());
        fields.put("consumers", pattern.consumers().size());
        fields.put("retainedChannels", pattern.consumers().values().stream().mapToLong(channels -> channels.length).sum());
        fields.put("producers", pattern.producers().size());
        fields.put("retainedFilters", pattern.producers().values().stream().mapToLong(channels -> channels.length).sum());
        String text = options.side() == PruneOptions.Side.INPUT
                ? String.format(Locale.ROOT, "%s: %s consumers retain %s input channels%n", fields.values().toArray())
                : String.format(Locale.ROOT, "%s: %4$s producers retain %5$s output channels%n", fields.values().toArray());
        print(fields, compensate == null ? text : text + compensated(graph, pattern, fields));
        return 0;
    }

    private PruneOptions options() {
        Map<String, Double> special = new HashMap<>(amounts);
        excluded.forEach(weight -> special.put(weight, 0.0));
        PruneOptions options = PruneOptions.of(amount, named(PruneOptions.Method.class, "--method", method))
                .withSide(named(PruneOptions.Side.class, "--side", side)).withAmounts(special);
        return global ? options.globally() : options;
    }

    private void requireSense() {
        if ((compensate == null) != (weights == null)) {
            throw new InvalidInput("--compensate DATA and --weights OUT.onnx go together: what is solved for must be written somewhere");
        }
        if (images < 1 || threads < 1 || !(ridge >= 0)) {
            throw new InvalidInput("--images " + images + ", --threads " + threads + " and --ridge " + ridge + " must be positive");
        }
    }

    private Ratings ratings(Graph graph, Heuristic rating, PruneOptions options) {
        if (rating.isOfWeights() || data == null && compensate == null) {
            return new WeightRatings(graph, rating, seed);
        }
        Graph batched = model.readBatched(USUAL_BATCH);
        Images calibration = images(batched, data == null ? compensate : data);
        return rating == Heuristic.HRANK
                ? Criteria.ranks(batched, calibration, bar("rank"))
                : Criteria.residuals(batched, calibration, options.method(), solving(), bar("eliminate"));
    }

    private Images images(Graph batched, Path from) {
        return normalisation.read(List.of(from), false, EvalCommand.shape(batched)).images().limit(images);
    }

    private Compensation.Options solving() {
        return Compensation.Options.of(threads).withRidge(ridge);
    }

    /** Solves for the weights, writes the network, and adds what there is to say of it. */
    private String compensated(Graph graph, Pattern pattern, Map<String, Object> fields) {
        Graph batched = model.readBatched(USUAL_BATCH);
        Images calibration = images(batched, compensate);
        progress("solve for the weights of %s from %d inputs ...", model.name(), calibration.count());
        long begun = System.nanoTime();
        Path work = weights.resolveSibling(weights.getFileName() + ".work");
        Checkpoint checkpoint = Checkpoint.in(work, batched, pattern, calibration, ridge);
        Map<String, Solution> solutions = Compensation.solve(batched, pattern, calibration, solving(), checkpoint, bar("compensate"));
        Graph solved = Compensation.apply(graph, pattern, solutions);
        OutputFile.write(weights, file -> OnnxExporter.write(solved, model.path(), file));
        checkpoint.discard();
        double seconds = (System.nanoTime() - begun) / 1e9;
        fields.put("weights", weights.toString());
        fields.put("images", calibration.count());
        fields.put("seconds", seconds);
        Map<String, Object> layers = new LinkedHashMap<>();
        solutions.forEach((weight, solution) -> layers.put(weight, Map.of("errorBefore", solution.errorBefore(), "errorAfter", solution.errorAfter())));
        fields.put("layers", layers);
        return String.format(Locale.ROOT, "%s: weights of %d layers from %d inputs in %.1f s; error of their outputs, mean: %.4f before, %.4f after%n",
                weights, solutions.size(), calibration.count(), seconds,
                solutions.values().stream().mapToDouble(Solution::errorBefore).average().orElse(0),
                solutions.values().stream().mapToDouble(Solution::errorAfter).average().orElse(0));
    }

    static <E extends Enum<E>> E named(Class<E> kind, String option, String name) {
        return Arrays.stream(kind.getEnumConstants())
                .filter(constant -> constant.name().toLowerCase(Locale.ROOT).equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidInput(option + " " + name + " is not one of " + String.join(", ",
                        Arrays.stream(kind.getEnumConstants()).map(constant -> constant.name().toLowerCase(Locale.ROOT)).toList())));
    }
}
