package dev.upscale.report;

import java.util.Base64;
import java.util.List;

/**
 * Pictures side by side, each with a map laid over it if it has one; the files are part of the page.
 *
 * @param rows the figures behind them, the first row holds the heads
 */
public record Pictures(String heading, String note, List<Picture> pictures, List<List<String>> rows) implements Section {

    /**
     * One picture.
     *
     * @param alternative what it shows, for those who do not see it
     * @param ground a PNG file
     * @param overlay a PNG file of the same size to lay over it; none if empty
     */
    public record Picture(String caption, String alternative, byte[] ground, byte[] overlay) {}

    public Pictures {
        pictures = List.copyOf(pictures);
        rows = List.copyOf(rows);
    }

    @Override
    public String body() {
        Html html = new Html().raw("<div class=\"pictures\">\n");
        for (Picture picture : pictures) {
            html.raw("<figure><div class=\"stack\">").raw(image(picture.ground(), picture.alternative()));
            if (picture.overlay().length > 0) {
                html.raw(image(picture.overlay(), ""));
            }
            html.raw("</div><figcaption>").text(picture.caption()).raw("</figcaption></figure>\n");
        }
        return html.raw("</div>\n").raw(Figures.behind(heading + " in figures", rows)).toString();
    }

    private static String image(byte[] png, String alternative) {
        return "<img alt=\"" + Html.escape(alternative) + "\" src=\"data:image/png;base64," + Base64.getEncoder().encodeToString(png) + "\">";
    }
}
