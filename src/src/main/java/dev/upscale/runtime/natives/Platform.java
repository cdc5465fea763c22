package dev.upscale.runtime.natives;

import java.util.Locale;

/** The platform's name, as archives of native libraries write it and as our own build does. */
final class Platform {
    private Platform() {}

    /** As Bytedeco's archives write it, for example {@code linux-x86_64}, {@code linux-arm64} or {@code macosx-arm64}. */
    static String ofArchives() {
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

    /** As native/cpu/build.sh writes it after uname, for example {@code linux-x86_64}, {@code linux-aarch64} or {@code darwin-aarch64}. */
    static String ofOwnBuild() {
        return ofArchives().replace("macosx-", "darwin-").replace("-arm64", "-aarch64");
    }
}
