package dev.upscale.runtime.natives;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** NVIDIA's libraries on this machine, found but not loaded; never the simulated device's. */
public final class CudaFiles {
    private CudaFiles() {}

    /** The file of a library of CUDA where {@code UPSCALE_CUDA} says, in Python packages, a toolkit, or the system's path. */
    public static Optional<Path> find(NativeLibrary library) {
        List<LibraryPlace> places = new ArrayList<>();
        String named = System.getenv("UPSCALE_CUDA");
        if (named != null && !named.isBlank()) {
            places.add(CudaPlaces.named(Path.of(named), "UPSCALE_CUDA"));
        }
        places.addAll(List.of(CudaPlaces.pythonPackages(), CudaPlaces.toolkit(), new LibraryPlace.SystemPath()));
        return places.stream().map(place -> place.look(library)).filter(LibraryPlace.Answer.Found.class::isInstance)
                .map(found -> ((LibraryPlace.Answer.Found) found).file()).filter(file -> !Files.exists(file.resolveSibling("libcudasim.so"))).findFirst();
    }

    /** Makes links to a library, and to the files beside it that it opens by name, in a folder. */
    public static void link(NativeLibrary library, Path file, Path folder) throws IOException {
        Files.deleteIfExists(folder.resolve(library.fileNames().getFirst()));
        Files.createSymbolicLink(folder.resolve(library.fileNames().getFirst()), file);
        for (String companion : library.companions()) {
            Path beside = file.resolveSibling(companion);
            if (Files.exists(beside)) {
                Files.createSymbolicLink(folder.resolve(companion), beside);
            }
        }
    }
}
