package dev.upscale.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** The bundled network as a file, for tests of commands. */
final class DemoFiles {
    private DemoFiles() {}

    static Path model(Path folder) throws IOException {
        Path file = folder.resolve("densenet.onnx");
        try (InputStream resource = Main.class.getResourceAsStream("/dev/upscale/demo/densenet.onnx")) {
            Files.write(file, resource.readAllBytes());
        }
        return file;
    }
}
