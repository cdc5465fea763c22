package dev.upscale.cli;

import dev.upscale.graph.InvalidInput;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** Writes a file whole or not at all: into a temporary file beside it, which then takes its name. */
final class OutputFile {
    private OutputFile() {}

    /** Fills a file of the given path. */
    @FunctionalInterface
    interface Content {
        void writeTo(Path file) throws IOException;
    }

    static void write(Path file, Content content) {
        Path target = file.toAbsolutePath();
        if (Files.isDirectory(target)) {
            throw new InvalidInput(file + " is a folder; name a file to write");
        }
        Path folder = target.getParent();
        if (!Files.isDirectory(folder)) {
            throw new InvalidInput(file + " cannot be written: there is no folder " + folder);
        }
        Path temporary = null;
        try {
            temporary = folder.resolve("." + target.getFileName() + "." + ProcessHandle.current().pid() + ".part");
            content.writeTo(temporary);
            move(temporary, target);
        } catch (IOException e) {
            throw new InvalidInput(file + " cannot be written: " + e, e);
        } finally {
            discard(temporary);
        }
    }

    private static void move(Path temporary, Path target) throws IOException {
        if (Files.exists(target) && !Files.isRegularFile(target)) {
            try (OutputStream device = Files.newOutputStream(target)) {
                Files.copy(temporary, device);
            }
            return;
        }
        try {
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(temporary, target, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static void discard(Path temporary) {
        if (temporary != null) {
            try {
                Files.deleteIfExists(temporary);
            } catch (IOException e) {
                temporary.toFile().deleteOnExit();
            }
        }
    }
}
