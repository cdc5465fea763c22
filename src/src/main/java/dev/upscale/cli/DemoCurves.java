package dev.upscale.cli;

import dev.upscale.Upscale;
import dev.upscale.channels.Pattern;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.RecogniseShuffles;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Tensor;
import dev.upscale.plan.Plan;
import dev.upscale.prune.Heuristic;
import dev.upscale.prune.PruneOptions;
import dev.upscale.prune.Pruner;
import dev.upscale.report.Curves;
import dev.upscale.runtime.SessionOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Accuracy and time of one network at several amounts of pruning; all plans take turns.
 *
 * @param single the network for one image
 * @param batched the same for the batch that accuracy is measured with
 * @param image one image
 */
record DemoCurves(Graph single, Graph batched, Heuristic heuristic, Tensor image) {
    private static final List<Variant> VARIANTS = List.of(Variant.CONSTRAINED, Variant.BASELINE, Variant.UPSCALE);

    /** Measures the accuracy of a plan for a batch. */
    interface Accuracy {
        double of(Runner runner, Variant variant);
    }

    private record Measured(Variant variant, double amount, double accuracy, Runner runner) {
        String name() {
            return variant.label() + " " + amount;
        }
    }

    /** A curve for each variant, unpruned at its left. */
    List<Curves.Series> measure(List<Double> amounts, int threads, double seconds, Accuracy accuracy, Consumer<String> progress) {
        List<Measured> all = new ArrayList<>();
        try {
            all.add(unpruned(threads, accuracy));
            for (double amount : amounts.stream().filter(amount -> amount > 0).sorted().toList()) {
                progress.accept(String.format(Locale.ROOT, "curve: compile and classify with %.0f %% pruned ...", 100 * amount));
                all.addAll(pruned(amount, threads, accuracy));
            }
            progress.accept(String.format(Locale.ROOT, "curve: time %d plans in turns for %.0f s ...", all.size(), seconds * all.size() / 2));
            Contest contest = new Contest();
            all.forEach(one -> contest.add(one.name(), one.runner::run));
            contest.run(Duration.ofMillis((long) (1000 * seconds * all.size() / 2)), 5);
            return VARIANTS.stream().map(variant -> series(variant, all, contest)).toList();
        } finally {
            all.forEach(one -> one.runner.close());
        }
    }

    private static Curves.Series series(Variant variant, List<Measured> all, Contest contest) {
        return new Curves.Series(variant.label(), all.stream().filter(one -> one.variant == variant || one.variant == Variant.UNPRUNED)
                .map(one -> new Curves.Point(one.variant == Variant.UNPRUNED ? "unpruned" : String.format(Locale.ROOT, "%.0f %%", 100 * one.amount),
                        contest.timing(one.name()).medianNs(), one.accuracy)).toList());
    }

    private Measured unpruned(int threads, Accuracy accuracy) {
        double right = classify(batched, Variant.UNPRUNED, threads, accuracy);
        return new Measured(Variant.UNPRUNED, 0, right, open(single, Variant.UNPRUNED, threads));
    }

    private List<Measured> pruned(double amount, int threads, Accuracy accuracy) {
        Pattern pattern = Pruner.prune(RecogniseShuffles.apply(single), heuristic, amount, PruneOptions.Method.UNCONSTRAINED);
        Map<Variant, Double> accuracies = new LinkedHashMap<>();
        accuracies.put(Variant.CONSTRAINED, classify(Networks.of(Variant.CONSTRAINED, batched, pattern), Variant.CONSTRAINED, threads, accuracy));
        accuracies.put(Variant.UPSCALE, classify(Networks.of(Variant.UPSCALE, batched, pattern), Variant.UPSCALE, threads, accuracy));
        accuracies.put(Variant.BASELINE, accuracies.get(Variant.UPSCALE));
        return VARIANTS.stream().map(variant -> new Measured(variant, amount, accuracies.get(variant),
                open(Networks.of(variant, single, pattern), variant, threads))).toList();
    }

    private double classify(Graph network, Variant variant, int threads, Accuracy accuracy) {
        String input = network.inputs().getFirst();
        Tensor nothing = Tensor.of(network.type(input), new float[Math.toIntExact(network.type(input).elements())]);
        try (Runner runner = Runner.open(Upscale.compile(network, CompileOptions.of(variant)), SessionOptions.threads(threads), Map.of(input, nothing))) {
            return accuracy.of(runner, variant);
        }
    }

    private Runner open(Graph network, Variant variant, int threads) {
        Plan plan = Upscale.compile(network, EngineArguments.chosenBy("measured", threads, CompileOptions.of(variant)));
        return Runner.open(plan, SessionOptions.threads(threads), Map.of(network.inputs().getFirst(), image));
    }
}
