package dev.upscale.cli;

import dev.upscale.report.ChromeTrace;
import dev.upscale.runtime.Profile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Supplier;
import jdk.jfr.Recording;
import picocli.CommandLine.Option;

/** Where the times of steps are written. */
final class TraceArguments {
    @Option(names = "--trace", paramLabel = "FILE.json", description = "write the times of the steps as a trace for Perfetto or chrome://tracing")
    private Path trace;

    @Option(names = "--jfr", paramLabel = "FILE.jfr", description = "write them as events dev.upscale.Step of Java's flight recorder")
    private Path flight;

    boolean isAskedFor() {
        return trace != null || flight != null;
    }

    /** Runs what makes profiles, in a flight recording if one is asked for, and writes them. */
    void write(Supplier<Map<String, Profile>> profiled) {
        Map<String, Profile> profiles = flight == null ? profiled.get() : recorded(profiled);
        if (trace != null) {
            OutputFile.write(trace, file -> Files.writeString(file, ChromeTrace.of(profiles)));
        }
    }

    private Map<String, Profile> recorded(Supplier<Map<String, Profile>> profiled) {
        try (Recording recording = new Recording()) {
            recording.enable("dev.upscale.Step");
            recording.start();
            Map<String, Profile> profiles = profiled.get();
            recording.stop();
            OutputFile.write(flight, recording::dump);
            return profiles;
        }
    }
}
