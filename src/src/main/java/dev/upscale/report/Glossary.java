package dev.upscale.report;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Words and what they mean, in the order given. */
public record Glossary(String heading, String note, Map<String, String> meanings) implements Section {
    public Glossary {
        meanings = Collections.unmodifiableMap(new LinkedHashMap<>(meanings));
    }

    @Override
    public String body() {
        Html html = new Html().raw("<dl>\n");
        meanings.forEach((word, meaning) -> html.raw("<dt>").text(word).raw("</dt><dd>").text(meaning).raw("</dd>\n"));
        return html.raw("</dl>\n").toString();
    }
}
