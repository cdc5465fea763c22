package dev.upscale.cli;

import dev.upscale.Upscale;
import dev.upscale.compile.Precision;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.plan.Plan;
import dev.upscale.runtime.SessionOptions;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "verify",
        description = "Compares all variants with the masked model in the reference engine: largest absolute and relative difference."
                + " Exit code 1 where one is above the tolerance.")
final class VerifyCommand extends Console {
    static final double TOLERANCE = 2e-5;

    /** Rounding all factors to 8 bits moves the logits of the eight networks that docs/cpu-engines.md lists by 6e-4 to 8e-2. */
    static final double BF16_TOLERANCE = 1e-1;

    @Mixin
    private ModelArguments model;

    @Mixin
    private EngineArguments engines;

    @Option(names = "--variants", paramLabel = "V,V", split = ",", description = "unpruned, constrained, baseline, paper, upscale (default: all)")
    private List<String> variants = Arrays.stream(Variant.values()).map(Variant::label).toList();

    @Option(names = "--tolerance", paramLabel = "X", description = "largest relative difference (L2) that passes (default: "
            + TOLERANCE + "; with --precision bf16 " + BF16_TOLERANCE + ")")
    private Double tolerance;

    /** The result. */
    record Report(String model, double tolerance, boolean passed, Map<String, Difference> variants) {}

    @Override
    public Integer call() {
        List<Variant> chosen = variants.stream().map(EngineArguments::variant).toList();
        Graph graph = model.read();
        Networks networks = new Networks(graph, model.pattern(graph), model.inputs(graph));
        Map<String, Difference> differences = new LinkedHashMap<>();
        for (Variant variant : chosen) {
            progress("verify %s ...", variant.label());
            Plan plan = Upscale.compile(networks.of(variant), engines.options(variant));
            differences.put(variant.label(), difference(plan, networks, variant, engines.threads()));
        }
        double most = tolerance == null ? tolerance(engines.precision()) : tolerance;
        boolean passed = differences.values().stream().allMatch(difference -> difference.isWithin(most));
        print(new Report(model.name(), most, passed, differences), describe(differences, most));
        return passed ? 0 : Main.FAILED;
    }

    /** Runs a plan once, in memory full of NaN, and compares. */
    static Difference difference(Plan plan, Networks networks, Variant variant, int threads) {
        try (Runner runner = Runner.open(plan, SessionOptions.threads(threads).withPoison(), networks.inputs())) {
            runner.run();
            return Difference.of(runner.outputs(), networks.truth(variant));
        }
    }

    static double tolerance(Precision precision) {
        return precision == Precision.BF16 ? BF16_TOLERANCE : TOLERANCE;
    }

    private String describe(Map<String, Difference> differences, double most) {
        Table table = new Table("variant", "largest difference", "relative (L2)", "");
        differences.forEach((variant, difference) -> table.row(variant, String.format(Locale.ROOT, "%.3g", difference.maxAbs()),
                String.format(Locale.ROOT, "%.3g", difference.relL2()), difference.isWithin(most) ? "" : "ABOVE " + most));
        return table + (engines.precision() == Precision.BF16 ? "Factors rounded to bf16: tolerance " + most + ".\n" : "");
    }
}
