package dev.upscale.cli;

import dev.upscale.Upscale;
import dev.upscale.channels.Masking;
import dev.upscale.channels.Pattern;
import dev.upscale.channels.PatternFile;
import dev.upscale.compile.Variant;
import dev.upscale.compress.Checkpoint;
import dev.upscale.compress.Compensation;
import dev.upscale.compress.CurveBuilder;
import dev.upscale.compress.Images;
import dev.upscale.compress.LayerCurves;
import dev.upscale.compress.Solution;
import dev.upscale.compress.Tuning;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Tensor;
import dev.upscale.onnx.OnnxExporter;
import dev.upscale.runtime.SessionOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

@Command(
        name = "tune",
        description = {
            "Finds the pattern that costs a classifier least within a budget of time, with what kernels cost on this machine and what",
            "unlabelled inputs say of each layer; the plan's time is measured. With --weights, the weights that remain are solved for."
        })
final class TuneCommand extends Console {
    @Mixin
    private ModelFile model;

    @Mixin
    private EngineArguments engine;

    @Option(names = "--data", paramLabel = "DATA", required = true, description = "unlabelled inputs: an IDX or npy file, or a folder of IDX files or of images")
    private Path data;

    @Option(names = "--latency-ratio", paramLabel = "R", required = true, description = "the budget: time over that of the unpruned network, between 0 and 1")
    private double ratio;

    @Option(names = {"-o", "--output"}, paramLabel = "PATTERN", required = true, description = "where to write the pattern")
    private Path output;

    @Option(names = "--weights", paramLabel = "OUT.onnx", description = "where to write the network with the weights solved for")
    private Path weights;

    @Option(names = "--curves", paramLabel = "FILE", description = "where to keep what was found of the layers, for the next budget (default: beside PATTERN)")
    private Path curvesFile;

    @Option(names = "--curves-only", description = "stop when the layers have been looked at: nothing is timed")
    private boolean curvesOnly;

    @Option(names = "--images", paramLabel = "N", defaultValue = "512", description = "inputs that are used, at most (default: 512)")
    private int images;

    @Option(names = "--probes", paramLabel = "N", defaultValue = "256", description = "of them, inputs on which the network's outputs are looked at (default: 256)")
    private int probes;

    @Option(names = "--ridge", paramLabel = "R", description = "as for prune (default: " + Compensation.USUAL_RIDGE + ")")
    private double ridge = Compensation.USUAL_RIDGE;

    @Option(names = "--workers", paramLabel = "T", description = "threads that solve (default: one for each processor)")
    private int workers = Runtime.getRuntime().availableProcessors();

    @Option(names = "--seconds", paramLabel = "S", defaultValue = "1", description = "timing of each plan (default: 1 s)")
    private double seconds;

    @Mixin
    private DataArguments normalisation;

    @Override
    public Integer call() {
        if (!(ratio > 0 && ratio < 1) || images < 1 || probes < 1 || workers < 1 || !(ridge >= 0) || !(seconds > 0)) {
            throw new InvalidInput("--latency-ratio " + ratio + " must lie between 0 and 1, and --images, --probes, --workers and --seconds be positive");
        }
        if (engine.options(Variant.UNPRUNED).costs().isEmpty()) {
            throw new InvalidInput("tune searches by what kernels cost here: leave --costs measured, the default");
        }
        Graph graph = model.read();
        Graph batched = model.readBatched(PruneCommand.USUAL_BATCH);
        if (batched.type(batched.outputs().getFirst()).rank() != 2) {
            throw new InvalidInput(model.name() + " gives " + batched.type(batched.outputs().getFirst()) + "; tune compares scores of classes [N, classes]");
        }
        Images inputs = normalisation.read(List.of(data), false, EvalCommand.shape(batched)).images().limit(images);
        LayerCurves curves = curves(batched, inputs);
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("model", model.name());
        if (curvesOnly) {
            fields.put("consumers", curves.consumers().size());
            print(fields, String.format(Locale.ROOT, "%s: looked at %d consumers%n", model.name(), curves.consumers().size()));
            return 0;
        }
        List<Tuning.Round> rounds = search(graph, curves, inputs);
        Tuning.Round best = rounds.getLast();
        OutputFile.write(output, file -> PatternFile.write(best.pattern(), file));
        fields.put("pattern", output.toString());
        fields.put("latencyRatio", ratio);
        fields.put("predictedRatio", best.predictedRatio());
        fields.put("measuredRatio", best.measuredRatio());
        fields.put("rounds", rounds.size());
        fields.put("retainedChannels", best.pattern().consumers().values().stream().mapToLong(channels -> channels.length).sum());
        if (weights != null) {
            compensate(graph, batched, best.pattern(), inputs, fields);
        }
        print(fields, String.format(Locale.ROOT, "%s: %.3f of the unpruned time measured (%.3f predicted) for a budget of %.3f; %d channels are read%n", output,
                best.measuredRatio(), best.predictedRatio(), ratio, fields.get("retainedChannels"))
                + (weights == null ? "" : String.format(Locale.ROOT, "%s: weights solved for from %d inputs%n", weights, inputs.count())));
        return best.measuredRatio() <= ratio ? 0 : Main.FAILED;
    }

    /** Read from their file if they were found before; the file is written otherwise. */
    private LayerCurves curves(Graph batched, Images inputs) {
        Path file = curvesFile != null ? curvesFile : output.resolveSibling(output.getFileName() + ".curves.json");
        if (Files.exists(file)) {
            try {
                return new JsonMapper().readValue(InputFile.read(file), LayerCurves.class);
            } catch (JacksonException e) {
                throw new InvalidInput(file + " holds no curves: " + Main.oneLine(e.getOriginalMessage()) + "; delete it, and it is made again", e);
            }
        }
        progress("look at the layers of %s with %d inputs ...", model.name(), inputs.count());
        LayerCurves curves = CurveBuilder.build(batched, inputs, inputs.limit(probes), Compensation.Options.of(workers).withRidge(ridge), bar("layers"));
        OutputFile.write(file, path -> Files.writeString(path, Json.write(curves)));
        return curves;
    }

    private List<Tuning.Round> search(Graph graph, LayerCurves curves, Images inputs) {
        String input = graph.inputs().getFirst();
        float[] values = new float[Math.toIntExact(graph.type(input).elements())];
        inputs.fill(0, graph.type(input).dim(0), values);
        progress("time the steps of %s ...", model.name());
        Tuning tuning = new Tuning(graph, curves, engine.options(Variant.UNPRUNED), values, engine.threads());
        Map<String, Tensor> given = Map.of(input, Tensor.of(graph.type(input), values));
        try (Runner unpruned = Runner.open(Upscale.compile(graph, engine.options(Variant.UNPRUNED)), SessionOptions.threads(engine.threads()), given)) {
            return tuning.within(ratio, pattern -> measure(graph, pattern, unpruned, given));
        }
    }

    private double measure(Graph graph, Pattern pattern, Runner unpruned, Map<String, Tensor> given) {
        try (Runner pruned = Runner.open(Upscale.compile(Masking.apply(graph, pattern), engine.options(Variant.UPSCALE)),
                SessionOptions.threads(engine.threads()), given)) {
            Contest contest = new Contest().add("unpruned", unpruned::run).add("pruned", pruned::run);
            contest.run(Duration.ofMillis((long) (2000 * seconds)), 5);
            double measured = contest.ratio("pruned", "unpruned");
            progress("timed a plan: %.3f of the unpruned time ...", measured);
            return measured;
        }
    }

    private void compensate(Graph graph, Graph batched, Pattern pattern, Images inputs, Map<String, Object> fields) {
        progress("solve for the weights of %s from %d inputs ...", model.name(), inputs.count());
        Checkpoint checkpoint = Checkpoint.in(weights.resolveSibling(weights.getFileName() + ".work"), batched, pattern, inputs, ridge);
        Map<String, Solution> solutions = Compensation.solve(batched, pattern, inputs, Compensation.Options.of(workers).withRidge(ridge), checkpoint,
                bar("compensate"));
        OutputFile.write(weights, file -> OnnxExporter.write(Compensation.apply(graph, pattern, solutions), model.path(), file));
        checkpoint.discard();
        fields.put("weights", weights.toString());
        fields.put("images", inputs.count());
    }
}
