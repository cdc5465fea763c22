package dev.upscale.runtime.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.runtime.natives.LibraryReport;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** NVRTC out of Bytedeco's archive, unpacked by JavaCPP's loader and called through our own bindings. */
class BytedecoArchivesTest {
    private static final int RTX_4090 = 89;

    @Test
    void javaCppUnpacksNvrtcAndOurBindingsCallIt() {
        LibraryReport.Loaded nvrtc = assertInstanceOf(LibraryReport.Loaded.class, NativeLibraries.find(NativeLibrary.NVRTC));

        assertEquals("archive org.bytedeco:cuda-redist (JavaCPP 1.5.14)", nvrtc.place());
        assertTrue(nvrtc.version().startsWith("13.3-"), nvrtc.version());
        assertTrue(nvrtc.file().startsWith(Path.of(System.getProperty("org.bytedeco.javacpp.cachedir"))), nvrtc.file().toString());
        assertTrue(Files.exists(nvrtc.file().resolveSibling("libnvrtc-builtins.so.13.3")), "what NVRTC opens by name lies beside it");
        assertEquals("13.3", CudaVersions.of(NativeLibrary.NVRTC));
        KernelCompiler.Compiled compiled = KernelCompiler.compile(new TreeSet<>(List.of("up_pool_f16_f16", "up_reduce_f32_f32")), RTX_4090);
        assertEquals("sm_89", compiled.architecture());
        assertEquals("\u007fELF", new String(Arrays.copyOf(compiled.code(), 4), StandardCharsets.US_ASCII));
    }
}
