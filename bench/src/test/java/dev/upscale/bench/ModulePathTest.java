package dev.upscale.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Every command that writes a document, as users run it: in the packaged jar, as a module. Other tests run on the class path, where a record is
 * open to the JSON writer whatever module-info says. All commands share one process, whose class of a few lines is patched into the module.
 * Not here: {@code tune}, which looks at layers for longer than a test may take, and {@code gpu-check}, which writes nothing without a GPU.
 */
class ModulePathTest {
    private static final Path ROOT = Path.of("..");
    private static final Path LIBRARIES = ROOT.resolve("src/target/libraries");

    /** Runs the command lines of a file, one a line; prints exit code, standard output and errors of each, on lines of their own. */
    private static final String PROGRAM = """
            package dev.upscale.cli;

            import java.io.PrintWriter;
            import java.io.StringWriter;
            import java.nio.file.*;

            class CommandLines {
                public static void main(String[] arguments) throws Exception {
                    for (String line : Files.readAllLines(Path.of(arguments[0]))) {
                        StringWriter out = new StringWriter();
                        StringWriter err = new StringWriter();
                        int exitCode = Main.run(new PrintWriter(out, true), new PrintWriter(err, true), line.split(" "));
                        System.out.println(exitCode + "\\t" + out.toString().strip().replace("\\n", " ") + "\\t" + err.toString().strip().replace("\\n", " "));
                    }
                }
            }
            """;

    @TempDir
    private Path folder;

    private record Run(int exitCode, String out, String err) {
        static Run of(String line) {
            String[] parts = line.split("\t", -1);
            return new Run(Integer.parseInt(parts[0]), parts[1], parts[2]);
        }
    }

    @Test
    void everyCommandWritesItsDocuments() throws Exception {
        List<String> jars = jars();
        assumeTrue(!jars.isEmpty(), "the jar is not packaged yet; 'mvn verify' does that before it tests this");
        prepare();
        String network = ROOT.resolve("src/src/main/resources/dev/upscale/demo/densenet.onnx").toAbsolutePath().toString();
        List<String> commands = Stream.of(
                "doctor --json",
                "inspect NET --json",
                "prune NET --amount 0.5 -o IN/pattern.json --json",
                "compile NET --pattern IN/pattern.json --costs builtin -o IN/net.plan --json",
                "compile NET --pattern IN/pattern.json --costs builtin --variant baseline -o IN/baseline.plan --json",
                "explain IN/net.plan --steps --against IN/baseline.plan --report IN/explain.html --json",
                "export NET --pattern IN/pattern.json -o IN/net.onnx --json",
                "run IN/net.plan --input IN/image.npy --output IN/y.npy --trace IN/run.json --jfr IN/run.jfr --json",
                "verify NET --pattern IN/pattern.json --costs builtin --json",
                "bench NET --pattern IN/pattern.json --costs builtin --variants unpruned,upscale --without order --seconds 0.01 --profile"
                        + " --trace IN/bench.json --jfr IN/bench.jfr --report IN/bench.html --json",
                "copies NET --patterns IN/pattern.json --json",
                "order IN/problem.json --json",
                "eval NET --data IN/labelled --pattern IN/pattern.json --json",
                "study NET --data IN/labelled --amounts 0.3 --methods unconstrained -o IN/study --json",
                "demo --images 40 --seconds 0.01 --curve 0.1 --report IN/demo.html --json")
                .map(line -> line.replace("NET", network).replace("IN/", folder.toAbsolutePath() + "/")).toList();
        List<Run> runs = run(jars, commands);
        for (int i = 0; i < commands.size(); i++) {
            assertEquals(0, runs.get(i).exitCode, commands.get(i) + ": " + runs.get(i).err);
            JsonNode document = JsonMapper.shared().readTree(runs.get(i).out);
            assertTrue(document.isContainer() && !document.isEmpty(), commands.get(i) + ": " + runs.get(i).out);
        }
        for (String trace : List.of("run.json", "bench.json")) {
            JsonNode event = JsonMapper.shared().readTree(Files.readString(folder.resolve(trace))).required("traceEvents").required(0);
            assertTrue(event.has("name") && event.has("ph"), event.toString());
        }
        for (String page : List.of("explain.html", "bench.html", "demo.html")) {
            assertTrue(Files.readString(folder.resolve(page)).strip().endsWith("</html>"), page);
        }
    }

    private void prepare() throws IOException {
        Files.write(folder.resolve("image.npy"), npy());
        Files.writeString(folder.resolve("problem.json"), "{\"n\": 4, \"sets\": [[0, 2], [1, 2]], \"weights\": [1, 1]}");
        Path labelled = Files.createDirectories(folder.resolve("labelled"));
        Files.write(labelled.resolve("t10k-images-idx3-ubyte"), ByteBuffer.allocate(16 + 40 * 784).putInt(0x803).putInt(40).putInt(28).putInt(28).array());
        Files.write(labelled.resolve("t10k-labels-idx1-ubyte"), ByteBuffer.allocate(8 + 40).putInt(0x801).putInt(40).array());
    }

    /** An image of 28×28 pixels with different values. */
    private static byte[] npy() {
        String header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 28, 28), }";
        String padded = header + " ".repeat(117 - header.length()) + "\n";
        ByteBuffer bytes = ByteBuffer.allocate(128 + 4 * 784).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII)).put((byte) 1).put((byte) 0).putShort((short) 118);
        bytes.put(padded.getBytes(StandardCharsets.US_ASCII));
        Random random = new Random(1);
        while (bytes.hasRemaining()) {
            bytes.putFloat(random.nextFloat());
        }
        return bytes.array();
    }

    private List<Run> run(List<String> jars, List<String> commands) throws Exception {
        String path = String.join(File.pathSeparator, jars);
        Path patch = Files.createDirectories(folder.resolve("patch"));
        Path sources = Files.createDirectories(folder.resolve("sources/dev/upscale/cli"));
        Path program = Files.writeString(sources.resolve("CommandLines.java"), PROGRAM);
        assertEquals("", java("javac", "-proc:none", "-p", path, "--add-modules", "dev.upscale", "--patch-module", "dev.upscale=" + folder.resolve("sources"),
                "-d", patch.toString(), program.toString()));
        Path lines = Files.write(folder.resolve("commands"), commands);
        String out = java("java", "-XX:TieredStopAtLevel=1", "-p", path, "--patch-module", "dev.upscale=" + patch,
                "--enable-native-access=dev.upscale,dev.upscale.bindings", "-m", "dev.upscale/dev.upscale.cli.CommandLines", lines.toString());
        List<Run> runs = out.lines().map(Run::of).toList();
        assertEquals(commands.size(), runs.size(), out);
        return runs;
    }

    private static List<String> jars() throws IOException {
        if (!Files.isDirectory(LIBRARIES)) {
            return List.of();
        }
        try (Stream<Path> own = Files.list(ROOT.resolve("src/target")); Stream<Path> libraries = Files.list(LIBRARIES);
                Stream<Path> natives = Files.list(ROOT.resolve("src/target/natives"))) {
            List<String> packaged = own.filter(file -> file.getFileName().toString().matches("upscale-[0-9].*\\.jar")).map(Path::toString).toList();
            return packaged.isEmpty() ? List.of() : Stream.of(packaged.stream(), libraries.map(Path::toString), natives.map(Path::toString))
                    .flatMap(jar -> jar).toList();
        }
    }

    /** What a tool of the JDK that tests prints. */
    private String java(String tool, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", tool).toString()));
        command.addAll(List.of(arguments));
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().remove("JAVA_TOOL_OPTIONS");
        assertEquals(0, builder.start().waitFor(), () -> tool + " failed: " + read(err));
        return Files.readString(out);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.getMessage();
        }
    }
}
