package dev.upscale.runtime.natives;

import java.util.Locale;

/** The platform's name as archives of native libraries write it. */
final class Platform {
    private Platform() {}

    /** For example {@code linux-x86_64} or {@code macosx-arm64}. */
    static String classifier() {
        String system = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        String os = system.startsWith("mac") ? "macosx" : system.startsWith("windows") ? "windows" : "linux";
        String processor = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        String arch = switch (processor) {
            case "amd64", "x86_64" -> "x86_64";
            case "aarch64" -> "arm64";
            default -> processor;
        };
        return os + "-" + arch;
    }
}
