package dev.upscale.channels;

import dev.upscale.graph.InvalidInput;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Patterns as JSON: {@code {"model": "...", "consumers": {"<weight>": [channels]}, "producers": {...}}}. */
public final class PatternFile {
    private static final JsonMapper JSON = new JsonMapper();

    private PatternFile() {}

    /**
     * Reads a pattern. A file that holds a list of patterns (each with a name in {@code mask}) is read with
     * {@code FILE#NAME}.
     *
     * @throws InvalidInput if the file cannot be read or is not a pattern; the message names it
     */
    public static Pattern read(String fileAndMask) {
        int hash = fileAndMask.lastIndexOf('#');
        Path file = Path.of(hash < 0 ? fileAndMask : fileAndMask.substring(0, hash));
        String mask = hash < 0 ? "" : fileAndMask.substring(hash + 1);
        try {
            JsonNode root = JSON.readTree(Files.readString(file));
            return parse(root.isArray() ? choose(root, mask) : root);
        } catch (IOException e) {
            throw new InvalidInput("pattern file " + file + " cannot be read (" + e.getClass().getSimpleName()
                    + "); check its path", e);
        } catch (JacksonException e) {
            throw new InvalidInput("pattern file " + file + " is not JSON: " + e.getOriginalMessage()
                    + "; make it again with 'upscale prune'", e);
        } catch (InvalidInput e) {
            throw e.in("pattern file " + file);
        }
    }

    private static JsonNode choose(JsonNode list, String mask) {
        StringBuilder names = new StringBuilder();
        for (JsonNode entry : list) {
            String name = entry.path("mask").asString("");
            if (name.equals(mask)) {
                return entry;
            }
            names.append(names.isEmpty() ? "" : ", ").append(name);
        }
        throw new InvalidInput("it is a list of patterns without one named '" + mask
                + "'; name one after the file, as in FILE#NAME, of: " + names);
    }

    /** The pattern that a JSON document says. */
    public static Pattern parse(JsonNode root) {
        if (!root.isObject() || !root.path("consumers").isObject() && !root.path("producers").isObject()) {
            throw new InvalidInput("a pattern is an object with 'consumers' or 'producers'; make it with 'upscale prune'");
        }
        return new Pattern(root.path("model").asString(""), channels(root, "consumers"), channels(root, "producers"));
    }

    private static Map<String, int[]> channels(JsonNode root, String field) {
        Map<String, int[]> channels = new LinkedHashMap<>();
        JsonNode object = root.path(field);
        if (object.isMissingNode() || object.isNull()) {
            return channels;
        }
        if (!object.isObject()) {
            throw new InvalidInput("'" + field + "' is not an object of weight names; make it with 'upscale prune'");
        }
        object.properties().forEach(entry -> channels.put(entry.getKey(), channels(entry.getKey(), entry.getValue())));
        return channels;
    }

    private static int[] channels(String weight, JsonNode list) {
        if (!list.isArray()) {
            throw new InvalidInput("weight " + weight + " has no list of channels; make it with 'upscale prune'");
        }
        int[] channels = new int[list.size()];
        for (int k = 0; k < channels.length; k++) {
            JsonNode channel = list.get(k);
            if (!channel.isInt()) {
                throw new InvalidInput("weight " + weight + ", position " + k + ": " + channel
                        + " is not a channel number; make it with 'upscale prune'");
            }
            channels[k] = channel.intValue();
        }
        return channels;
    }

    /** Writes a pattern; the file appears whole or not at all. */
    public static void write(Pattern pattern, Path file) throws IOException {
        ObjectNode root = JSON.createObjectNode();
        root.put("model", pattern.model());
        put(root.putObject("consumers"), pattern.consumers());
        put(root.putObject("producers"), pattern.producers());
        Path directory = file.toAbsolutePath().getParent();
        Path unfinished = Files.createTempFile(directory, file.getFileName().toString(), ".part");
        try {
            Files.writeString(unfinished, JSON.writeValueAsString(root));
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    private static void put(ObjectNode object, Map<String, int[]> channels) {
        channels.forEach((weight, retained) -> {
            ArrayNode list = object.putArray(weight);
            for (int channel : retained) {
                list.add(channel);
            }
        });
    }
}
