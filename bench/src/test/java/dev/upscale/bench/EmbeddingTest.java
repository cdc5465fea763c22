package dev.upscale.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.upscale.Upscale;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.onnx.ImportOptions;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program of docs/embedding.md, in processes of its own: with the packaged jar, which is built before this module. */
class EmbeddingTest {
    private static final Path ROOT = Path.of("..");
    private static final Path LIBRARIES = ROOT.resolve("src/target/libraries");
    private static final String ANSWERS = "[N, N, N]\n[N, N, N]\n";

    @TempDir
    private static Path folder;

    private static List<String> jars = List.of();
    private static String program;

    private record Run(int exitCode, String out, String err) {}

    @BeforeAll
    static void prepare() throws IOException {
        jars = jars();
        assumeTrue(!jars.isEmpty(), "the jar is not packaged yet; 'mvn verify' does that before it tests this");
        Matcher example = Pattern.compile("```java\n(import.*?)```", Pattern.DOTALL).matcher(Files.readString(ROOT.resolve("docs/embedding.md")));
        assertTrue(example.find(), "docs/embedding.md has no program");
        program = example.group(1);
        Path model = ROOT.resolve("src/src/main/resources/dev/upscale/demo/densenet.onnx");
        Graph network = Upscale.read(model, ImportOptions.defaults().withBatch(3));
        Upscale.save(Upscale.compile(network, new CompileOptions(Variant.UPSCALE, List.of("upscale"))), folder.resolve("model.plan"));
    }

    private static List<String> jars() throws IOException {
        if (!Files.isDirectory(LIBRARIES)) {
            return List.of();
        }
        try (Stream<Path> own = Files.list(ROOT.resolve("src/target")); Stream<Path> libraries = Files.list(LIBRARIES)) {
            List<String> packaged = own.filter(file -> file.getFileName().toString().matches("upscale-[0-9].*\\.jar")).map(Path::toString).toList();
            return packaged.isEmpty() ? List.of() : Stream.concat(packaged.stream(), libraries.map(Path::toString)).toList();
        }
    }

    @Test
    void onTheClassPath() throws Exception {
        Path classes = Files.createDirectories(folder.resolve("classes"));
        Path source = Files.writeString(folder.resolve("Classify.java"), program);
        String path = String.join(File.pathSeparator, jars);
        assertEquals(new Run(0, "", ""), java("javac", "-proc:none", "-Xlint:all,-path", "-cp", path, "-d", classes.toString(), source.toString()));
        assertAnswers(java("java", "-cp", path + File.pathSeparator + classes, "--enable-native-access=ALL-UNNAMED", "Classify",
                folder.resolve("model.plan").toString(), "2"));
    }

    @Test
    void onTheModulePath() throws Exception {
        Path modules = Files.createDirectories(folder.resolve("modules"));
        Path sources = Files.createDirectories(folder.resolve("sources/me"));
        Path main = Files.writeString(sources.resolve("Classify.java"), "package me;\n" + program);
        Path descriptor = Files.writeString(folder.resolve("sources/module-info.java"), "module me.app { requires dev.upscale; }");
        String path = String.join(File.pathSeparator, jars);
        assertEquals(new Run(0, "", ""), java("javac", "-proc:none", "-Xlint:all,-path", "-p", path, "-d", modules.toString(), descriptor.toString(),
                main.toString()));
        assertAnswers(java("java", "-p", path + File.pathSeparator + modules, "--enable-native-access=dev.upscale,dev.upscale.bindings", "-m",
                "me.app/me.Classify", folder.resolve("model.plan").toString(), "2"));
    }

    /** Three images for each of two threads, all alike, and no warning. */
    private static void assertAnswers(Run run) {
        assertEquals(new Run(0, ANSWERS, ""), new Run(run.exitCode, run.out.replaceAll("\\d", "N"), run.err));
        assertEquals(1, run.out.replaceAll("\\D", "").chars().distinct().count(), run.out);
    }

    /** A tool of the JDK that tests. */
    private static Run java(String tool, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", tool).toString()));
        command.addAll(List.of(arguments));
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().remove("JAVA_TOOL_OPTIONS");
        int exitCode = builder.start().waitFor();
        return new Run(exitCode, Files.readString(out), Files.readString(err).lines().collect(Collectors.joining("\n")));
    }
}
