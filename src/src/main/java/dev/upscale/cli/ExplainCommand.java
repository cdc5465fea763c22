package dev.upscale.cli;

import dev.upscale.graph.InvalidInput;
import dev.upscale.plan.Accelerator;
import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanFile;
import dev.upscale.plan.PlanSummary;
import dev.upscale.plan.PlanText;
import dev.upscale.plan.Step;
import dev.upscale.report.Page;
import dev.upscale.report.StepComparison;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "explain",
        description = "Each copy that is left in a plan: its bytes, why it is there, what would remove it; which convolutions are one step; memory and"
                + " its lower bound.")
final class ExplainCommand extends Console {
    @Parameters(paramLabel = "PLAN", description = "a plan that compile made")
    private Path file;

    @Option(names = "--steps", description = "print every step as well: kernel, shapes, places")
    private boolean steps;

    @Option(names = "--against", paramLabel = "PLAN", description = "another plan of the same model, to show beside it in the report")
    private Path other;

    @Option(names = "--report", paramLabel = "FILE.html", description = "write a page: the network by segments, bytes step by step, the arena over time")
    private Path report;

    @Override
    public Integer call() {
        Plan plan = PlanFile.read(file);
        if (report != null) {
            write(plan);
        } else if (other != null) {
            throw new InvalidInput("--against shows a plan in a report; say where with --report FILE.html");
        }
        print(PlanFields.explained(plan), describe(plan) + (steps ? PlanText.print(plan) : ""));
        return 0;
    }

    private void write(Plan plan) {
        List<StepComparison.Timed> plans = new ArrayList<>();
        if (other != null) {
            Plan against = PlanFile.read(other);
            plans.add(PlanSections.untimed(against.variant().equals(plan.variant()) ? other.getFileName().toString() : against.variant(), against));
        }
        plans.add(PlanSections.untimed(plan.variant(), plan));
        Page page = new Page(plan.model() + ": the plan explained", describe(plan).lines().limit(3).collect(Collectors.joining("; ")), PlanSections.of(plans));
        OutputFile.write(report, file -> Files.writeString(file, page.html()));
        progress("the report is in %s", report);
    }

    static String describe(Plan plan) {
        PlanSummary summary = PlanSummary.of(plan);
        StringBuilder text = new StringBuilder();
        text.append(String.format(Locale.ROOT, "%s, variant %s, for %s: %d steps, %.1f M multiply-adds%n", plan.model(), plan.variant(),
                plan.target(), plan.steps().size(), plan.multiplyAdds() / 1e6));
        if (plan.microBatches() > 1) {
            text.append(String.format(Locale.ROOT, "the batch is computed in %d micro-batches; steps and arena are those of one%n", plan.microBatches()));
        }
        text.append(String.format(Locale.ROOT, "%d copies write %s; hidden copies %s; folded gathers write %s more%n", summary.copies(),
                Table.bytes(summary.copyBytes()), Table.bytes(summary.hiddenCopyBytes()), Table.bytes(summary.foldedBytes())));
        text.append(String.format(Locale.ROOT, "%d of %d consumers read a view; arena %s (at least %s); weights %s%n", summary.views(),
                summary.consumers(), Table.bytes(summary.arenaBytes()), Table.bytes(summary.arenaLowerBoundBytes()),
                Table.bytes(summary.weightsBytes())));
        plan.accelerator().flatMap(Accelerator::kernels).ifPresent(kernels -> text.append(String.format(Locale.ROOT,
                "kernels compiled by %s for %s: %s of code, %d functions%n", kernels.compiler(), kernels.architecture(),
                Table.bytes(plan.constants().get(kernels.code()).bytes()), kernels.functions().size())));
        for (PlanSummary.Remaining copy : summary.remaining()) {
            text.append(String.format(Locale.ROOT, "%n%s %s: %s%n  %s%n", copy.kind().name().toLowerCase(Locale.ROOT),
                    Table.bytes(copy.bytes()), copy.name(), copy.reason()));
            copy.choices().forEach(choice -> text.append(describe(choice)));
        }
        for (PlanFields.Merged merged : PlanFields.merged(plan)) {
            text.append(String.format(Locale.ROOT, "%nmerged: %s%n", merged.name()));
            text.append(describe(new Step.Copy.Choice("in one step", merged.nanos())));
            merged.alternatives().forEach(choice -> text.append(describe(choice)));
        }
        for (PlanFields.Hidden copy : PlanFields.hidden(plan)) {
            text.append(String.format(Locale.ROOT, "%nhidden %s: %s%n  %s moves a tensor into its workspace%n", Table.bytes(copy.bytes()), copy.name(),
                    copy.kernel()));
        }
        return text.toString();
    }

    private static String describe(Step.Copy.Choice choice) {
        return String.format(Locale.ROOT, "    %-10s %s%n", Table.time(choice.nanos()), choice.what());
    }
}
