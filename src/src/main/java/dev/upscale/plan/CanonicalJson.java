package dev.upscale.plan;

import dev.upscale.graph.InvalidInput;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;

/**
 * JSON in one form only: keys sorted by UTF-16 code units, no space, the escapes of RFC 8785, f32 numbers with the fewest
 * digits that tell them from their neighbours, infinities and NaN as strings. Values are {@code Map<String, Object>},
 * {@code List<?>}, {@link String}, {@link Boolean}, {@link Integer}, {@link Long} and {@link Float}; read, integers are
 * {@link Long}.
 */
final class CanonicalJson {
    /** Limits that no real plan comes near and that keep a hostile one from filling the memory. */
    private static final StreamReadConstraints LIMITS = StreamReadConstraints.builder()
            .maxNestingDepth(24)
            .maxTokenCount(4_000_000)
            .maxNumberLength(64)
            .maxStringLength(64 << 20)
            .maxNameLength(1 << 16)
            .build();

    private static final JsonFactory FACTORY = JsonFactory.builder().streamReadConstraints(LIMITS).build();

    private CanonicalJson() {}

    static String write(Object value) {
        StringBuilder text = new StringBuilder();
        write(value, text);
        return text.toString();
    }

    private static void write(Object value, StringBuilder text) {
        switch (value) {
            case Map<?, ?> map -> writeObject(map, text);
            case List<?> list -> writeArray(list, text);
            case String string -> writeString(string, text);
            case Float number when !Float.isFinite(number) -> writeString(number.toString(), text);
            case Float number -> text.append(number);
            case Integer number -> text.append(number);
            case Long number -> text.append(number);
            case Boolean truth -> text.append(truth);
            default -> throw new IllegalArgumentException("no JSON for " + value.getClass());
        }
    }

    private static void writeObject(Map<?, ?> map, StringBuilder text) {
        text.append('{');
        String separator = "";
        for (Map.Entry<?, ?> entry : new TreeMap<Object, Object>(map).entrySet()) {
            text.append(separator);
            writeString((String) entry.getKey(), text);
            text.append(':');
            write(entry.getValue(), text);
            separator = ",";
        }
        text.append('}');
    }

    private static void writeArray(List<?> list, StringBuilder text) {
        text.append('[');
        String separator = "";
        for (Object element : list) {
            text.append(separator);
            write(element, text);
            separator = ",";
        }
        text.append(']');
    }

    private static void writeString(String string, StringBuilder text) {
        text.append('"');
        for (int i = 0; i < string.length(); i++) {
            char c = string.charAt(i);
            int known = "\"\\\b\t\n\f\r".indexOf(c);
            if (known >= 0) {
                text.append('\\').append("\"\\btnfr".charAt(known));
            } else if (c < ' ' || isUnpaired(string, i)) {
                text.append("\\u").append(HexFormat.of().toHexDigits(c));
            } else {
                text.append(c);
            }
        }
        text.append('"');
    }

    /** Whether the character is half of a surrogate pair without the other half, which UTF-8 cannot hold. */
    private static boolean isUnpaired(String string, int i) {
        char c = string.charAt(i);
        if (Character.isHighSurrogate(c)) {
            return i + 1 == string.length() || !Character.isLowSurrogate(string.charAt(i + 1));
        }
        return Character.isLowSurrogate(c) && (i == 0 || !Character.isHighSurrogate(string.charAt(i - 1)));
    }

    /**
     * The value of a JSON text, in whatever form it is written.
     *
     * @param what names the text in errors
     * @throws InvalidInput if it is not JSON, has a null or a repeated key, or is beyond the limits
     */
    static Object read(String text, String what) {
        try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), text)) {
            parser.nextToken();
            Object value = read(parser, what);
            if (parser.nextToken() != null) {
                throw new InvalidInput(what + " goes on after its end");
            }
            return value;
        } catch (JacksonException e) {
            throw new InvalidInput(what + " is not readable JSON (" + e.getOriginalMessage() + ")", e);
        }
    }

    private static Object read(JsonParser parser, String what) {
        JsonToken token = parser.currentToken();
        return switch (token) {
            case START_OBJECT -> {
                Map<String, Object> map = new TreeMap<>();
                while (parser.nextToken() != JsonToken.END_OBJECT) {
                    String key = parser.currentName();
                    parser.nextToken();
                    if (map.put(key, read(parser, what)) != null) {
                        throw new InvalidInput(what + " has the key " + key + " twice");
                    }
                }
                yield map;
            }
            case START_ARRAY -> {
                List<Object> list = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    list.add(read(parser, what));
                }
                yield list;
            }
            case VALUE_STRING -> parser.getString();
            case VALUE_NUMBER_INT -> parser.getLongValue();
            case VALUE_NUMBER_FLOAT -> Float.parseFloat(parser.getString());
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case null, default -> throw new InvalidInput(what + " has " + token + " where a value belongs");
        };
    }
}
