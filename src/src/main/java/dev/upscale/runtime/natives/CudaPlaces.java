package dev.upscale.runtime.natives;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where the libraries of CUDA usually lie: NVIDIA's Python packages install {@code nvidia/<component>/lib} into a folder of packages
 * (PyTorch brings them), the toolkit has a folder of its own.
 */
final class CudaPlaces {
    private static final String PACKAGES = "{site,dist}-packages";

    private CudaPlaces() {}

    /** A folder that the user named: it holds libraries itself, or {@code nvidia/<component>/lib}, or {@code lib64}. */
    static LibraryPlace named(Path folder, String namedBy) {
        List<Path> folders = new ArrayList<>(List.of(folder));
        folders.addAll(components(folder));
        folders.addAll(ofToolkit(folder));
        return new LibraryPlace.Folders("folder " + folder + " (" + namedBy + ")", Files.isDirectory(folder) ? folders : List.of(), "no such folder");
    }

    /** The Python packages {@code nvidia/*}: of the active environment, the user's, the system's. */
    static LibraryPlace pythonPackages() {
        List<Path> roots = new ArrayList<>();
        for (String variable : List.of("VIRTUAL_ENV", "CONDA_PREFIX")) {
            environment(variable).ifPresent(home -> roots.addAll(below(home.resolve("lib"), "python*", PACKAGES)));
        }
        Path home = Path.of(System.getProperty("user.home", "."));
        roots.addAll(below(home.resolve(".local/lib"), "python*", PACKAGES));
        roots.addAll(below(home.resolve(".pyenv/versions"), "*", "lib", "python*", PACKAGES));
        for (String lib : List.of("/usr/local/lib", "/usr/lib")) {
            roots.addAll(below(Path.of(lib), "python*", PACKAGES));
        }
        List<Path> folders = roots.stream().flatMap(root -> components(root).stream()).toList();
        return new LibraryPlace.Folders("Python packages nvidia/*", folders, "no folder of packages holds nvidia/*/lib");
    }

    /** The CUDA toolkit: where its variables say, or in its usual folder, the newest first. */
    static LibraryPlace toolkit() {
        List<Path> homes = new ArrayList<>();
        for (String variable : List.of("CUDA_HOME", "CUDA_PATH")) {
            environment(variable).ifPresent(homes::add);
        }
        homes.add(Path.of("/usr/local/cuda"));
        homes.addAll(below(Path.of("/usr/local"), "cuda-*").reversed());
        List<Path> folders = homes.stream().flatMap(toolkit -> ofToolkit(toolkit).stream()).distinct().toList();
        return new LibraryPlace.Folders("CUDA toolkit", folders, "neither CUDA_HOME nor /usr/local holds one");
    }

    private static List<Path> ofToolkit(Path home) {
        return Stream.of("lib64", "targets/x86_64-linux/lib").map(home::resolve).filter(Files::isDirectory).toList();
    }

    private static List<Path> components(Path packages) {
        return below(packages, "nvidia", "*", "lib");
    }

    /** The folders below one whose path fits the patterns, in the order of their names. */
    private static List<Path> below(Path folder, String... patterns) {
        List<Path> found = List.of(folder);
        for (String pattern : patterns) {
            found = found.stream().flatMap(parent -> children(parent, pattern).stream()).toList();
        }
        return found;
    }

    private static List<Path> children(Path folder, String pattern) {
        List<Path> children = new ArrayList<>();
        var matcher = FileSystems.getDefault().getPathMatcher("glob:" + pattern);
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            entries.forEach(entry -> {
                if (matcher.matches(entry.getFileName()) && Files.isDirectory(entry)) {
                    children.add(entry);
                }
            });
        } catch (IOException e) {
            return List.of(); // no such folder, or none that may be read: nothing is found there
        }
        children.sort(Comparator.naturalOrder());
        return children;
    }

    private static Optional<Path> environment(String variable) {
        return Optional.ofNullable(System.getenv(variable)).filter(value -> !value.isBlank()).map(Path::of);
    }
}
