package dev.upscale.runtime.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CudaPlacesTest {
    @Test
    void aFolderOfPythonPackagesIsSearchedForItsComponents(@TempDir Path packages) throws IOException {
        Path library = Files.createDirectories(packages.resolve("nvidia/cudnn/lib")).resolve("libcudnn.so.9");
        Files.writeString(library, "text");

        LibraryReport report = NativeLibraries.search(NativeLibrary.CUDNN, List.of(CudaPlaces.named(packages, "test")));

        assertEquals("folder " + packages + " (test): " + library + ": is no ELF file", report.passedOver().getFirst().toString());
        LibraryReport.Missing missing = assertInstanceOf(LibraryReport.Missing.class, report);
        assertTrue(missing.cure().startsWith("pip install nvidia-cudnn-cu13, or name a folder"), missing.cure());
    }

    @Test
    void aToolkitIsSearchedInItsLibraryFolder(@TempDir Path home) throws IOException {
        Path library = Files.createDirectories(home.resolve("lib64")).resolve("libnvrtc.so.13");
        Files.writeString(library, "text");

        LibraryReport report = NativeLibraries.search(NativeLibrary.NVRTC, List.of(CudaPlaces.named(home, "test")));

        assertEquals("folder " + home + " (test): " + library + ": is no ELF file", report.passedOver().getFirst().toString());
    }

    @Test
    void whatDoesNotExistIsSaid(@TempDir Path home) {
        LibraryReport report = NativeLibraries.search(NativeLibrary.CUDNN, List.of(CudaPlaces.named(home.resolve("none"), "test")));

        assertEquals("folder " + home.resolve("none") + " (test): no such folder", report.passedOver().getFirst().toString());
    }
}
