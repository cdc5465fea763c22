package dev.upscale.report;

import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanFlow;
import dev.upscale.plan.PlanSummary;
import dev.upscale.plan.PlanText;
import dev.upscale.plan.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Networks as maps like those of railways: each segment (tensors that share an order of channels) is a rail, each step a stop on the rail
 * that it writes to; a line leads there from each other rail that it reads. Slices, reads by index and copies are told apart.
 */
public record NetworkMap(String heading, List<Network> networks) implements Section {
    /** Units of the drawing: 16 to a rem, as a browser's text begins with. */
    private static final int RAIL = 16;
    private static final int ROW = 24;
    private static final double PER_REM = 16;

    /** One compiled network. */
    public record Network(String label, Plan plan) {}

    public NetworkMap {
        networks = List.copyOf(networks);
    }

    @Override
    public String note() {
        return "Each rail is a segment: tensors that share one order of channels. A stop is a step; a line shows what it reads from another segment, and how.";
    }

    @Override
    public String body() {
        Html html = new Html().raw(LEGEND).raw("<div class=\"pair").raw(networks.size() > 1 ? " two" : "").raw("\">\n");
        networks.forEach(network -> html.raw(new Drawing(network).figure()));
        html.raw("</div>\n");
        networks.forEach(network -> html.raw(Figures.behind("Segments of " + network.label(), segments(PlanFlow.of(network.plan())))));
        return html.toString();
    }

    private static final String LEGEND = legend();

    private static String legend() {
        return new Html().raw("<ul class=\"legend\">")
                .raw(key("<path class=\"edge\" d=\"M0 6H26\"/>", "all channels"))
                .raw(key("<path class=\"edge slice\" d=\"M0 6H26\"/>", "a slice, read in place"))
                .raw(key("<path class=\"edge index\" d=\"M0 6H26\"/>", "by index: the gather is folded into the kernel"))
                .raw(key("<rect class=\"dot copy\" x=\"8\" y=\"1\" width=\"10\" height=\"10\"/>", "a copy"))
                .raw(key("<circle class=\"dot consumer\" cx=\"13\" cy=\"6\" r=\"4.5\"/>", "consumer: makes new channels"))
                .raw(key("<circle class=\"dot\" cx=\"13\" cy=\"6\" r=\"4\"/>", "keeps channels")).raw("</ul>\n").toString();
    }

    private static String key(String picture, String text) {
        return "<li><svg viewBox=\"0 0 26 12\" aria-hidden=\"true\">" + picture + "</svg>" + Html.escape(text) + "</li>";
    }

    private static List<List<String>> segments(PlanFlow flow) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("segment begins with", "producers", "consumers", "read whole", "as a slice", "by index", "copies"));
        for (int i = 0; i < flow.segments().size(); i++) {
            int number = i;
            PlanFlow.Segment segment = flow.segments().get(i);
            String name = segment.first() < 0 ? "input of the network" : flow.nodes().get(segment.first()).step().name();
            List<PlanFlow.Access> accesses = segment.consumers().stream().map(consumer -> flow.nodes().get(consumer).reads().getFirst().access()).toList();
            long copies = flow.nodes().stream().filter(node -> node.segment() == number && PlanSummary.copyOf(node.step()).isPresent()).count();
            rows.add(List.of(name, String.valueOf(segment.producers().size()), String.valueOf(segment.consumers().size()),
                    count(accesses, PlanFlow.Access.WHOLE), count(accesses, PlanFlow.Access.SLICE), count(accesses, PlanFlow.Access.INDEX),
                    String.valueOf(copies)));
        }
        return rows;
    }

    private static String count(List<PlanFlow.Access> accesses, PlanFlow.Access access) {
        return String.valueOf(accesses.stream().filter(access::equals).count());
    }

    /** One network's rails and stops. */
    private static final class Drawing {
        private final Network network;
        private final PlanFlow flow;
        private final int[] rails;
        private final int width;
        private final Html svg = new Html();
        private final Html stops = new Html();

        Drawing(Network network) {
            this.network = network;
            flow = PlanFlow.of(network.plan());
            rails = rails(flow.segments());
            width = RAIL * (IntStream.of(rails).max().orElse(0) + 1) + RAIL / 2;
        }

        /** A rail for each segment: the leftmost that is free from its first step to its last. */
        private static int[] rails(List<PlanFlow.Segment> segments) {
            int[] rails = new int[segments.size()];
            List<Integer> busyUntil = new ArrayList<>();
            for (int i = 0; i < rails.length; i++) {
                PlanFlow.Segment segment = segments.get(i);
                int rail = 0;
                while (rail < busyUntil.size() && busyUntil.get(rail) >= segment.first()) {
                    rail++;
                }
                if (rail == busyUntil.size()) {
                    busyUntil.add(0);
                }
                busyUntil.set(rail, segment.last());
                rails[i] = rail;
            }
            return rails;
        }

        String figure() {
            int rows = flow.nodes().size() + 1;
            for (int i = 0; i < rails.length; i++) {
                PlanFlow.Segment segment = flow.segments().get(i);
                svg.format("<path class=\"rail\" d=\"M%d %dV%d\"/>", x(i), y(segment.first()), end(i));
            }
            String inputs = network.plan().inputs().stream().map(port -> port.name() + " " + port.dims()).collect(Collectors.joining(", "));
            svg.format("<circle class=\"dot\" cx=\"%d\" cy=\"%d\" r=\"4\"/>", x(0), y(-1));
            stop("", "input " + inputs, "");
            for (int position = 0; position < flow.nodes().size(); position++) {
                draw(position, flow.nodes().get(position));
            }
            PlanSummary summary = PlanSummary.of(network.plan());
            Html figure = new Html();
            figure.raw("<figure><h3>").text(network.label()).raw("</h3>\n<div class=\"scroll tall\" role=\"region\" tabindex=\"0\" aria-label=\"")
                    .text("Map of " + network.label()).raw("\">\n<ol class=\"map\">\n")
                    .format("<svg style=\"width:%.4frem;height:%.4frem\" viewBox=\"0 0 %d %d\" aria-hidden=\"true\">", width / PER_REM,
                            rows * ROW / PER_REM, width, rows * ROW)
                    .raw(svg).raw("</svg>\n").raw(stops).raw("</ol>\n</div>\n<figcaption>")
                    .text(flow.nodes().size() + " steps in " + flow.segments().size() + " segments; " + summary.views() + " of " + summary.consumers()
                            + " consumers read a part in place; " + summary.copies() + (summary.copies() == 1 ? " copy" : " copies") + " ("
                            + Units.bytes(summary.copyBytes()) + ")").raw("</figcaption></figure>\n");
            return figure.toString();
        }

        /** Where the last line leaves a rail, or its last stop. */
        private int end(int segment) {
            int end = y(flow.segments().get(segment).first());
            for (int position = 0; position < flow.nodes().size(); position++) {
                PlanFlow.Node node = flow.nodes().get(position);
                if (node.segment() == segment) {
                    end = Math.max(end, y(position));
                } else if (node.reads().stream().anyMatch(read -> read.segment() == segment)) {
                    end = Math.max(end, y(position) - ROW);
                }
            }
            return end;
        }

        private void draw(int position, PlanFlow.Node node) {
            int x = x(node.segment());
            int y = y(position);
            boolean copied = PlanSummary.copyOf(node.step()).isPresent();
            for (PlanFlow.Read read : node.reads()) {
                PlanFlow.Access access = copied ? PlanFlow.Access.WHOLE : read.access();
                if (read.segment() != node.segment()) {
                    svg.format("<path class=\"edge%s\" d=\"M%d %dC%d %d %d %d %d %d\"/>", style(access), x(read.segment()), y - ROW,
                            x(read.segment()), y - ROW / 3, x, y - ROW / 2, x, y);
                } else if (access != PlanFlow.Access.WHOLE) {
                    svg.format("<path class=\"edge%s\" d=\"M%d %dV%d\"/>", style(access), x, y - ROW + 6, y);
                }
            }
            if (copied) {
                svg.format("<rect class=\"dot copy\" x=\"%d\" y=\"%d\" width=\"10\" height=\"10\"/>", x - 5, y - 5);
            } else {
                svg.format("<circle class=\"dot%s\" cx=\"%d\" cy=\"%d\" r=\"4\"/>", node.consumer() ? " consumer" : "", x, y);
            }
            PlanFlow.Access access = node.reads().stream().map(PlanFlow.Read::access).max(Enum::compareTo).orElse(PlanFlow.Access.WHOLE);
            String kind = copied ? "is-copy" : access == PlanFlow.Access.SLICE ? "by-slice" : access == PlanFlow.Access.INDEX ? "by-index" : "";
            stop(kind, PlanText.operation(node.step()) + " · " + node.step().name(), how(node.step(), access, copied));
        }

        private static String how(Step step, PlanFlow.Access access, boolean copied) {
            if (copied) {
                return "copies " + Units.bytes(step.destination().bytes());
            }
            return switch (access) {
                case WHOLE -> "";
                case SLICE -> "slice";
                case INDEX -> "by index";
            };
        }

        private static String style(PlanFlow.Access access) {
            return switch (access) {
                case WHOLE -> "";
                case SLICE -> " slice";
                case INDEX -> " index";
            };
        }

        private void stop(String kind, String what, String how) {
            stops.raw("<li").raw(kind.isEmpty() ? "" : " class=\"" + kind + "\"").format(" style=\"padding-left:%.4frem\" title=\"", (width + 4) / PER_REM)
                    .text(what).raw("\"><span class=\"what\">").text(what).raw("</span>");
            if (!how.isEmpty()) {
                stops.raw("<span class=\"how\">").text(how).raw("</span>");
            }
            stops.raw("</li>\n");
        }

        private int x(int segment) {
            return RAIL * rails[segment] + RAIL / 2 + 2;
        }

        /** Of a step; -1 for the inputs. */
        private static int y(int position) {
            return ROW * (position + 1) + ROW / 2;
        }
    }
}
