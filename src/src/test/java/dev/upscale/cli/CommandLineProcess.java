package dev.upscale.cli;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;

/** The command line in a process of its own: other native libraries, class path and environment than this one. */
public final class CommandLineProcess {
    private static final long MOST_SECONDS = 120;

    private final List<String> classPath;
    private final List<String> modulePath = new ArrayList<>();
    private final List<String> options = new ArrayList<>();
    private final Map<String, String> environment;
    private final Path folder;

    /** What became of it. */
    public record Ended(int exitCode, String out, String err) {}

    /**
     * As this process, without what surefire set.
     *
     * @param folder for what it prints
     */
    public CommandLineProcess(Path folder) {
        this.folder = folder;
        classPath = new ArrayList<>(classPath());
        environment = new TreeMap<>(System.getenv());
    }

    private static List<String> classPath() {
        return List.of(System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")).split(File.pathSeparator));
    }

    /** Sets a system property. */
    public CommandLineProcess property(String name, Object value) {
        options.add("-D" + name + "=" + value);
        return this;
    }

    /** Sets an environment variable, or takes it away if {@code value} is null. */
    public CommandLineProcess variable(String name, Object value) {
        if (value == null) {
            environment.remove(name);
        } else {
            environment.put(name, value.toString());
        }
        return this;
    }

    /** Adds an entry to the class path. */
    public CommandLineProcess with(Path entry) {
        classPath.add(entry.toString());
        return this;
    }

    /** Adds an entry to the module path. */
    public CommandLineProcess withModule(Path entry) {
        modulePath.add(entry.toString());
        return this;
    }

    /**
     * Puts a copy, made of links, in the place of the classes that are tested: without the files below a folder whose names end in one of
     * the endings.
     */
    public CommandLineProcess hiding(String below, String... endings) throws IOException {
        Path classes = Stream.of(classPath().toArray(String[]::new)).map(Path::of).filter(entry -> Files.isDirectory(entry.resolve(below))).findFirst()
                .orElseThrow(() -> new IllegalStateException("no entry of the class path holds " + below));
        Path copy = folder.resolve("classes");
        Path from = classes.toAbsolutePath();
        Path to = Files.createDirectories(copy);
        for (Path part : Path.of(below)) {
            linkAll(from, to, List.of(part.toString()), List.of());
            from = from.resolve(part);
            to = Files.createDirectories(to.resolve(part));
        }
        linkAll(from, to, List.of(), List.of(endings));
        classPath.replaceAll(entry -> Path.of(entry).equals(classes) ? copy.toString() : entry);
        return this;
    }

    private static void linkAll(Path from, Path to, List<String> names, List<String> endings) throws IOException {
        try (Stream<Path> children = Files.list(from)) {
            for (Path child : children.toList()) {
                String name = child.getFileName().toString();
                if (!names.contains(name) && endings.stream().noneMatch(name::endsWith)) {
                    Files.createSymbolicLink(to.resolve(name), child);
                }
            }
        }
    }

    /** Takes away the links in a folder, which JUnit would warn about. */
    public static void unlink(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path link : files.filter(Files::isSymbolicLink).toList()) {
                Files.delete(link);
            }
        }
    }

    /** Runs a command to its end. */
    public Ended run(Object... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-Xmx2g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        command.addAll(options);
        if (!modulePath.isEmpty()) {
            command.addAll(List.of("--module-path", String.join(File.pathSeparator, modulePath)));
        }
        command.addAll(List.of("-cp", String.join(File.pathSeparator, classPath), Main.class.getName()));
        Stream.of(arguments).map(String::valueOf).forEach(command::add);
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        Process process = builder.start();
        if (!process.waitFor(MOST_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            Assertions.fail("no end after " + MOST_SECONDS + " s: " + command + "\n" + Files.readString(err));
        }
        return new Ended(process.exitValue(), Files.readString(out), Files.readString(err));
    }
}
