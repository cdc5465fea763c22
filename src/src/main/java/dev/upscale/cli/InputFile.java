package dev.upscale.cli;

import dev.upscale.graph.InvalidInput;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/** Files that a user named. */
final class InputFile {
    /** No input of ours is larger; a gzip file that claims to be is an attack or an accident. */
    private static final long LARGEST = 1L << 31;

    private InputFile() {}

    /** The whole file, unpacked if it is gzipped. */
    static byte[] read(Path file) {
        try {
            if (Files.isDirectory(file)) {
                throw new InvalidInput(file + " is a folder; a file is expected");
            }
            if (Files.size(file) >= LARGEST) {
                throw new InvalidInput(file + " is larger than 2 GiB");
            }
            return unpacked(file.toString(), Files.readAllBytes(file));
        } catch (NoSuchFileException e) {
            throw new InvalidInput(file + " does not exist", e);
        } catch (IOException e) {
            throw new InvalidInput(file + " cannot be read: " + e, e);
        }
    }

    /** The bytes, unpacked if they are gzipped. */
    static byte[] unpacked(String name, byte[] content) {
        if (content.length < 2 || content[0] != 0x1f || content[1] != (byte) 0x8b) {
            return content;
        }
        try (InputStream unpacking = new GZIPInputStream(new ByteArrayInputStream(content), 1 << 16)) {
            byte[] unpacked = unpacking.readNBytes(Integer.MAX_VALUE - 16);
            if (unpacking.read() >= 0) {
                throw new InvalidInput(name + " unpacks to more than 2 GiB");
            }
            return unpacked;
        } catch (EOFException | ZipException e) {
            throw new InvalidInput(name + " is a damaged gzip file: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new InvalidInput(name + " cannot be unpacked: " + e, e);
        } catch (OutOfMemoryError e) {
            throw new InvalidInput(name + " unpacks to more than fits in memory", e);
        }
    }
}
