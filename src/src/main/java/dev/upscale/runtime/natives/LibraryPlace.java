package dev.upscale.runtime.natives;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.FindException;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.ServiceLoader;
import java.util.stream.Stream;

/** A place where a library's file may lie. */
sealed interface LibraryPlace {
    /** How a report calls the place. */
    String describe(NativeLibrary library);

    /** The library's file in this place. */
    Answer look(NativeLibrary library);

    /** What a place answers. */
    sealed interface Answer {
        record Found(Path file, String version) implements Answer {}

        record NotHere(String reason) implements Answer {}
    }

    /** A folder that the user named. */
    record Folder(Path folder, String namedBy) implements LibraryPlace {
        @Override
        public String describe(NativeLibrary library) {
            return "folder " + folder + " (" + namedBy + ")";
        }

        @Override
        public Answer look(NativeLibrary library) {
            if (!Files.isDirectory(folder)) {
                return new Answer.NotHere("no such folder");
            }
            return firstFile(library, Stream.of(folder))
                    .<Answer>map(file -> new Answer.Found(file.toAbsolutePath(), "unknown"))
                    .orElseGet(() -> new Answer.NotHere("holds no " + String.join(" or ", library.fileNames())));
        }
    }

    /**
     * Several folders that together are one place.
     *
     * @param name how a report calls it
     * @param folders in the order in which they are looked at
     * @param absent what to say when there is none
     */
    record Folders(String name, List<Path> folders, String absent) implements LibraryPlace {
        public Folders {
            folders = List.copyOf(folders);
        }

        @Override
        public String describe(NativeLibrary library) {
            return name;
        }

        @Override
        public Answer look(NativeLibrary library) {
            return firstFile(library, folders.stream())
                    .<Answer>map(file -> new Answer.Found(file.toAbsolutePath(), "unknown"))
                    .orElseGet(() -> new Answer.NotHere(folders.isEmpty()
                            ? absent
                            : "holds no " + String.join(" or ", library.fileNames()) + " in " + folders.size() + " folders"));
        }
    }

    /**
     * An archive on the class path or the module path, unpacked into a cache.
     *
     * @param unpacker unpacks Bytedeco's archives of CUDA instead, if there is one
     */
    record ArchiveOnPath(LibraryCache cache, Optional<ArchiveUnpacker> unpacker) implements LibraryPlace {
        /** With the unpacker that is there as a service. */
        static ArchiveOnPath ofUser() {
            return new ArchiveOnPath(LibraryCache.ofUser(), ServiceLoader.load(ArchiveUnpacker.class, LibraryPlace.class.getClassLoader()).findFirst());
        }

        @Override
        public String describe(NativeLibrary library) {
            return "archive " + library.archive().coordinates() + unpacker(library).map(other -> " (" + other.title() + ")").orElse("");
        }

        @Override
        public Answer look(NativeLibrary library) {
            NativeLibrary.Archive archive = library.archive();
            try {
                String fileName = library.fileNames().getFirst();
                URL resource = find(library, fileName);
                if (resource == null) {
                    return new Answer.NotHere("neither the class path nor the module path has " + library.resource(fileName));
                }
                String version = version(archive, resource);
                if (!version.startsWith(archive.versionPrefix())) {
                    return new Answer.NotHere("is version " + version + ", and the bindings are made for " + archive.versionPrefix() + "*");
                }
                ArchiveUnpacker serving = unpacker(library).filter(other -> resource.getProtocol().equals("jar"))
                        .orElse(cache.unpacker(cache.folder(archive.artifact(), version, resource)));
                for (String companion : library.companions()) {
                    URL beside = find(library, companion);
                    if (beside != null) {
                        serving.unpack(beside);
                    }
                }
                return new Answer.Found(serving.unpack(resource), version);
            } catch (IOException e) {
                return new Answer.NotHere("cannot be unpacked: " + e);
            }
        }

        private Optional<ArchiveUnpacker> unpacker(NativeLibrary library) {
            return unpacker.filter(other -> library.isOfCuda() && !library.isOurs());
        }

        /** A natives archive is nobody's required module, so on the module path it must be looked up by file. */
        private static URL find(NativeLibrary library, String fileName) throws IOException {
            String resource = library.resource(fileName);
            URL seen = LibraryPlace.class.getClassLoader().getResource(resource);
            if (seen != null) {
                return seen;
            }
            Optional<URI> archive = archiveOnModulePath(library.archive().moduleName(Platform.ofArchives()));
            return archive.isPresent() ? LibraryCache.inside(archive.get(), resource).orElse(null) : null;
        }

        private static Optional<URI> archiveOnModulePath(String moduleName) {
            String modulePath = System.getProperty("jdk.module.path", "");
            Path[] entries = Stream.of(modulePath.split(File.pathSeparator)).filter(entry -> !entry.isEmpty()).map(Path::of)
                    .toArray(Path[]::new);
            try {
                return ModuleFinder.of(entries).find(moduleName).flatMap(ModuleReference::location);
            } catch (FindException e) {
                return Optional.empty();
            }
        }

        /** What Maven wrote into the archive. */
        private static String version(NativeLibrary.Archive archive, URL resource) throws IOException {
            String url = resource.toString();
            int inside = url.indexOf("!/");
            if (inside < 0) {
                return "unpacked";
            }
            URL properties = URI.create(url.substring(0, inside) + "!/META-INF/maven/" + archive.group() + "/" + archive.artifact()
                    + "/pom.properties").toURL();
            try (InputStream content = LibraryCache.open(properties).getInputStream()) {
                Properties read = new Properties();
                read.load(content);
                return read.getProperty("version", "unknown");
            } catch (IOException e) {
                return "unknown";
            }
        }
    }

    /** The folders where the system keeps libraries. */
    record SystemPath() implements LibraryPlace {
        @Override
        public String describe(NativeLibrary library) {
            return "system's library path";
        }

        @Override
        public Answer look(NativeLibrary library) {
            return firstFile(library, folders().stream())
                    .<Answer>map(file -> new Answer.Found(file, "unknown"))
                    .orElseGet(() -> new Answer.NotHere("holds no " + String.join(" or ", library.fileNames())));
        }

        private static List<Path> folders() {
            List<Path> folders = new ArrayList<>();
            for (String list : List.of(orEmpty(System.getProperty("java.library.path")), orEmpty(System.getenv("LD_LIBRARY_PATH")))) {
                Stream.of(list.split(File.pathSeparator)).filter(folder -> !folder.isEmpty()).map(Path::of).filter(Path::isAbsolute)
                        .forEach(folders::add);
            }
            for (String folder : List.of("/usr/local/lib", "/usr/lib64", "/lib64", "/usr/lib", "/lib")) {
                folders.add(Path.of(folder));
                folders.add(Path.of(folder, System.getProperty("os.arch").equals("aarch64") ? "aarch64-linux-gnu" : "x86_64-linux-gnu"));
            }
            return folders;
        }

        private static String orEmpty(String text) {
            return text == null ? "" : text;
        }
    }

    private static Optional<Path> firstFile(NativeLibrary library, Stream<Path> folders) {
        return folders.flatMap(folder -> library.fileNames().stream().map(folder::resolve)).filter(Files::isRegularFile).findFirst();
    }
}
