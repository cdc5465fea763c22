package dev.upscale.cli;

import dev.upscale.compile.Variant;
import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanSummary;
import dev.upscale.report.Bars;
import dev.upscale.report.Figures;
import dev.upscale.report.Page;
import dev.upscale.report.Section;
import dev.upscale.report.StepComparison;
import dev.upscale.runtime.Profile;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What {@code bench} measured, as a page. */
final class BenchPage {
    private final String model;
    private final int threads;
    private final Contest contest;
    private final List<Bars.Bar> times = new ArrayList<>();
    private final List<Bars.Bar> bytes = new ArrayList<>();
    private final List<List<String>> rows = new ArrayList<>();
    private final List<StepComparison.Timed> compared = new ArrayList<>();
    private final List<Section> maps = new ArrayList<>();

    BenchPage(String model, int threads, Contest contest) {
        this.model = model;
        this.threads = threads;
        this.contest = contest;
        rows.add(List.of("contender", "median", "quartiles", "multiply-adds", "copies", "copied", "arena", "weights", "difference"));
    }

    /** A contender of ours. */
    void add(String name, Plan plan, Difference difference) {
        PlanSummary summary = PlanSummary.of(plan);
        bar(name);
        bytes.add(new Bars.Bar(name, summary.copyBytes(), 0, 0, Table.bytes(summary.copyBytes()), name.equals(Variant.UPSCALE.label())));
        row(name, difference, List.of(String.format(Locale.ROOT, "%.1f M", plan.multiplyAdds() / 1e6), String.valueOf(summary.copies()),
                Table.bytes(summary.copyBytes()), Table.bytes(summary.arenaBytes()), Table.bytes(summary.weightsBytes())));
    }

    /** A peer. */
    void add(String name, Difference difference) {
        bar(name);
        row(name, difference, List.of("", "", "", "", ""));
    }

    private void bar(String name) {
        Timing timing = contest.timing(name);
        times.add(new Bars.Bar(name, timing.medianNs(), timing.p25Ns(), timing.p75Ns(), Table.time(timing.medianNs()),
                name.equals(Variant.UPSCALE.label())));
    }

    private void row(String name, Difference difference, List<String> middle) {
        Timing timing = contest.timing(name);
        List<String> row = new ArrayList<>(List.of(name, Table.time(timing.medianNs()), Table.time(timing.p25Ns()) + " to " + Table.time(timing.p75Ns())));
        row.addAll(middle);
        row.add(difference == null ? "not checked" : String.format(Locale.ROOT, "%.1e", difference.relL2()));
        rows.add(row);
    }

    /** Shows what networks see on a picture. */
    void show(TextMaps seen) {
        maps.add(seen.section());
    }

    /** Shows a contender's steps; one more is shown beside it. */
    void compare(String name, Plan plan, Profile profile) {
        compared.add(PlanSections.timed(name, profile, plan));
    }

    String html() {
        List<Section> sections = new ArrayList<>();
        sections.add(new Bars("Time of one run", "Median; the line shows the quartiles. All took turns in one process.", times));
        sections.add(new Bars("Bytes copied in one run", "Written by steps that move activations and compute nothing.", bytes));
        sections.add(new Figures("All figures", "Difference: from the reference engine in double precision, relative (L2).", rows));
        sections.addAll(maps);
        sections.addAll(PlanSections.of(compared));
        return new Page(model + ": what was measured", String.format(Locale.ROOT, "%d contenders in %d rounds, %d thread%s; upscale %s, Java %s.",
                times.size(), contest.rounds(), threads, threads == 1 ? "" : "s", BuildVersion.read(), Runtime.version()), sections).html();
    }
}
