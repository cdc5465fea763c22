package dev.upscale.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Curves in panels side by side, as SVG that is readable on light and on dark ground. */
final class LineChart {
    private static final int PANEL_WIDTH = 300;
    private static final int PANEL_HEIGHT = 210;
    private static final int LEFT = 46;
    private static final int TOP = 46;
    private static final int GAP = 30;
    private static final int LEGEND_LINE = 17;
    private static final String[] COLOURS = {"#17805f", "#c2571a", "#3b6fb6", "#8d4fa8", "#a38a00", "#5d6671", "#c23b5a", "#3f9aa8"};

    /** A point of a curve. */
    record Point(double x, double y) {}

    private final String title;
    private final String xName;
    private final String yName;
    private final Map<String, Map<String, List<Point>>> panels = new LinkedHashMap<>();
    private final Map<String, Double> levels = new LinkedHashMap<>();
    private final List<String> curves = new ArrayList<>();

    LineChart(String title, String xName, String yName) {
        this.title = title;
        this.xName = xName;
        this.yName = yName;
    }

    /** Adds a point to a curve; points are drawn in the order of x. */
    void add(String panel, String curve, double x, double y) {
        panels.computeIfAbsent(panel, name -> new LinkedHashMap<>()).computeIfAbsent(curve, name -> new ArrayList<>()).add(new Point(x, y));
        if (!curves.contains(curve)) {
            curves.add(curve);
        }
    }

    /** A dashed line across a panel. */
    void level(String panel, double y) {
        levels.put(panel, y);
    }

    String svg() {
        int columns = Math.min(2, Math.max(1, panels.size()));
        int rows = Math.ceilDiv(Math.max(1, panels.size()), columns);
        int legend = TOP + 14;
        int panelsTop = legend + LEGEND_LINE * Math.ceilDiv(curves.size(), 2) + 14;
        int width = columns * (PANEL_WIDTH + LEFT) + GAP;
        int height = panelsTop + rows * (PANEL_HEIGHT + TOP + GAP);
        StringBuilder svg = new StringBuilder();
        line(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\">", width, height, width);
        line(svg, "<title>%s</title>", escaped(title));
        svg.append("""
                <style>
                text { font: 11px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1b1f24; }
                .title { font-size: 15px; font-weight: 600; } .name { font-size: 12px; font-weight: 500; } .end { text-anchor: end; } .middle { text-anchor: middle; }
                .ground { fill: #fff; } .grid { stroke: #dfe3e8; } .whole { stroke: #5d6671; stroke-dasharray: 3 3; } polyline { fill: none; stroke-width: 1.8; }
                @media (prefers-color-scheme: dark) { text { fill: #e6e9ed; } .ground { fill: #14171b; } .grid { stroke: #2c323a; } .whole { stroke: #9aa4b0; } }
                </style>
                """);
        line(svg, "<rect class=\"ground\" width=\"%d\" height=\"%d\" rx=\"8\"/>", width, height);
        line(svg, "<text class=\"title\" x=\"14\" y=\"26\">%s</text>", escaped(title));
        line(svg, "<text x=\"14\" y=\"44\">%s over %s; dashed: unpruned</text>", escaped(yName), escaped(xName));
        for (int k = 0; k < curves.size(); k++) {
            int x = 14 + k % 2 * (width / 2);
            int y = legend + k / 2 * LEGEND_LINE + 8;
            line(svg, "<polyline style=\"%s\" points=\"%d,%d %d,%d\"/>", style(k), x, y - 4, x + 22, y - 4);
            line(svg, "<text x=\"%d\" y=\"%d\">%s</text>", x + 28, y, escaped(curves.get(k)));
        }
        int panel = 0;
        for (String name : panels.keySet()) {
            draw(svg, name, LEFT + panel % columns * (PANEL_WIDTH + LEFT), panelsTop + TOP / 2 + panel / columns * (PANEL_HEIGHT + TOP + GAP));
            panel++;
        }
        return svg.append("</svg>\n").toString();
    }

    private void draw(StringBuilder svg, String name, int left, int top) {
        Map<String, List<Point>> own = panels.get(name);
        double level = levels.getOrDefault(name, Double.NaN);
        double[] xs = own.values().stream().flatMap(List::stream).mapToDouble(Point::x).toArray();
        double[] ys = own.values().stream().flatMap(List::stream).mapToDouble(Point::y).toArray();
        double xStep = step(range(xs, Double.NaN));
        double yStep = step(range(ys, level));
        double x0 = Math.floor(min(xs, Double.NaN) / xStep + 1e-9) * xStep;
        double x1 = Math.ceil(max(xs, Double.NaN) / xStep - 1e-9) * xStep + (range(xs, Double.NaN) == 0 ? xStep : 0);
        double y0 = Math.floor(min(ys, level) / yStep + 1e-9) * yStep;
        double y1 = Math.ceil(max(ys, level) / yStep - 1e-9) * yStep + (range(ys, level) == 0 ? yStep : 0);
        line(svg, "<text class=\"name\" x=\"%d\" y=\"%d\">%s</text>", left, top - 8, escaped(name));
        for (double y = y0; y < y1 + yStep / 2; y += yStep) {
            double at = top + PANEL_HEIGHT * (y1 - y) / (y1 - y0);
            line(svg, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", left, left + PANEL_WIDTH, at, at);
            line(svg, "<text class=\"end\" x=\"%d\" y=\"%.1f\">%s</text>", left - 5, at + 4, tick(y, yStep));
        }
        for (double x = x0; x < x1 + xStep / 2; x += xStep) {
            double at = left + PANEL_WIDTH * (x - x0) / (x1 - x0);
            line(svg, "<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>", at, at, top, top + PANEL_HEIGHT);
            line(svg, "<text class=\"middle\" x=\"%.1f\" y=\"%d\">%s</text>", at, top + PANEL_HEIGHT + 15, tick(x, xStep));
        }
        line(svg, "<text class=\"middle\" x=\"%d\" y=\"%d\">%s</text>", left + PANEL_WIDTH / 2, top + PANEL_HEIGHT + 30, escaped(xName));
        if (!Double.isNaN(level)) {
            double at = top + PANEL_HEIGHT * (y1 - level) / (y1 - y0);
            line(svg, "<line class=\"whole\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", left, left + PANEL_WIDTH, at, at);
        }
        own.forEach((curve, points) -> {
            StringBuilder path = new StringBuilder();
            points.stream().sorted(Comparator.comparingDouble(Point::x)).forEach(point -> path.append(String.format(Locale.ROOT, "%.1f,%.1f ",
                    left + PANEL_WIDTH * (point.x - x0) / (x1 - x0), top + PANEL_HEIGHT * (y1 - point.y) / (y1 - y0))));
            line(svg, "<polyline style=\"%s\" points=\"%s\"/>", style(curves.indexOf(curve)), path.toString().strip());
        });
    }

    private static String style(int curve) {
        return "stroke: " + COLOURS[curve % COLOURS.length] + (curve / COLOURS.length % 2 == 1 ? "; stroke-dasharray: 6 3" : "");
    }

    /** A round distance of grid lines, so that there are four to eight. */
    private static double step(double range) {
        if (range == 0) {
            return 0.1;
        }
        double unit = Math.pow(10, Math.floor(Math.log10(range / 4)));
        double count = range / unit;
        return unit * (count > 40 ? 10 : count > 20 ? 5 : count > 8 ? 2 : 1);
    }

    private static String tick(double value, double step) {
        int digits = (int) Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
        return String.format(Locale.ROOT, "%." + digits + "f", value);
    }

    private static double range(double[] values, double level) {
        return max(values, level) - min(values, level);
    }

    private static double min(double[] values, double level) {
        double min = Arrays.stream(values).min().orElse(0);
        return Double.isNaN(level) ? min : Math.min(min, level);
    }

    private static double max(double[] values, double level) {
        double max = Arrays.stream(values).max().orElse(1);
        return Double.isNaN(level) ? max : Math.max(max, level);
    }

    private static void line(StringBuilder svg, String format, Object... arguments) {
        svg.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
    }
}
