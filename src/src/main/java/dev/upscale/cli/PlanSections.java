package dev.upscale.cli;

import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanSummary;
import dev.upscale.report.ArenaMap;
import dev.upscale.report.Figures;
import dev.upscale.report.NetworkMap;
import dev.upscale.report.Section;
import dev.upscale.report.StepComparison;
import dev.upscale.runtime.Profile;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** The sections of a page that show what networks were compiled to, one alone or two side by side. */
final class PlanSections {
    private PlanSections() {}

    /** A network whose steps were timed. */
    static StepComparison.Timed timed(String label, Profile profile, Plan plan) {
        return new StepComparison.Timed(label, plan, IntStream.range(0, plan.steps().size()).mapToObj(profile::medianNs).toList());
    }

    /** A network that was not run. */
    static StepComparison.Timed untimed(String label, Plan plan) {
        return new StepComparison.Timed(label, plan, List.of());
    }

    /** The map of each network, its steps, its arena and its copies; of two, the first is what the second is compared with. */
    static List<Section> of(List<StepComparison.Timed> timed) {
        List<NetworkMap.Network> networks = timed.stream().map(network -> new NetworkMap.Network(network.label(), network.plan())).toList();
        List<Section> sections = new ArrayList<>();
        sections.add(new NetworkMap("The network by segments", networks));
        sections.add(new StepComparison("Step by step", timed));
        sections.add(new ArenaMap("The arena over time", networks));
        sections.add(new Figures("Copies that are left", "Each step that moves activations and computes nothing, and why it is there.", copies(timed)));
        return sections;
    }

    private static List<List<String>> copies(List<StepComparison.Timed> networks) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("copy", "of", "kind", "bytes", "reason"));
        for (StepComparison.Timed network : networks) {
            List<PlanSummary.Remaining> remaining = PlanSummary.of(network.plan()).remaining();
            if (remaining.isEmpty()) {
                rows.add(List.of("none", network.label(), "", "0 B", ""));
            }
            remaining.forEach(copy -> rows.add(List.of(copy.name(), network.label(), copy.kind().name().toLowerCase(Locale.ROOT),
                    Table.bytes(copy.bytes()), copy.reason())));
        }
        return rows;
    }
}
