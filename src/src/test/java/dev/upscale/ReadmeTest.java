package dev.upscale;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the README shows works as shown. */
class ReadmeTest {
    private static final Path ROOT = Files.exists(Path.of("README.md")) ? Path.of("") : Path.of("..");

    @TempDir
    private Path folder;

    @Test
    void theJavaExampleCompilesAndRuns() throws Exception {
        Matcher example = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(ROOT.resolve("README.md")));
        assertTrue(example.find(), "README.md has no Java example");
        Path source = Files.writeString(folder.resolve("Classify.java"), example.group(1));
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        Process compiler = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "javac").toString(), "-proc:none", "-cp", classPath,
                "-d", folder.toString(), source.toString()).inheritIO().start();
        assertEquals(0, compiler.waitFor());
        Path model = folder.resolve("densenet.onnx");
        try (InputStream resource = Upscale.class.getResourceAsStream("/dev/upscale/demo/densenet.onnx")) {
            Files.write(model, resource.readAllBytes());
        }
        Path pattern = Files.writeString(folder.resolve("pattern.json"), "{\"consumers\": {\"layers.1.c2.weight\": [0, 1, 7, 9]}}");
        try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()}, ReadmeTest.class.getClassLoader())) {
            Method scores = loader.loadClass("Classify").getDeclaredMethod("scores", Path.class, Path.class, float[].class);
            scores.setAccessible(true);
            assertEquals(10, ((float[]) scores.invoke(null, model, pattern, new float[28 * 28])).length);
        }
    }

    @Test
    void everyLinkLeadsSomewhere() throws IOException {
        for (String page : List.of("README.md", "docs/architecture.md", "docs/benchmarks.md", "docs/benchmarks-zen4.md", "docs/cpu-engines.md")) {
            Path file = ROOT.resolve(page);
            Matcher links = Pattern.compile("]\\((?!http)([^)#]+)").matcher(Files.readString(file));
            while (links.find()) {
                assertTrue(Files.exists(file.toAbsolutePath().getParent().resolve(links.group(1))), page + " links to " + links.group(1));
            }
        }
    }
}
