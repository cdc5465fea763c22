package dev.upscale.runtime.natives;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;

/**
 * Files unpacked from archives, once per user and content: a folder of its own for each version and checksum, each file written
 * under a temporary name and moved into place in one step, so that any number of processes may unpack at the same time.
 */
final class LibraryCache {
    private final Path root;

    LibraryCache(Path root) {
        this.root = root;
    }

    /** {@code $XDG_CACHE_HOME/upscale/natives}, by default {@code ~/.cache/upscale/natives}. */
    static LibraryCache ofUser() {
        String configured = System.getenv("XDG_CACHE_HOME");
        Path base = configured != null && Path.of(configured).isAbsolute()
                ? Path.of(configured)
                : Path.of(System.getProperty("user.home", "."), ".cache");
        return new LibraryCache(base.resolve("upscale").resolve("natives"));
    }

    /** The folder for an archive's library: its first file's checksum tells builds of one version apart. */
    Path folder(String artifact, String version, URL firstFile) throws IOException {
        URLConnection connection = open(firstFile);
        try (InputStream unread = connection.getInputStream()) {
            String content = connection instanceof JarURLConnection jar
                    ? Long.toHexString(jar.getJarEntry().getCrc())
                    : Long.toHexString(connection.getContentLengthLong());
            return root.resolve(artifact + "-" + version + "-" + content);
        }
    }

    /** Unpacks into one of the folders. */
    ArchiveUnpacker unpacker(Path folder) {
        return new ArchiveUnpacker() {
            @Override
            public String title() {
                return "cache " + root;
            }

            @Override
            public Path unpack(URL file) throws IOException {
                return LibraryCache.this.unpack(file, folder, file.getPath().substring(file.getPath().lastIndexOf('/') + 1));
            }
        };
    }

    /** The resource as a file in the folder, unpacked if it is not there in full length. */
    Path unpack(URL resource, Path folder, String fileName) throws IOException {
        if (resource.getProtocol().equals("file")) {
            return fileOf(resource);
        }
        Path file = folder.resolve(fileName);
        URLConnection connection = open(resource);
        try (InputStream content = connection.getInputStream()) {
            long size = connection instanceof JarURLConnection jar ? jar.getJarEntry().getSize() : connection.getContentLengthLong();
            if (Files.isRegularFile(file) && Files.size(file) == size) {
                return file;
            }
            Files.createDirectories(folder);
            Path unfinished = Files.createTempFile(folder, fileName, ".part");
            try {
                long written = Files.copy(content, unfinished, StandardCopyOption.REPLACE_EXISTING);
                if (written != size) {
                    throw new IOException(resource + " is damaged: " + written + " of " + size + " bytes");
                }
                moveIntoPlace(unfinished, file);
            } finally {
                Files.deleteIfExists(unfinished);
            }
            return file;
        }
    }

    static Path fileOf(URL resource) throws IOException {
        try {
            return Path.of(resource.toURI());
        } catch (URISyntaxException e) {
            throw new IOException(resource + " is no file", e);
        }
    }

    /** The file {@code resource} of a jar or folder, if it has one. */
    static Optional<URL> inside(URI archive, String resource) throws IOException {
        if (archive.getScheme().equals("file") && Files.isDirectory(Path.of(archive))) {
            Path file = Path.of(archive).resolve(resource);
            return Files.isRegularFile(file) ? Optional.of(file.toUri().toURL()) : Optional.empty();
        }
        URL entry = URI.create("jar:" + archive + "!/" + resource).toURL();
        try (InputStream unread = open(entry).getInputStream()) {
            return Optional.of(entry);
        } catch (FileNotFoundException e) {
            return Optional.empty();
        }
    }

    /** Without the JVM-wide cache of open jars, which would keep the archive open for good. */
    static URLConnection open(URL resource) throws IOException {
        URLConnection connection = resource.openConnection();
        connection.setUseCaches(false);
        return connection;
    }

    private static void moveIntoPlace(Path unfinished, Path file) throws IOException {
        try {
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(unfinished, file, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
