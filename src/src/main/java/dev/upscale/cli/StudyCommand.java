package dev.upscale.cli;

import dev.upscale.Upscale;
import dev.upscale.channels.Masking;
import dev.upscale.channels.Pattern;
import dev.upscale.channels.PatternFile;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.RecogniseShuffles;
import dev.upscale.compile.Variant;
import dev.upscale.compress.Accuracy;
import dev.upscale.compress.Checkpoint;
import dev.upscale.compress.Compensation;
import dev.upscale.compress.Criteria;
import dev.upscale.compress.Images;
import dev.upscale.compress.Inference;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Tensor;
import dev.upscale.onnx.ImportOptions;
import dev.upscale.onnx.OnnxImporter;
import dev.upscale.plan.Plan;
import dev.upscale.prune.Heuristic;
import dev.upscale.prune.PruneOptions;
import dev.upscale.prune.Pruner;
import dev.upscale.prune.Ratings;
import dev.upscale.prune.WeightRatings;
import dev.upscale.runtime.SessionOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "study",
        description = {
            "Accuracy of a grid of pruned networks: heuristics, amounts and methods, with and without compensation; with --time, their time too.",
            "Writes study.csv, study.json, study.html and plots into a folder. Stopped, it goes on where it was when it is started again with the same folder."
        })
final class StudyCommand extends Console {
    private static final int USUAL_BATCH = 50;

    @Parameters(paramLabel = "MODEL", arity = "1..*", description = "the networks: ONNX files, gzipped or not")
    private List<Path> models;

    @Option(names = "--data", paramLabel = "DIR", arity = "1..2", required = true, description = "labelled images, as for eval")
    private List<Path> data;

    @Option(names = "--calibrate", paramLabel = "DATA", description = "unlabelled inputs, for --compensate and for heuristics hrank and residual")
    private Path calibration;

    @Option(names = "--heuristics", paramLabel = "H,H", split = ",", description = "l1, l2, lamp, fpgm, hrank, residual, random (default: l2);"
            + " none for --patterns alone")
    private List<String> heuristics = List.of("l2");

    @Option(names = "--amounts", paramLabel = "A,A", split = ",", description = "shares of channels to prune (default: 0.1,0.2,0.3,0.4,0.5)")
    private List<Double> amounts = List.of(0.1, 0.2, 0.3, 0.4, 0.5);

    @Option(names = "--methods", paramLabel = "M,M", split = ",", description = "unconstrained, constrained (default: both)")
    private List<String> methods = List.of("unconstrained", "constrained");

    @Option(names = "--patterns", paramLabel = "NAME=FILE", description = "a pattern to study beside the grid, of one MODEL; may be repeated")
    private Map<String, Path> patterns = new LinkedHashMap<>();

    @Option(names = "--compensate", description = "solve for the weights that remain, from the inputs of --calibrate, instead of leaving them as they were")
    private boolean compensate;

    @Option(names = "--time", description = "time every pattern that was not timed before, in turns with the unpruned network, at batch 1")
    private boolean timed;

    @Option(names = "--seconds", paramLabel = "S", defaultValue = "0.5", description = "time for each contender of --time (default: 0.5 s)")
    private double seconds;

    @Option(names = "--images", paramLabel = "N", defaultValue = "512", description = "calibration inputs, at most (default: 512)")
    private int images;

    @Option(names = "--stop-after", paramLabel = "S", defaultValue = "1e9", description = "begin nothing more after that many seconds; the rest is for the next time")
    private double stopAfter;

    @Mixin
    private DataArguments normalisation;

    @Mixin
    private EngineArguments engine;

    @Option(names = {"-o", "--output"}, paramLabel = "DIR", required = true, description = "where to write the results")
    private Path output;

    private final long begun = System.nanoTime();

    /** A cell of the grid, or a pattern that was given by name. */
    private record Cell(String heuristic, String method, double amount) {
        String pattern(String model) {
            return StudyPoint.pattern(model, heuristic, method, amount);
        }

        Heuristic rating() {
            return PruneCommand.named(Heuristic.class, "--heuristics", heuristic);
        }

        PruneOptions options() {
            return PruneOptions.of(amount, PruneCommand.named(PruneOptions.Method.class, "--methods", method));
        }
    }

    private static final String GIVEN = "given";

    @Override
    public Integer call() {
        List<Cell> cells = cells();
        StudyRecord record = new StudyRecord(output);
        int missing = 0;
        for (Path model : models) {
            missing += accuracies(model, cells, record);
        }
        if (timed) {
            for (Path model : models) {
                missing += times(model, cells, record);
            }
        }
        write(record);
        Map<String, Object> document = new LinkedHashMap<>(record.document());
        document.put("missing", missing);
        document.put("folder", output.toString());
        print(document, describe(record) + (missing > 0 ? missing + " left; run the same again to go on\n" : "") + "Tables and plots: " + output + "\n");
        return 0;
    }

    private List<Cell> cells() {
        if (heuristics.equals(List.of("none"))) {
            heuristics = List.of();
        }
        boolean needsInputs = compensate || heuristics.stream().anyMatch(name -> !PruneCommand.named(Heuristic.class, "--heuristics", name).isOfWeights());
        if (needsInputs && calibration == null) {
            throw new InvalidInput("--compensate and the heuristics hrank and residual need unlabelled inputs: give --calibrate DATA");
        }
        List<Cell> cells = new ArrayList<>();
        for (String heuristic : heuristics) {
            for (String method : methods) {
                for (double amount : amounts) {
                    Cell cell = new Cell(heuristic, method, amount);
                    cell.options();
                    cells.add(cell);
                }
            }
        }
        if (!patterns.isEmpty() && models.size() > 1) {
            throw new InvalidInput("--patterns belong to one MODEL, and " + models.size() + " are given");
        }
        patterns.forEach((name, file) -> {
            Cell cell = new Cell(name, GIVEN, 0);
            Path own = patternFile(cell.pattern(models.getFirst().getFileName().toString()));
            Pattern pattern = PatternFile.read(file.toString());
            OutputFile.write(own, path -> PatternFile.write(pattern, path));
            cells.add(cell);
        });
        return cells;
    }

    private boolean isLate() {
        return (System.nanoTime() - begun) / 1e9 > stopAfter;
    }

    /** Classifies what was not classified before. Returns how many points are missing still. */
    private int accuracies(Path file, List<Cell> cells, StudyRecord record) {
        String model = file.getFileName().toString();
        List<Cell> open = cells.stream().filter(cell -> !record.has(cell.pattern(model) + (compensate ? " compensated" : ""))).toList();
        if (open.isEmpty() || isLate()) {
            return open.size();
        }
        progress("study %s ...", model);
        Graph graph = read(file, USUAL_BATCH);
        DataSet set = normalisation.read(data, true, EvalCommand.shape(graph));
        float[] whole = scores(graph, Variant.UNPRUNED, set);
        if (!record.knowsUnpruned(model)) {
            record.addUnpruned(model, Accuracy.of(whole, set.classes()).top1());
        }
        Workbench workbench = new Workbench(model, read(file, PruneCommand.USUAL_BATCH), graph, set, whole, new HashMap<>());
        int done = 0;
        for (Cell cell : open) {
            if (isLate()) {
                break;
            }
            record.add(point(workbench, cell));
            bar("study " + model).at(++done, open.size(), cell.pattern(model));
        }
        return open.size() - done;
    }

    /** What the points of one network share. */
    private record Workbench(String model, Graph solving, Graph graph, DataSet set, float[] whole, Map<String, Ratings> ratings) {}

    private StudyPoint point(Workbench workbench, Cell cell) {
        long start = System.nanoTime();
        Pattern pattern = pattern(workbench, cell);
        Graph pruned = compensate
                ? Compensation.apply(workbench.graph, pattern, Compensation.solve(workbench.solving, pattern,
                        inputs(workbench.solving), Compensation.Options.of(engine.threads()), Checkpoint.none(), bar("solve")))
                : Masking.apply(workbench.graph, pattern);
        float[] scores = scores(pruned, Variant.UPSCALE, workbench.set);
        Accuracy accuracy = Accuracy.of(scores, workbench.set.classes());
        double share = (double) Upscale.compile(pruned, CompileOptions.of(Variant.UPSCALE)).multiplyAdds()
                / Upscale.compile(workbench.graph, CompileOptions.of(Variant.UNPRUNED)).multiplyAdds();
        return new StudyPoint(workbench.model, cell.heuristic, cell.method, cell.amount, compensate, accuracy.top1(), accuracy.top5(),
                Accuracy.agreement(scores, workbench.whole, accuracy.images()), share, (System.nanoTime() - start) / 1e9);
    }

    /** A cell's pattern, from the folder if it was made before. */
    private Pattern pattern(Workbench workbench, Cell cell) {
        Path file = patternFile(cell.pattern(workbench.model));
        if (Files.exists(file)) {
            return PatternFile.read(file.toString());
        }
        Ratings ratings = workbench.ratings.computeIfAbsent(cell.heuristic + " " + (cell.rating() == Heuristic.RESIDUAL ? cell.method : ""),
                key -> ratings(workbench.solving, cell));
        Pattern pattern = Pruner.prune(RecogniseShuffles.apply(workbench.solving), ratings, cell.options());
        OutputFile.write(file, path -> PatternFile.write(pattern, path));
        return pattern;
    }

    private Path patternFile(String pattern) {
        return output.resolve(pattern.replace(' ', '-') + ".pattern.json");
    }

    private Ratings ratings(Graph graph, Cell cell) {
        return switch (cell.rating()) {
            case HRANK -> Criteria.ranks(graph, inputs(graph).limit(128), bar("rank"));
            case RESIDUAL -> Criteria.residuals(graph, inputs(graph), cell.options().method(), Compensation.Options.of(engine.threads()), bar("eliminate"));
            default -> new WeightRatings(RecogniseShuffles.apply(graph), cell.rating(), 0);
        };
    }

    private Images inputs(Graph graph) {
        return normalisation.read(List.of(calibration), false, EvalCommand.shape(graph)).images().limit(images);
    }

    private float[] scores(Graph graph, Variant variant, DataSet set) {
        return Inference.scores(graph, engine.optionsWithoutTiming(variant), set.images(), engine.threads(), bar("classify"));
    }

    private static Graph read(Path file, int batch) {
        return OnnxImporter.read(file, ImportOptions.defaults().withBatch(batch));
    }

    /** Times what was not timed before, all in one contest. Returns how many patterns are missing still. */
    private int times(Path file, List<Cell> cells, StudyRecord record) {
        String model = file.getFileName().toString();
        List<String> open = cells.stream().map(cell -> cell.pattern(model))
                .filter(pattern -> !record.isTimed(pattern) && Files.exists(patternFile(pattern))).toList();
        if (open.isEmpty() || isLate()) {
            return open.size();
        }
        progress("time %d patterns of %s ...", open.size(), model);
        Graph graph = Upscale.read(file);
        DataSet set = normalisation.read(data, true, EvalCommand.shape(graph));
        float[] image = new float[Math.toIntExact(graph.type(graph.inputs().getFirst()).elements())];
        set.images().fill(0, 1, image);
        Contest contest = new Contest();
        Map<String, Runner> runners = new LinkedHashMap<>();
        try {
            runners.put("unpruned", open(graph, Variant.UNPRUNED, image));
            for (String pattern : open) {
                runners.put(pattern, open(Masking.apply(graph, PatternFile.read(patternFile(pattern).toString())), Variant.UPSCALE, image));
            }
            runners.forEach((name, runner) -> contest.add(name, runner::run));
            contest.run(Duration.ofMillis((long) (1000 * seconds * runners.size())), 5);
        } finally {
            runners.values().forEach(Runner::close);
        }
        open.forEach(pattern -> record.addTime(pattern, contest.ratio(pattern, "unpruned"), contest.timing(pattern).medianNs()));
        return 0;
    }

    private Runner open(Graph graph, Variant variant, float[] image) {
        Plan plan = Upscale.compile(graph, engine.options(variant));
        String input = graph.inputs().getFirst();
        return Runner.open(plan, SessionOptions.threads(engine.threads()), Map.of(input, Tensor.of(graph.type(input), image)));
    }

    private void write(StudyRecord record) {
        OutputFile.write(output.resolve("study.csv"), path -> Files.writeString(path, record.csv()));
        OutputFile.write(output.resolve("study.json"), path -> Files.writeString(path, Json.write(record.document())));
        if (!record.points().isEmpty()) {
            OutputFile.write(output.resolve("study.html"), path -> Files.writeString(path, StudyPage.html(record)));
        }
        plot(record, "accuracy-over-amount", "share of channels pruned", StudyPoint::amount);
        plot(record, "accuracy-over-multiply-adds", "share of multiply-adds left", StudyPoint::multiplyAdds);
        plot(record, "accuracy-over-time", "time over the unpruned network's", record::ratio);
    }

    private void plot(StudyRecord record, String name, String axis, ToDoubleFunction<StudyPoint> place) {
        LineChart chart = new LineChart("Accuracy of pruned networks", axis, "top-1 accuracy");
        record.unpruned().forEach(chart::level);
        for (StudyPoint point : record.points()) {
            if (place.applyAsDouble(point) > 0) {
                chart.add(point.model(), point.curve(), place.applyAsDouble(point), point.top1());
            }
        }
        OutputFile.write(output.resolve(name + ".svg"), path -> Files.writeString(path, chart.svg()));
    }

    private static String describe(StudyRecord record) {
        boolean timed = record.points().stream().anyMatch(point -> record.ratio(point) > 0);
        List<String> head = new ArrayList<>(List.of("network", "heuristic", "method", "amount", "top-1", "of multiply-adds"));
        if (timed) {
            head.add("of time");
        }
        Table table = new Table(head.toArray(String[]::new));
        for (StudyPoint point : record.points()) {
            double ratio = record.ratio(point);
            List<Object> row = new ArrayList<>(List.of(point.model(), point.heuristic(), point.method() + (point.compensated() ? ", compensated" : ""),
                    point.amount(), String.format(Locale.ROOT, "%.4f", point.top1()), String.format(Locale.ROOT, "%.3f", point.multiplyAdds())));
            if (timed) {
                row.add(ratio > 0 ? String.format(Locale.ROOT, "%.3f", ratio) : "");
            }
            table.row(row.toArray());
        }
        return table.toString();
    }
}
