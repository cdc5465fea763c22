package dev.upscale.report;

import dev.upscale.plan.Constant;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanSummary;
import dev.upscale.plan.PlanText;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * The steps of two compiled networks side by side, a bar each for time and for bytes; or those of one. Steps are paired by name, so that
 * one that only one network has stands alone.
 */
public record StepComparison(String heading, List<Timed> networks) implements Section {

    /**
     * A compiled network and what its steps take.
     *
     * @param ns nanoseconds for each step; empty if it was not timed
     */
    public record Timed(String label, Plan plan, List<Long> ns) {
        public Timed {
            ns = List.copyOf(ns);
            if (!ns.isEmpty() && ns.size() != plan.steps().size()) {
                throw new IllegalArgumentException(ns.size() + " times of " + plan.steps().size() + " steps");
            }
        }

        OptionalLong ns(int step) {
            return ns.isEmpty() ? OptionalLong.empty() : OptionalLong.of(ns.get(step));
        }
    }

    public StepComparison {
        networks = List.copyOf(networks);
        if (networks.isEmpty() || networks.size() > 2) {
            throw new IllegalArgumentException(networks.size() + " networks to compare; one or two can be");
        }
    }

    /** Positions of a step in both networks, -1 where it is not. */
    record Pair(int before, int after) {}

    @Override
    public String note() {
        String bytes = "Bytes are those that a step reads and writes, weights included.";
        return isTimed() ? "Times are medians of runs in which each step was timed, which adds some nanoseconds to each. " + bytes : bytes;
    }

    private boolean isTimed() {
        return networks.stream().allMatch(network -> !network.ns().isEmpty());
    }

    private Timed before() {
        return networks.getFirst();
    }

    private Timed after() {
        return networks.getLast();
    }

    @Override
    public String body() {
        List<Pair> pairs = networks.size() == 1 ? alone(after().plan()) : align(before().plan().steps(), after().plan().steps());
        Html html = new Html().raw("<ul class=\"legend\">");
        if (networks.size() == 2) {
            html.raw(key("--plain", before().label()));
        }
        html.raw(key("--accent", after().label())).raw(key("--copy", "a copy")).raw("</ul>\n");
        html.raw("<div class=\"scroll tall\" role=\"region\" tabindex=\"0\" aria-label=\"").text(heading).raw("\">\n<ol class=\"steps\">\n");
        html.raw("<li class=\"heads\"><span class=\"name\">step</span><span>").raw(isTimed() ? "time" : "").raw("</span><span>bytes</span></li>\n");
        Longest longest = new Longest(longestNs(), longestBytes());
        pairs.forEach(pair -> row(html, pair, longest));
        return html.raw("</ol>\n</div>\n").raw(Figures.behind("Steps as a table", table(pairs))).toString();
    }

    private static String key(String colour, String text) {
        return "<li><svg viewBox=\"0 0 26 12\" aria-hidden=\"true\"><rect width=\"26\" height=\"12\" fill=\"var(" + colour + ")\"/></svg>"
                + Html.escape(text) + "</li>";
    }

    private record Longest(double ns, double bytes) {}

    private double longestNs() {
        return networks.stream().flatMap(network -> network.ns().stream()).mapToLong(Long::longValue).max().orElse(1);
    }

    private double longestBytes() {
        return networks.stream().flatMap(network -> network.plan().steps().stream().map(step -> traffic(network.plan(), step)))
                .mapToLong(Long::longValue).max().orElse(1);
    }

    private void row(Html html, Pair pair, Longest longest) {
        Step step = pair.after() >= 0 ? after().plan().steps().get(pair.after()) : before().plan().steps().get(pair.before());
        boolean copied = PlanSummary.copyOf(step).isPresent();
        String name = PlanText.operation(step) + " · " + step.name();
        html.raw(copied ? "<li class=\"is-copy\"" : "<li").raw("><span class=\"name\" title=\"").text(name).raw("\">").text(name).raw("</span>");
        html.raw("<div class=\"measure\">");
        if (isTimed()) {
            if (networks.size() == 2) {
                bar(html, pair.before() < 0 ? -1 : before().ns().get(pair.before()), longest.ns, "before", copied, true);
            }
            bar(html, pair.after() < 0 ? -1 : after().ns().get(pair.after()), longest.ns, "after", copied, true);
        }
        html.raw("</div><div class=\"measure\">");
        if (networks.size() == 2) {
            bar(html, pair.before() < 0 ? -1 : traffic(before().plan(), before().plan().steps().get(pair.before())), longest.bytes, "before", copied, false);
        }
        bar(html, pair.after() < 0 ? -1 : traffic(after().plan(), after().plan().steps().get(pair.after())), longest.bytes, "after", copied, false);
        html.raw("</div></li>\n");
    }

    private static void bar(Html html, long value, double longest, String which, boolean copied, boolean time) {
        if (value < 0) {
            html.raw("<div></div><span>–</span>");
        } else {
            html.format("<div><i class=\"%s%s\" style=\"width:%.2f%%\"></i></div><span>%s</span>", which, copied ? " copy" : "", 100 * value / longest,
                    time ? Units.time(value) : Units.bytes(value));
        }
    }

    private List<List<String>> table(List<Pair> pairs) {
        List<List<String>> rows = new ArrayList<>();
        List<String> heads = new ArrayList<>(List.of("step", "operation"));
        for (Timed network : networks) {
            heads.addAll(List.of(network.label() + ": kernel", "time", "bytes", "places"));
        }
        rows.add(heads);
        for (Pair pair : pairs) {
            Step any = pair.after() >= 0 ? after().plan().steps().get(pair.after()) : before().plan().steps().get(pair.before());
            List<String> row = new ArrayList<>(List.of(any.name(), PlanText.operation(any)));
            for (Timed network : networks) {
                int position = networks.size() == 2 && network == before() ? pair.before() : pair.after();
                if (position < 0) {
                    row.addAll(List.of("–", "–", "–", "–"));
                } else {
                    Step step = network.plan().steps().get(position);
                    OptionalLong ns = network.ns(position);
                    row.addAll(List.of(step.kernel(), ns.isPresent() ? Units.time(ns.getAsLong()) : "–", Units.bytes(traffic(network.plan(), step)),
                            step.destination().place() + " " + step.destination().offset()));
                }
            }
            rows.add(row);
        }
        return rows;
    }

    /** What a step reads and writes, in bytes; of a source that is read by index, what is indexed. */
    static long traffic(Plan plan, Step step) {
        long bytes = step.destination().bytes();
        for (Operand source : step.sources()) {
            View view = source.view();
            Constant index = plan.constants().get(source.index());
            bytes += index == null || view.rank() < 2 ? view.bytes() : view.bytes() / view.dim(1) * index.elements();
        }
        if (step instanceof Step.Convolve convolve) {
            bytes += plan.constants().get(convolve.weights()).bytes();
        }
        return bytes;
    }

    private static List<Pair> alone(Plan plan) {
        List<Pair> pairs = new ArrayList<>();
        for (int i = 0; i < plan.steps().size(); i++) {
            pairs.add(new Pair(-1, i));
        }
        return pairs;
    }

    /** The longest common subsequence of names; what is not in it stands alone. */
    static List<Pair> align(List<Step> before, List<Step> after) {
        int[][] common = new int[before.size() + 1][after.size() + 1];
        for (int i = before.size() - 1; i >= 0; i--) {
            for (int j = after.size() - 1; j >= 0; j--) {
                common[i][j] = isSame(before.get(i), after.get(j)) ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);
            }
        }
        List<Pair> pairs = new ArrayList<>();
        int i = 0;
        int j = 0;
        while (i < before.size() || j < after.size()) {
            if (i < before.size() && j < after.size() && isSame(before.get(i), after.get(j))) {
                pairs.add(new Pair(i++, j++));
            } else if (j == after.size() || i < before.size() && common[i + 1][j] >= common[i][j + 1]) {
                pairs.add(new Pair(i++, -1));
            } else {
                pairs.add(new Pair(-1, j++));
            }
        }
        return pairs;
    }

    private static boolean isSame(Step a, Step b) {
        return a.getClass() == b.getClass() && a.name().equals(b.name());
    }
}
