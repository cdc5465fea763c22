package dev.upscale.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A page that stands alone.
 *
 * @param title its title
 * @param summary what it is about, in one paragraph of plain text
 * @param sections what it shows
 */
public record Page(String title, String summary, List<Section> sections) {
    private static final int FEWEST_SECTIONS_WITH_CONTENTS = 3;

    public Page {
        sections = List.copyOf(sections);
    }

    /** The same page with one more section. */
    public Page with(Section section) {
        List<Section> more = new ArrayList<>(sections);
        more.add(section);
        return new Page(title, summary, more);
    }

    /** The page as a file of HTML. */
    public String html() {
        Html page = new Html();
        page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                + "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n<title>")
                .text(title).raw("</title>\n<style>\n").raw(style()).raw("</style>\n</head>\n<body>\n<main>\n<h1>").text(title).raw("</h1>\n<p>")
                .text(summary).raw("</p>\n");
        contents(page);
        for (int i = 0; i < sections.size(); i++) {
            Section section = sections.get(i);
            page.raw("<section aria-labelledby=\"s").raw(i).raw("\">\n<h2 id=\"s").raw(i).raw("\">").text(section.heading()).raw("</h2>\n");
            if (!section.note().isEmpty()) {
                page.raw("<p class=\"note\">").text(section.note()).raw("</p>\n");
            }
            page.raw(section.body()).raw("</section>\n");
        }
        return page.raw("</main>\n</body>\n</html>\n").toString();
    }

    private void contents(Html page) {
        if (sections.size() < FEWEST_SECTIONS_WITH_CONTENTS) {
            return;
        }
        page.raw("<nav aria-label=\"Contents\"><ul>");
        for (int i = 0; i < sections.size(); i++) {
            page.raw("<li><a href=\"#s").raw(i).raw("\">").text(sections.get(i).heading()).raw("</a></li>");
        }
        page.raw("</ul></nav>\n");
    }

    private static String style() {
        try (InputStream css = Page.class.getResourceAsStream("report.css")) {
            return new String(css.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
