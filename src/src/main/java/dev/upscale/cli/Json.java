package dev.upscale.cli;

import dev.upscale.graph.InvalidInput;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** JSON documents of the command line. */
final class Json {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(tools.jackson.databind.DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
            .build();

    private Json() {}

    /** The document as one line of text. Records and maps keep the order of their fields. */
    static String write(Object document) {
        return MAPPER.writeValueAsString(document);
    }

    /** The document in a file. */
    static JsonNode read(Path file) {
        byte[] content = InputFile.read(file);
        try {
            JsonNode document = MAPPER.readTree(content);
            if (document == null || document.isMissingNode()) {
                throw new InvalidInput(file + " is empty; a JSON document is expected");
            }
            return document;
        } catch (JacksonException e) {
            throw new InvalidInput(file + " is not valid JSON: " + Main.oneLine(e.getOriginalMessage()), e);
        }
    }
}
