package dev.upscale.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Axes and what lies between them. Shapes scale with the page in units of the axes; text, points and lines keep their size, so that both
 * are readable at any width.
 */
final class Plot {
    /** Pixels of a tick's character, and of the area on a telephone. */
    private static final double CHARACTER = 8;
    private static final double NARROWEST = 250;
    /** Pixels between the area and the page's right edge. */
    private static final double BESIDE = 16;

    private final Axis x;
    private final Axis y;
    private final Html shapes = new Html();
    private final Html tags = new Html();
    private final TagPlaces places = new TagPlaces();

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

        /** The ticks whose labels have room below the axis, each centred at its value, on a telephone as well. What lies to the left of the area is free there. */
        List<Tick> readable() {
            List<Tick> readable = new ArrayList<>();
            double end = Double.NEGATIVE_INFINITY;
            for (Tick tick : ticks) {
                double half = 50 * CHARACTER * tick.text.length() / NARROWEST;
                double at = percent(tick.at);
                if (at - half > end && at + half <= 100 * (1 + BESIDE / NARROWEST)) {
                    readable.add(tick);
                    end = at + half;
                }
            }
            return readable;
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

    /** Draws nothing: says where a curve lies, so that no words will be put there. To be called for all curves before {@link #tag}. */
    void avoid(List<double[]> values) {
        places.curve(values.stream().map(value -> new double[] {x(value[0]), y(value[1])}).toList());
    }

    /** A few words beside a point, if there is room for them. */
    boolean tag(double atX, double atY, String text) {
        Optional<TagPlaces.Side> side = places.place(new double[] {x(atX), y(atY)}, text);
        side.ifPresent(found -> tags.format("<span class=\"tag %s\" style=\"left:%.2f%%;top:%.2f%%\">", found.style(), x(atX), y(atY))
                .text(text).raw("</span>"));
        return side.isPresent();
    }

    /** With the words that stand for it where it is not seen. */
    String html(String alternative) {
        Html html = new Html().raw("<figure><div class=\"plot\"><div class=\"unit\">").text(y.unit()).raw("</div><div class=\"ys\">");
        y.ticks().forEach(tick -> html.format("<span class=\"%s\" style=\"bottom:%.2f%%\">", y.percent(tick.at()) < 6 ? "edge-bottom" : y.percent(tick.at()) > 95 ? "edge-top" : "",
                y.percent(tick.at())).text(tick.text()).raw("</span>"));
        html.raw("</div><div class=\"area\"><svg viewBox=\"0 0 100 100\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"").text(alternative)
                .raw("\">");
        y.ticks().forEach(tick -> html.format("<path class=\"grid\" d=\"M0 %.3fH100\"/>", y(tick.at())));
        html.raw(shapes).raw("</svg>").raw(tags).raw("</div><div class=\"xs\">");
        x.readable().forEach(tick -> html.format("<span style=\"left:%.2f%%\">", x.percent(tick.at())).text(tick.text()).raw("</span>"));
        return html.raw("</div><div class=\"x-unit\">").text(x.unit()).raw("</div></div></figure>\n").toString();
    }
}
