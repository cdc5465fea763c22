package dev.upscale.report;

import java.util.ArrayList;
import java.util.List;

/**
 * Axes and what lies between them. Shapes scale with the page in units of the axes; text, points and lines keep their size, so that both
 * are readable at any width.
 */
final class Plot {
    /** What a few words take of the area of a narrow page, in percent. */
    private static final double TAG_WIDTH = 25;
    private static final double TAG_HEIGHT = 18;

    private final Axis x;
    private final Axis y;
    private final Html shapes = new Html();
    private final Html tags = new Html();
    private final List<double[]> tagged = new ArrayList<>();

    /**
     * One axis.
     *
     * @param from the value at its start
     * @param to the value at its end; larger
     * @param ticks values with a label
     */
    record Axis(String unit, double from, double to, List<Tick> ticks) {
        record Tick(double at, String text) {}

        double percent(double value) {
            return 100 * (value - from) / (to - from);
        }
    }

    Plot(Axis x, Axis y) {
        this.x = x;
        this.y = y;
    }

    double x(double value) {
        return x.percent(value);
    }

    /** From the top, as a screen counts. */
    double y(double value) {
        return 100 - y.percent(value);
    }

    /** What is drawn, in percent of the area. */
    Html shapes() {
        return shapes;
    }

    /** A few words beside a point, on the side that has room; none where other words are. */
    void tag(double atX, double atY, String text) {
        if (tagged.stream().anyMatch(other -> Math.abs(other[0] - x(atX)) < TAG_WIDTH && Math.abs(other[1] - y(atY)) < TAG_HEIGHT)) {
            return;
        }
        tagged.add(new double[] {x(atX), y(atY)});
        tags.format("<span class=\"tag%s%s\" style=\"left:%.2f%%;top:%.2f%%\">", x(atX) > 65 ? " left" : "", y(atY) > 80 ? " above" : "", x(atX), y(atY))
                .text(text).raw("</span>");
    }

    /** With the words that stand for it where it is not seen. */
    String html(String alternative) {
        Html html = new Html().raw("<figure><div class=\"plot\"><div class=\"unit\">").text(y.unit()).raw("</div><div class=\"ys\">");
        y.ticks().forEach(tick -> html.format("<span style=\"bottom:%.2f%%\">", y.percent(tick.at())).text(tick.text()).raw("</span>"));
        html.raw("</div><div class=\"area\"><svg viewBox=\"0 0 100 100\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"").text(alternative)
                .raw("\">");
        y.ticks().forEach(tick -> html.format("<path class=\"grid\" d=\"M0 %.3fH100\"/>", y(tick.at())));
        html.raw(shapes).raw("</svg>").raw(tags).raw("</div><div class=\"xs\">");
        x.ticks().forEach(tick -> html.format("<span class=\"%s\" style=\"left:%.2f%%\">",
                x.percent(tick.at()) > 90 ? "edge-right" : x.percent(tick.at()) < 5 ? "edge-left" : "", x.percent(tick.at())).text(tick.text()).raw("</span>"));
        return html.raw("</div><div class=\"x-unit\">").text(x.unit()).raw("</div></div></figure>\n").toString();
    }
}
