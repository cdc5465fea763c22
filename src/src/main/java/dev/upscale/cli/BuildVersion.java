package dev.upscale.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The version of this build, from a resource that Maven fills in. */
final class BuildVersion {
    private BuildVersion() {}

    static String read() {
        try (InputStream resource = BuildVersion.class.getResourceAsStream("version.properties")) {
            if (resource == null) {
                return "unknown";
            }
            Properties properties = new Properties();
            properties.load(resource);
            return properties.getProperty("version", "unknown");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
