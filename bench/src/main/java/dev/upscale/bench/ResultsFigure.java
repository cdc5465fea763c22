package dev.upscale.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;

/**
 * The measured networks as bars: an SVG that needs no other file, light or dark as the reader's system asks, narrow enough
 * for a telephone. Every length and number comes from the documents.
 */
final class ResultsFigure {
    private static final List<String> VARIANTS = ResultsTables.UNCONSTRAINED;
    private static final int WIDTH = 420;
    private static final int LEFT = 144;
    private static final int RIGHT = WIDTH - 44;
    private static final int TOP = 104;
    private static final int BAR = 11;
    private static final int PITCH = 13;
    private static final int GROUP = 54;
    private static final double TICK = 0.25;

    /** Plain colours, twice, since not every renderer of SVG knows variables. */
    private static final String STYLE = """
            text { font: 11px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
            .title { font-size: 15px; font-weight: 600; } .name { font-size: 12px; font-weight: 500; } .strong { font-weight: 700; }
            .end { text-anchor: end; } .middle { text-anchor: middle; } .whole { stroke-dasharray: 3 3; }
            .mark { stroke-width: 1.5; paint-order: stroke; }
            text { fill: #1b1f24; } .faint { fill: #5d6671; } .ground { fill: #fff; } .grid { stroke: #dfe3e8; } .whole { stroke: #5d6671; }
            .baseline { fill: #b3bcc8; } .paper { fill: #6d8fc4; } .upscale { fill: #17805f; } .mark { fill: #1b1f24; stroke: #fff; }
            @media (prefers-color-scheme: dark) {
              text { fill: #e6e9ed; } .faint { fill: #9aa4b0; } .ground { fill: #14171b; } .grid { stroke: #2c323a; } .whole { stroke: #9aa4b0; }
              .baseline { fill: #59636f; } .paper { fill: #5b80bd; } .upscale { fill: #35b58c; } .mark { fill: #e6e9ed; stroke: #14171b; }
            }
            """;

    private final StringBuilder body = new StringBuilder();
    private final double scale;
    private final int bottom;

    private ResultsFigure(List<Group> groups) {
        double longest = groups.stream().flatMapToDouble(group -> DoubleStream.of(group.ratios)).filter(Double::isFinite).max().orElse(1);
        scale = TICK * Math.ceil(Math.max(1, longest) / TICK);
        bottom = TOP + groups.size() * GROUP;
    }

    /** The bars of one network, or of the mean of all. */
    private record Group(String name, String note, double[] ratios, double multiplyAddsLeft) {
        static Group of(ResultsDocument document) {
            return new Group(document.network(), "copies " + ResultsTables.copiesLeft(document),
                    VARIANTS.stream().mapToDouble(document::ratio).toArray(), document.multiplyAddsLeft());
        }

        static Group mean(List<ResultsDocument> documents) {
            return new Group("geometric mean", "of " + documents.size() + " networks",
                    VARIANTS.stream().mapToDouble(variant -> ResultsTables.mean(documents, document -> document.ratio(variant))).toArray(),
                    ResultsTables.mean(documents, ResultsDocument::multiplyAddsLeft));
        }
    }

    /** The figure of documents of one setting, of which there is at least one. */
    static String svg(List<ResultsDocument> documents) {
        List<Group> groups = new ArrayList<>(documents.stream().map(Group::of).toList());
        groups.add(Group.mean(documents));
        return new ResultsFigure(groups).draw(documents, groups);
    }

    private String draw(List<ResultsDocument> documents, List<Group> groups) {
        text(14, 26, "title", "Time of pruned networks, unpruned = 1");
        text(14, 44, "faint", ResultsTables.bySetting(documents).keySet().iterator().next() + ", "
                + documents.getFirst().origin().processor() + "; lower is better");
        legend();
        grid();
        for (int i = 0; i < groups.size(); i++) {
            group(groups.get(i), TOP + i * GROUP, i == groups.size() - 1);
        }
        int height = bottom + 6;
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + WIDTH + " " + height + "\" width=\"" + WIDTH * 4 / 3 + "\" role=\"img\">\n"
                + "<title>Time of pruned networks over the unpruned ones: baseline, paper and upscale</title>\n<style>\n" + STYLE + "</style>\n"
                + "<rect class=\"ground\" width=\"" + WIDTH + "\" height=\"" + height + "\" rx=\"8\"/>\n" + body + "</svg>\n";
    }

    private void legend() {
        double x = 14;
        for (String variant : VARIANTS) {
            rect(x, 57, 11, 11, variant);
            text(x + 16, 67, "", variant);
            x += 30 + 6.4 * variant.length();
        }
        diamond(x + 5, 62.5);
        text(x + 15, 67, "", "share of multiply-adds left");
    }

    private void grid() {
        int every = scale > 6 * TICK ? 2 : 1;
        for (int tick = 0; tick * TICK <= scale; tick += every) {
            double x = x(tick * TICK);
            boolean whole = tick * TICK == 1;
            line(x, TOP - 8, x, bottom - 4, whole ? "whole" : "grid");
            text(x, TOP - 13, whole ? "middle" : "middle faint", String.format(Locale.ROOT, tick == 0 ? "0" : whole ? "1" : "%.2f", tick * TICK));
        }
    }

    private void group(Group group, double top, boolean mean) {
        if (mean) {
            line(14, top - 5, WIDTH - 14, top - 5, "grid");
        }
        text(14, top + 17, "name", group.name);
        text(14, top + 32, "faint", group.note);
        for (int i = 0; i < VARIANTS.size(); i++) {
            double ratio = group.ratios[i];
            if (Double.isFinite(ratio)) {
                double y = top + 3 + i * PITCH;
                rect(LEFT, y, x(ratio) - LEFT, BAR, VARIANTS.get(i));
                text(WIDTH - 14, y + 9.5, i == VARIANTS.size() - 1 ? "end strong" : "end", ResultsTables.ratio(ratio));
            }
        }
        if (Double.isFinite(group.multiplyAddsLeft)) {
            double x = x(group.multiplyAddsLeft);
            rect(x - 1, top + 1, 2, VARIANTS.size() * PITCH + 2, "mark");
            diamond(x, top + 1);
        }
    }

    private double x(double ratio) {
        return LEFT + ratio / scale * (RIGHT - LEFT);
    }

    private void rect(double x, double y, double width, double height, String style) {
        body.append(String.format(Locale.ROOT, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>%n", style, x, y, width, height));
    }

    private void line(double x1, double y1, double x2, double y2, String style) {
        body.append(String.format(Locale.ROOT, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>%n", style, x1, y1, x2, y2));
    }

    private void diamond(double x, double y) {
        body.append(String.format(Locale.ROOT, "<path class=\"mark\" d=\"M%.1f %.1fl4.5 4.5l-4.5 4.5l-4.5 -4.5z\"/>%n", x, y - 4.5));
    }

    private void text(double x, double y, String style, String text) {
        body.append(String.format(Locale.ROOT, "<text%s x=\"%.1f\" y=\"%.1f\">%s</text>%n", style.isEmpty() ? "" : " class=\"" + style + "\"", x, y,
                text.replace("&", "&amp;").replace("<", "&lt;")));
    }
}
