package dev.upscale.runtime.cuda;

import dev.upscale.compile.Precision;
import dev.upscale.runtime.cudnn.Candidate;
import dev.upscale.runtime.cudnn.OperationGraph;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * Plans that were built before, in the user's cache directory: a file for each graph, device, library version and way of choosing. A file
 * that cannot be read or written is only lost time. Thread-safe.
 */
final class PlanCache {
    private static final JsonMapper JSON = new JsonMapper();

    private final Path folder;
    private final String world;

    /** @param world what plans depend on beside their graph: the library's version, the device, the engines that are there */
    PlanCache(Path folder, String world) {
        this.folder = folder;
        this.world = world;
    }

    /** {@code $XDG_CACHE_HOME/upscale/cudnn}, by default {@code ~/.cache/upscale/cudnn}. */
    static Path folderOfUser() {
        String configured = System.getenv("XDG_CACHE_HOME");
        Path base = configured != null && !configured.isBlank() ? Path.of(configured) : Path.of(System.getProperty("user.home", "."), ".cache");
        return base.resolve("upscale").resolve("cudnn");
    }

    /** A search's result as it is stored: a plan, or the reason why there is none. */
    record Stored(Candidate plan, String refusal) {}

    Optional<PlanChoice.Choice> get(OperationGraph graph, Precision precision, boolean avoidsCopies) {
        try {
            Stored stored = JSON.readValue(Files.readString(file(graph, precision, avoidsCopies)), Stored.class);
            return Optional.of(stored.plan == null ? new PlanChoice.Choice.Refused(stored.refusal) : new PlanChoice.Choice.Taken(stored.plan));
        } catch (IOException | JacksonException e) {
            return Optional.empty();
        }
    }

    void put(OperationGraph graph, Precision precision, boolean avoidsCopies, PlanChoice.Choice choice) {
        Stored stored = switch (choice) {
            case PlanChoice.Choice.Taken taken -> new Stored(taken.plan(), null);
            case PlanChoice.Choice.Refused refused -> new Stored(null, refused.reason());
        };
        try {
            Files.createDirectories(folder);
            Path draft = Files.createTempFile(folder, "plan", ".part");
            Files.writeString(draft, JSON.writeValueAsString(stored));
            Files.move(draft, file(graph, precision, avoidsCopies), StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            // the next search finds it again
        }
    }

    private Path file(OperationGraph graph, Precision precision, boolean avoidsCopies) {
        String key = world + "\n" + precision + " " + avoidsCopies + "\n" + graph;
        return folder.resolve(digest(key).substring(0, 40) + ".json");
    }

    /** SHA-256 in hexadecimal digits. */
    static String digest(String text) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
