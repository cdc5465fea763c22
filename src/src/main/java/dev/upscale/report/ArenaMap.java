package dev.upscale.report;

import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanFlow;
import dev.upscale.plan.PlanSummary;
import dev.upscale.plan.View;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Which tensor lies where in the arena, and when: steps run to the right, bytes upwards. */
public record ArenaMap(String heading, List<NetworkMap.Network> networks) implements Section {
    private static final int TICKS = 4;

    /**
     * A stretch of the arena that holds something from one step to another.
     *
     * @param tensors the steps that write into it; several where a concat is written in place
     */
    record Block(long offset, long end, int from, int to, Kind kind, List<String> tensors) {
        enum Kind { TENSOR, COPY, WORKSPACE }

        long bytes() {
            return end - offset;
        }

        private boolean meets(Block other) {
            return offset < other.end && other.offset < end && from <= other.to && other.from <= to;
        }

        private Block with(Block other) {
            List<String> both = new ArrayList<>(tensors);
            both.addAll(other.tensors);
            return new Block(Math.min(offset, other.offset), Math.max(end, other.end), Math.min(from, other.from), Math.max(to, other.to),
                    kind == other.kind ? kind : Kind.TENSOR, both);
        }
    }

    public ArenaMap {
        networks = List.copyOf(networks);
    }

    @Override
    public String note() {
        return "All activations share one arena, laid out before the first run. The dashed line is what no arena could be smaller than.";
    }

    @Override
    public String body() {
        Html html = new Html().raw("<ul class=\"legend\">").raw(key("even", "odd", "tensors, in two shades"))
                .raw(key("copied", "copied", "written by a copy")).raw(key("work", "work", "workspace of one step")).raw("</ul>\n<div class=\"pair")
                .raw(networks.size() > 1 ? " two" : "").raw("\">\n");
        networks.forEach(network -> html.raw(picture(network)));
        html.raw("</div>\n");
        networks.forEach(network -> html.raw(Figures.behind("The arena of " + network.label() + " as a table", table(blocks(network.plan())))));
        return html.toString();
    }

    private static String key(String left, String right, String text) {
        return "<li><svg viewBox=\"0 0 26 12\" aria-hidden=\"true\"><rect class=\"block " + left + "\" width=\"13\" height=\"12\"/><rect class=\"block "
                + right + "\" x=\"13\" width=\"13\" height=\"12\"/></svg>"
                + Html.escape(text) + "</li>";
    }

    private String picture(NetworkMap.Network network) {
        Plan plan = network.plan();
        int steps = plan.steps().size();
        double highest = networks.stream().mapToLong(other -> other.plan().arenaBytes()).max().orElse(1);
        List<Plot.Axis.Tick> xs = new ArrayList<>();
        List<Plot.Axis.Tick> ys = new ArrayList<>();
        for (int i = 0; i <= TICKS; i++) {
            int step = (steps - 1) * i / TICKS;
            xs.add(new Plot.Axis.Tick(step, String.valueOf(step)));
            ys.add(new Plot.Axis.Tick(highest * i / TICKS, Units.bytes(highest * i / TICKS)));
        }
        Plot plot = new Plot(new Plot.Axis("step", 0, Math.max(1, steps), xs), new Plot.Axis("place in the arena", 0, Math.max(1, highest), ys));
        List<Block> blocks = blocks(plan);
        for (int i = 0; i < blocks.size(); i++) {
            Block block = blocks.get(i);
            String style = switch (block.kind()) {
                case COPY -> "copied";
                case WORKSPACE -> "work";
                case TENSOR -> i % 2 == 0 ? "even" : "odd";
            };
            plot.shapes().format("<rect class=\"block %s\" x=\"%.3f\" y=\"%.3f\" width=\"%.3f\" height=\"%.3f\"><title>", style, plot.x(block.from()),
                    plot.y(block.end()), plot.x(block.to() + 1) - plot.x(block.from()), plot.y(block.offset()) - plot.y(block.end()))
                    .text(Units.bytes(block.bytes()) + ", steps " + block.from() + " to " + block.to() + ": " + names(block)).raw("</title></rect>");
        }
        plot.shapes().format("<path class=\"bound\" d=\"M0 %.3fH100\"/>", plot.y(plan.arenaLowerBoundBytes()));
        String words = Units.bytes(plan.arenaBytes()) + ", at least " + Units.bytes(plan.arenaLowerBoundBytes()) + " are needed at one time";
        return new Html().raw("<div><h3>").text(network.label() + ": " + words).raw("</h3>\n")
                .raw(plot.html("The arena of " + network.label() + ": " + words + "; " + blocks.size() + " blocks, listed in the table below"))
                .raw("</div>\n").toString();
    }

    private static String names(Block block) {
        return block.tensors().size() <= 3 ? String.join(", ", block.tensors())
                : String.join(", ", block.tensors().subList(0, 2)) + " and " + (block.tensors().size() - 2) + " more";
    }

    /** What lies in the arena. Parts of a concat interleave: they are one block. */
    static List<Block> blocks(Plan plan) {
        PlanFlow flow = PlanFlow.of(plan);
        List<Block> blocks = new ArrayList<>();
        for (int position = 0; position < flow.nodes().size(); position++) {
            PlanFlow.Node node = flow.nodes().get(position);
            Block.Kind kind = PlanSummary.copyOf(node.step()).isPresent() ? Block.Kind.COPY : Block.Kind.TENSOR;
            block(node.step().destination(), position, Math.min(node.lastReader(), flow.nodes().size() - 1), kind, node.step().name())
                    .ifPresent(block -> add(blocks, block));
        }
        for (int position = 0; position < flow.nodes().size(); position++) {
            int at = position;
            String name = flow.nodes().get(at).step().name();
            flow.nodes().get(at).step().workspace().flatMap(view -> block(view, at, at, Block.Kind.WORKSPACE, name)).ifPresent(blocks::add);
        }
        return blocks;
    }

    private static Optional<Block> block(View view, int from, int to, Block.Kind kind, String name) {
        return view.place().kind() == View.Place.Kind.ARENA
                ? Optional.of(new Block(view.offset(), view.offset() + view.extentBytes(), from, to, kind, List.of(name))) : Optional.empty();
    }

    private static void add(List<Block> blocks, Block block) {
        Block merged = block;
        for (int i = blocks.size() - 1; i >= 0; i--) {
            if (blocks.get(i).meets(merged)) {
                merged = blocks.remove(i).with(merged);
            }
        }
        blocks.add(merged);
    }

    private static List<List<String>> table(List<Block> blocks) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("block", "bytes", "offset", "from step", "to step"));
        blocks.forEach(block -> rows.add(List.of((block.kind() == Block.Kind.WORKSPACE ? "workspace of " : "") + names(block), Units.bytes(block.bytes()),
                String.valueOf(block.offset()), String.valueOf(block.from()), String.valueOf(block.to()))));
        return rows;
    }
}
