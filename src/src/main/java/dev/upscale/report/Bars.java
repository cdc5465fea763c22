package dev.upscale.report;

import java.util.List;

/** One bar for each of a few things that are compared. */
public record Bars(String heading, String note, List<Bar> bars) implements Section {

    /**
     * One bar.
     *
     * @param value its length
     * @param low start of its spread; equal to {@code high} for none
     * @param high end of its spread
     * @param text the value in words
     * @param best whether it is the one to look at
     */
    public record Bar(String label, double value, double low, double high, String text, boolean best) {}

    public Bars {
        bars = List.copyOf(bars);
    }

    @Override
    public String body() {
        double longest = bars.stream().mapToDouble(bar -> Math.max(bar.value(), bar.high())).max().orElse(1);
        Html html = new Html();
        html.raw("<div role=\"list\">\n");
        for (Bar bar : bars) {
            html.raw("<div class=\"bar-row").raw(bar.best() ? " best" : "").raw("\" role=\"listitem\"><span>");
            label(html, bar.label());
            html.raw("</span><div class=\"track\">").format("<div class=\"bar\" style=\"width:%.2f%%\"></div>", percent(bar.value(), longest));
            if (bar.high() > bar.low()) {
                html.format("<div class=\"spread\" style=\"left:%.2f%%;width:%.2f%%\"></div>", percent(bar.low(), longest),
                        percent(bar.high() - bar.low(), longest));
            }
            html.raw("</div><span>").text(bar.text()).raw("</span></div>\n");
        }
        return html.raw("</div>\n").toString();
    }

    /** A label like {@code peer@export} may break before its second part, and nowhere else. */
    private static void label(Html html, String label) {
        int at = label.indexOf('@');
        html.text(at < 0 ? label : label.substring(0, at));
        if (at >= 0) {
            html.raw("<wbr>").text(label.substring(at));
        }
    }

    private static double percent(double value, double longest) {
        return longest > 0 ? 100 * value / longest : 0;
    }
}
