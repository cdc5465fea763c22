package dev.upscale.cli;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A page that stands alone: paragraphs, bar charts and tables, without script or any other file; light or dark as the
 * reader's system asks, and readable on a telephone.
 */
final class HtmlReport {
    private static final String STYLE = """
            :root { color-scheme: light dark; --ground: #fff; --ink: #1b1f24; --faint: #667; --line: #d8dde3; --bar: #7c93b2; --best: #17805f; }
            @media (prefers-color-scheme: dark) {
              :root { --ground: #14171b; --ink: #e6e9ed; --faint: #9aa4b0; --line: #333a43; --bar: #5a7396; --best: #35b58c; }
            }
            body { margin: 0 auto; padding: 1rem; max-width: 52rem; background: var(--ground); color: var(--ink);
                   font: 1rem/1.5 system-ui, sans-serif; }
            h1 { font-size: 1.5rem; line-height: 1.2; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
            p.note { color: var(--faint); font-size: .875rem; margin: .25rem 0 .75rem; }
            .row { display: grid; grid-template-columns: minmax(6.5rem, 9rem) 1fr minmax(5rem, auto); gap: .6rem; align-items: center;
                   margin: .3rem 0; }
            .row > :last-child { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
            .track { height: 1.1rem; border-left: 1px solid var(--line); position: relative; }
            .bar { height: 100%; background: var(--bar); border-radius: 0 3px 3px 0; min-width: 1px; }
            .best .bar { background: var(--best); } .best { font-weight: 600; }
            .spread { position: absolute; top: 50%; height: 2px; background: var(--ink); opacity: .6; }
            .scroll { overflow-x: auto; }
            table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
            th, td { padding: .35rem .7rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
            dt { font-weight: 600; } dd { margin: 0 0 .5rem; color: var(--faint); }
            th:first-child, td:first-child { text-align: left; padding-left: 0; }
            """;

    private final StringBuilder body = new StringBuilder();
    private final String title;

    HtmlReport(String title) {
        this.title = title;
    }

    /**
     * One bar.
     *
     * @param value its length
     * @param low   start of its spread; equal to {@code high} for none
     * @param high  end of its spread
     * @param text  the value in words
     * @param best  whether it is the one to look at
     */
    record Bar(String label, double value, double low, double high, String text, boolean best) {}

    HtmlReport paragraph(String text) {
        body.append("<p>").append(escape(text)).append("</p>\n");
        return this;
    }

    HtmlReport bars(String heading, String note, List<Bar> bars) {
        double longest = bars.stream().mapToDouble(bar -> Math.max(bar.value(), bar.high())).max().orElse(1);
        heading(heading, note);
        for (Bar bar : bars) {
            body.append("<div class=\"row").append(bar.best() ? " best" : "").append("\"><span>").append(escape(bar.label()))
                    .append("</span><div class=\"track\"><div class=\"bar\" style=\"width:").append(percent(bar.value(), longest))
                    .append("\"></div>");
            if (bar.high() > bar.low()) {
                body.append("<div class=\"spread\" style=\"left:").append(percent(bar.low(), longest)).append(";width:")
                        .append(percent(bar.high() - bar.low(), longest)).append("\"></div>");
            }
            body.append("</div><span>").append(escape(bar.text())).append("</span></div>\n");
        }
        return this;
    }

    HtmlReport table(String heading, String note, List<List<String>> rows) {
        heading(heading, note);
        body.append("<div class=\"scroll\"><table>\n");
        for (int row = 0; row < rows.size(); row++) {
            String cell = row == 0 ? "th" : "td";
            body.append("<tr>");
            rows.get(row).forEach(text -> body.append('<').append(cell).append('>').append(escape(text)).append("</").append(cell).append('>'));
            body.append("</tr>\n");
        }
        body.append("</table></div>\n");
        return this;
    }

    /** Words and what they mean, in the order given. */
    HtmlReport glossary(String heading, Map<String, String> meanings) {
        heading(heading, "");
        body.append("<dl>\n");
        meanings.forEach((word, meaning) -> body.append("<dt>").append(escape(word)).append("</dt><dd>").append(escape(meaning)).append("</dd>\n"));
        body.append("</dl>\n");
        return this;
    }

    private void heading(String heading, String note) {
        body.append("<h2>").append(escape(heading)).append("</h2>\n");
        if (!note.isEmpty()) {
            body.append("<p class=\"note\">").append(escape(note)).append("</p>\n");
        }
    }

    /** The whole page. */
    @Override
    public String toString() {
        return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                + "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" + escape(title) + "</title>\n<style>\n"
                + STYLE + "</style>\n</head>\n<body>\n<h1>" + escape(title) + "</h1>\n" + body + "</body>\n</html>\n";
    }

    private static String percent(double value, double longest) {
        return String.format(Locale.ROOT, "%.2f%%", longest > 0 ? 100 * value / longest : 0);
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }
}
