package dev.upscale.cli;

import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanFile;
import dev.upscale.plan.PlanSummary;
import dev.upscale.plan.PlanText;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "explain",
        description = "Each copy that is left in a plan: its bytes, why it is there, what would remove it; memory and its lower bound.")
final class ExplainCommand extends Console {
    @Parameters(paramLabel = "PLAN", description = "a plan that compile made")
    private Path file;

    @Option(names = "--steps", description = "print every step as well: kernel, shapes, places")
    private boolean steps;

    @Override
    public Integer call() {
        Plan plan = PlanFile.read(file);
        print(PlanFields.explained(plan), describe(plan) + (steps ? PlanText.print(plan) : ""));
        return 0;
    }

    static String describe(Plan plan) {
        PlanSummary summary = PlanSummary.of(plan);
        StringBuilder text = new StringBuilder();
        text.append(String.format(Locale.ROOT, "%s, variant %s, for %s: %d steps, %.1f M multiply-adds%n", plan.model(), plan.variant(),
                plan.target(), plan.steps().size(), plan.multiplyAdds() / 1e6));
        text.append(String.format(Locale.ROOT, "%d copies write %s; hidden copies %s; folded gathers write %s more%n", summary.copies(),
                Table.bytes(summary.copyBytes()), Table.bytes(summary.hiddenCopyBytes()), Table.bytes(summary.foldedBytes())));
        text.append(String.format(Locale.ROOT, "%d of %d consumers read a view; arena %s (at least %s); weights %s%n", summary.views(),
                summary.consumers(), Table.bytes(summary.arenaBytes()), Table.bytes(summary.arenaLowerBoundBytes()),
                Table.bytes(summary.weightsBytes())));
        for (PlanSummary.Remaining copy : summary.remaining()) {
            text.append(String.format(Locale.ROOT, "%n%s %s: %s%n  %s%n", copy.kind().name().toLowerCase(Locale.ROOT),
                    Table.bytes(copy.bytes()), copy.name(), copy.reason()));
        }
        return text.toString();
    }
}
