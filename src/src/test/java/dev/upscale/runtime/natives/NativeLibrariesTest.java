package dev.upscale.runtime.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class NativeLibrariesTest {
    @ParameterizedTest
    @EnumSource(names = {"ONEDNN", "XNNPACK"})
    void takesTheArchiveOnTheClassPath(NativeLibrary library) {
        LibraryReport.Loaded loaded = NativeLibraries.require(library);

        assertEquals("archive " + library.archive().coordinates(), loaded.place());
        assertTrue(Files.isRegularFile(loaded.file()));
        assertTrue(loaded.version().matches("\\d+\\.\\d+.*"), loaded.version());
        assertSame(loaded, NativeLibraries.find(library), "a library is looked for once");
    }

    @Test
    void aVariableForALibraryIsTakenBackWhenItIsLoaded() {
        String name = "UPSCALE_TEST_VARIABLE";
        try (NativeEnvironment _ = new NativeEnvironment(Map.of(name, "passive"))) {
            assertTrue(NativeEnvironment.isSet(name));
            try (NativeEnvironment _ = new NativeEnvironment(Map.of(name, "active"))) {
                assertTrue(NativeEnvironment.isSet(name));
            }
            assertTrue(NativeEnvironment.isSet(name), "what was set before stays");
        }
        assertFalse(NativeEnvironment.isSet(name));
    }

    @Test
    void anEmptyFolderIsPassedOverAndTheReportSaysHowToGetTheLibrary(@TempDir Path empty) {
        LibraryReport report = NativeLibraries.search(NativeLibrary.ONEDNN, List.of(new LibraryPlace.Folder(empty, "-Dupscale.natives")));

        LibraryReport.Missing missing = assertInstanceOf(LibraryReport.Missing.class, report);
        assertEquals(List.of(new LibraryReport.PassedOver("folder " + empty + " (-Dupscale.natives)", "holds no libdnnl.so.3")),
                missing.passedOver());
        assertTrue(missing.cure().contains("org.bytedeco:dnnl"), missing.cure());
        NativeLibraryMissing error = new NativeLibraryMissing(missing);
        assertTrue(error.getMessage().startsWith("oneDNN is not available: folder "), error.getMessage());
    }

    @Test
    void aFileThatIsNoLibraryIsPassedOver(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("libdnnl.so.3"), "not a library");

        LibraryReport report = NativeLibraries.search(NativeLibrary.ONEDNN, List.of(new LibraryPlace.Folder(folder, "test")));

        assertTrue(report.passedOver().getFirst().reason().endsWith("libdnnl.so.3: is no ELF file"), report.toString());
    }

    @Test
    void aDamagedLibraryIsPassedOverWithTheLinkersReason(@TempDir Path folder) throws IOException {
        byte[] gomp = Files.readAllBytes(NativeLibraries.require(NativeLibrary.ONEDNN).file().resolveSibling("libgomp.so.1"));
        gomp[18] = 40; // the processor: ARM
        Files.write(folder.resolve("libdnnl.so.3"), gomp);

        LibraryReport report = NativeLibraries.search(NativeLibrary.ONEDNN, List.of(new LibraryPlace.Folder(folder, "test")));

        assertTrue(report.passedOver().getFirst().reason().contains("cannot open shared object file")
                || report.passedOver().getFirst().reason().contains("wrong ELF"), report.toString());
    }

    @Test
    void aLibraryWithoutTheNeededFunctionsIsPassedOver(@TempDir Path folder) throws IOException {
        Files.copy(NativeLibraries.require(NativeLibrary.ONEDNN).file().resolveSibling("libgomp.so.1"), folder.resolve("libjnitensorflowlite.so"));

        LibraryReport report = NativeLibraries.search(NativeLibrary.XNNPACK, List.of(new LibraryPlace.Folder(folder, "test")));

        assertInstanceOf(LibraryReport.Missing.class, report);
        assertTrue(report.passedOver().getFirst().reason().endsWith("lacks xnn_initialize and 11 more functions"), report.toString());
    }

    @Test
    void unpacksOnceWhoeverComesFirst(@TempDir Path folder) throws Exception {
        URL resource = jarWith(folder.resolve("a.jar"), "lib/x.so", new byte[3_000_000]);
        LibraryCache cache = new LibraryCache(folder.resolve("cache"));
        Path target = cache.folder("x", "1.0", resource);
        Callable<Path> unpack = () -> cache.unpack(resource, target, "x.so");

        try (var threads = Executors.newFixedThreadPool(8)) {
            for (Future<Path> unpacked : threads.invokeAll(IntStream.range(0, 16).mapToObj(i -> unpack).toList())) {
                assertEquals(3_000_000, Files.size(unpacked.get()));
            }
        }
        try (Stream<Path> files = Files.list(target)) {
            assertEquals(List.of(target.resolve("x.so")), files.toList(), "no unfinished file stays");
        }
    }

    @Test
    void aTruncatedFileInTheCacheIsUnpackedAgain(@TempDir Path folder) throws IOException {
        URL resource = jarWith(folder.resolve("a.jar"), "lib/x.so", new byte[1000]);
        LibraryCache cache = new LibraryCache(folder.resolve("cache"));
        Path target = cache.folder("x", "1.0", resource);
        Files.createDirectories(target);
        Files.write(target.resolve("x.so"), new byte[10]);

        assertEquals(1000, Files.size(cache.unpack(resource, target, "x.so")));
    }

    @Test
    void buildsOfOneVersionHaveFoldersOfTheirOwn(@TempDir Path folder) throws IOException {
        LibraryCache cache = new LibraryCache(folder);
        Path first = cache.folder("x", "1.0", jarWith(folder.resolve("a.jar"), "lib/x.so", new byte[] {1, 2, 3}));
        Path second = cache.folder("x", "1.0", jarWith(folder.resolve("b.jar"), "lib/x.so", new byte[] {3, 2, 1}));

        assertFalse(first.equals(second));
    }

    @Test
    void requiringAMissingLibraryNamesItAndTheCure() {
        LibraryReport.Missing missing = new LibraryReport.Missing(NativeLibrary.XNNPACK, List.of(), NativeLibrary.XNNPACK.cure());

        NativeLibraryMissing error = assertThrows(NativeLibraryMissing.class, () -> {
            throw new NativeLibraryMissing(missing);
        });
        assertTrue(error.getMessage().contains("version 2.21.*"), error.getMessage());
    }

    private static URL jarWith(Path jar, String entry, byte[] content) throws IOException {
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(jar))) {
            out.putNextEntry(new ZipEntry(entry));
            out.write(content);
            out.closeEntry();
        }
        return URI.create("jar:" + jar.toUri() + "!/" + entry).toURL();
    }
}
