package dev.upscale.cli;

import dev.upscale.channels.Masking;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.Variant;
import dev.upscale.compress.Accuracy;
import dev.upscale.compress.Inference;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.onnx.ImportOptions;
import dev.upscale.onnx.OnnxImporter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "eval",
        description = {
            "Classifies labelled images with the pruned network: the share whose label has the highest score (top-1), or is among the",
            "five highest (top-5), and the share that the unpruned network classifies alike."
        })
final class EvalCommand extends Console {
    private static final int USUAL_BATCH = 50;

    @Mixin
    private ModelArguments model;

    @Mixin
    private EngineArguments engine;

    @Mixin
    private DataArguments normalisation;

    @Option(names = "--data", paramLabel = "DIR", arity = "1..2", required = true, description = "a folder of IDX files with images and labels, or two files"
            + " (IDX or npy, gzipped or not): images and labels. Arrays of floats are taken as they are")
    private List<Path> data;

    @Option(names = "--reference", paramLabel = "MODEL", description = "the unpruned network, if MODEL is not it (a compensated one has other weights)")
    private Path reference;

    @Option(names = "--images", paramLabel = "N", defaultValue = "2147483647", description = "only the first N images (default: all)")
    private int most;

    @Override
    public Integer call() {
        if (most < 1) {
            throw new InvalidInput("--images " + most + " is no number of images");
        }
        Graph graph = model.readBatched(USUAL_BATCH);
        List<Integer> shape = shape(graph);
        DataSet set = normalisation.read(data, true, shape).limit(most);
        progress("classify %d images with %s ...", set.images().count(), model.name());
        Graph masked = Masking.apply(graph, model.pattern(graph));
        float[] scores = scores(masked, Variant.UPSCALE, set, "classify");
        Graph unpruned = reference == null ? graph : OnnxImporter.read(reference, ImportOptions.defaults().withBatch(graph.type(graph.inputs().getFirst()).dim(0)));
        float[] whole = scores(unpruned, Variant.UNPRUNED, set, "unpruned");
        if (whole.length != scores.length) {
            throw new InvalidInput(reference + " gives " + whole.length / set.images().count() + " scores, and " + model.name() + " "
                    + scores.length / set.images().count());
        }
        print(fields(set, scores, whole));
        return 0;
    }

    private float[] scores(Graph graph, Variant variant, DataSet set, String title) {
        CompileOptions options = engine.optionsWithoutTiming(variant);
        return Inference.scores(graph, options, set.images(), engine.threads(), bar(title));
    }

    /** The shape of one input: what is behind the batch. */
    static List<Integer> shape(Graph graph) {
        if (graph.inputs().size() != 1 || graph.type(graph.inputs().getFirst()).rank() < 2) {
            throw new InvalidInput("model " + graph.name() + " has inputs " + graph.inputs() + "; data are for networks with one input");
        }
        List<Integer> dims = graph.type(graph.inputs().getFirst()).dims();
        return dims.subList(1, dims.size());
    }

    private Map<String, Object> fields(DataSet set, float[] scores, float[] whole) {
        Accuracy accuracy = Accuracy.of(scores, set.classes());
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("model", model.name());
        fields.put("images", accuracy.images());
        fields.put("top1", accuracy.top1());
        fields.put("top5", accuracy.top5());
        fields.put("agreement", Accuracy.agreement(scores, whole, accuracy.images()));
        fields.put("unprunedTop1", Accuracy.of(whole, set.classes()).top1());
        return fields;
    }

    private void print(Map<String, Object> fields) {
        print(fields, String.format(Locale.ROOT, "%s: top-1 %.4f, top-5 %.4f on %d images; %.4f classified as the unpruned network does (its top-1: %.4f)%n",
                fields.get("model"), fields.get("top1"), fields.get("top5"), fields.get("images"), fields.get("agreement"), fields.get("unprunedTop1")));
    }
}
