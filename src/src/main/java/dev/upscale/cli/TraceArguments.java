package dev.upscale.cli;

import dev.upscale.report.ChromeTrace;
import dev.upscale.runtime.Profile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import jdk.jfr.Recording;
import picocli.CommandLine.Option;

/** Where the times of steps are written. */
final class TraceArguments {
    private static final String EVENT = "dev.upscale.Step";

    @Option(names = "--trace", paramLabel = "FILE.json", description = "write the times of the steps as a trace for Perfetto or chrome://tracing")
    private Path trace;

    @Option(names = "--jfr", paramLabel = "FILE.jfr", description = "write them as events dev.upscale.Step of Java's flight recorder")
    private Path flight;

    boolean isAskedFor() {
        return trace != null || flight != null;
    }

    /** Runs what makes profiles, and writes them; a flight recording, if one is asked for, holds the runs that were measured. */
    void write(Profiling profiled) {
        Map<String, Profile> profiles = flight == null ? profiled.run(Runner.Watch.NONE) : recorded(profiled);
        if (trace != null) {
            OutputFile.write(trace, file -> Files.writeString(file, ChromeTrace.of(profiles)));
        }
    }

    /** What makes profiles, each by {@link Runner#profile}, which tells when it measures. */
    @FunctionalInterface
    interface Profiling {
        Map<String, Profile> run(Runner.Watch watch);
    }

    private Map<String, Profile> recorded(Profiling profiled) {
        try (Recording recording = new Recording()) {
            recording.start();
            Map<String, Profile> profiles = profiled.run(measuring -> {
                if (measuring) {
                    recording.enable(EVENT);
                } else {
                    recording.disable(EVENT);
                }
            });
            recording.stop();
            OutputFile.write(flight, recording::dump);
            return profiles;
        }
    }
}
