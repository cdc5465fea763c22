package dev.upscale.report;

import java.util.Locale;

/** HTML in the making: what is text is escaped. */
final class Html {
    private final StringBuilder html = new StringBuilder();

    /** Appends what is HTML, or a number. */
    Html raw(Object markup) {
        html.append(markup);
        return this;
    }

    /** Appends text, also within an attribute. */
    Html text(String text) {
        html.append(escape(text));
        return this;
    }

    /** Appends formatted HTML; numbers as everywhere, with a point. */
    Html format(String format, Object... arguments) {
        html.append(String.format(Locale.ROOT, format, arguments));
        return this;
    }

    static String escape(String text) {
        return text.replaceAll("[\\p{Cntrl}&&[^\n\t]]", "\uFFFD").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }

    @Override
    public String toString() {
        return html.toString();
    }
}
