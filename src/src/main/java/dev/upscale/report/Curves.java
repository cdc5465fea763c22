package dev.upscale.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleFunction;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What is gained for what it costs: one curve for each way of pruning, accuracy over time, say.
 *
 * @param x what runs to the right
 * @param y what runs upwards
 * @param series up to six curves
 */
public record Curves(String heading, String note, Measure x, Measure y, List<Series> series) implements Section {
    private static final int MOST_SERIES = 6;
    private static final int TICKS = 3;
    /** Steps of a sixteenth are as fine as labels can tell apart. */
    private static final int MOST_HALVED = 4;
    private static final double MARGIN = 0.06;

    /**
     * What an axis shows.
     *
     * @param name with its unit, for example {@code time of one image, ms}
     * @param text a value in words
     */
    public record Measure(String name, DoubleFunction<String> text) {
        /** Shares from 0 to 1, shown in percent. */
        public static Measure percent(String name) {
            return new Measure(name, value -> String.format(Locale.ROOT, "%.1f %%", 100 * value));
        }

        /** Numbers with so many digits after the point. */
        public static Measure number(String name, int digits) {
            return new Measure(name, value -> String.format(Locale.ROOT, "%." + digits + "f", value));
        }

        /** Nanoseconds. */
        public static Measure time(String name) {
            return new Measure(name, Units::time);
        }
    }

    /** One curve through points from left to right; {@code label} says what a point is, for example {@code 10 %}. */
    public record Series(String name, List<Point> points) {
        public Series {
            points = List.copyOf(points);
        }
    }

    /** A measured point. */
    public record Point(String label, double x, double y) {}

    public Curves {
        series = List.copyOf(series);
        if (series.size() > MOST_SERIES || series.stream().allMatch(one -> one.points().isEmpty())) {
            throw new IllegalArgumentException(series.size() + " curves; from 1 to " + MOST_SERIES + " with points can be told apart");
        }
    }

    @Override
    public String body() {
        List<Point> all = series.stream().flatMap(one -> one.points().stream()).toList();
        Plot plot = new Plot(axis(x, all.stream().map(Point::x).toList(), Plot.Axis::readable), axis(y, all.stream().map(Point::y).toList(), Plot.Axis::ticks));
        series.forEach(one -> plot.avoid(one.points().stream().map(point -> new double[] {point.x(), point.y()}).toList()));
        Html legend = new Html().raw("<ul class=\"legend\">");
        for (int i = 0; i < series.size(); i++) {
            draw(plot, i, series.get(i));
            legend.format("<li><svg viewBox=\"0 0 26 12\" aria-hidden=\"true\"><path class=\"line series-%d\"%s d=\"M0 6H26\"/>"
                    + "<path class=\"mark series-%d\" d=\"M13 6h0\"/></svg>", i, dashes(i), i).text(series.get(i).name()).raw("</li>");
        }
        return legend.raw("</ul>\n").raw(plot.html(alternative())).raw(Figures.behind(heading + " as a table", table())).toString();
    }

    /** Draws a curve, and names its last point, or where there is no room the last for which there is. */
    private static void draw(Plot plot, int number, Series one) {
        String line = one.points().stream().map(point -> String.format(Locale.ROOT, "%.3f %.3f", plot.x(point.x()), plot.y(point.y())))
                .collect(Collectors.joining("L"));
        plot.shapes().format("<path class=\"line series-%d\"%s d=\"M%s\"/>", number, dashes(number), line);
        for (Point point : one.points()) {
            plot.shapes().format("<path class=\"mark series-%d\" d=\"M%.3f %.3fh0\"><title>", number, plot.x(point.x()), plot.y(point.y()))
                    .text(one.name() + " " + point.label()).raw("</title></path>");
        }
        one.points().reversed().stream().anyMatch(point -> plot.tag(point.x(), point.y(), point.label()));
    }

    /** Curves are told apart without colours as well. */
    private static String dashes(int number) {
        return switch (number) {
            case 0, 1 -> "";
            case 2 -> " stroke-dasharray=\"6 3\"";
            case 3 -> " stroke-dasharray=\"2 3\"";
            default -> " stroke-dasharray=\"" + (2 + 2 * number) + " 3 2 3\"";
        };
    }

    private String alternative() {
        return series.stream().map(one -> one.name() + ": " + one.points().stream()
                .map(point -> point.label() + " " + x.text().apply(point.x()) + " " + y.text().apply(point.y()))
                .collect(Collectors.joining(", "))).collect(Collectors.joining("; "));
    }

    private List<List<String>> table() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("curve", "point", x.name(), y.name()));
        series.forEach(one -> one.points().forEach(point ->
                rows.add(List.of(one.name(), point.label(), x.text().apply(point.x()), y.text().apply(point.y())))));
        return rows;
    }

    /** @param readable which ticks of an axis will be shown */
    private static Plot.Axis axis(Measure measure, List<Double> values, Function<Plot.Axis, List<Plot.Axis.Tick>> readable) {
        double least = values.stream().mapToDouble(Double::doubleValue).min().orElse(0);
        double most = values.stream().mapToDouble(Double::doubleValue).max().orElse(1);
        double span = most > least ? most - least : Math.max(Math.abs(most), 1);
        double from = least - MARGIN * span;
        double to = most + MARGIN * span;
        double step = step(span / TICKS);
        Plot.Axis axis = axis(measure, from, to, step);
        for (int halved = 0; readable.apply(axis).size() < 2 && halved < MOST_HALVED; halved++) {
            step /= 2; // one label alone gives no scale
            axis = axis(measure, from, to, step);
        }
        return axis;
    }

    private static Plot.Axis axis(Measure measure, double from, double to, double step) {
        List<Plot.Axis.Tick> ticks = new ArrayList<>();
        for (double tick = Math.ceil(from / step) * step + 0.0; tick <= to; tick += step) { // + 0.0: no label is "-0"
            ticks.add(new Plot.Axis.Tick(tick, withoutNoughts(measure.text().apply(tick))));
        }
        return new Plot.Axis(measure.name(), from, to, ticks);
    }

    /** {@code 500 µs} for {@code 500.0 µs}: ticks are round. */
    private static String withoutNoughts(String text) {
        return text.replaceAll("(\\.\\d*?)0+(?!\\d)", "$1").replaceAll("\\.(?!\\d)", "");
    }

    /** The round number next above. */
    private static double step(double least) {
        double unit = Math.pow(10, Math.floor(Math.log10(least)));
        for (double round : new double[] {1, 2, 5}) {
            if (round * unit >= least) {
                return round * unit;
            }
        }
        return 10 * unit;
    }
}
