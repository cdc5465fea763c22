package dev.upscale.runtime.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.bytedeco.cuda.presets.cudnn;
import org.bytedeco.cuda.presets.nvrtc;
import org.bytedeco.javacpp.ClassProperties;
import org.bytedeco.javacpp.Loader;
import org.junit.jupiter.api.Test;

/** Our lists of files against those of JavaCPP's presets, which say the same for all who load with it. */
class PresetsTest {
    @Test
    void whatGoesWithALibraryIsWhatThePresetsSay() {
        assertEquals(List.of("libnvrtc-builtins.so.13.3"), files(nvrtc.class, "platform.preload", "nvrtc"));
        assertTrue(NativeLibrary.NVRTC.companions().containsAll(files(nvrtc.class, "platform.preload", "nvrtc")));
        List<String> parts = files(cudnn.class, "platform.link", "cudnn");
        assertTrue(parts.size() > 5 && parts.contains("libcudnn.so.9"), parts.toString());
        parts.remove("libcudnn.so.9");
        assertTrue(NativeLibrary.CUDNN.companions().containsAll(parts), parts + " of " + NativeLibrary.CUDNN.companions());
        assertEquals(List.of("libcublasLt.so.13"), files(cudnn.class, "platform.link", "cublasLt"));
    }

    /** The presets' libraries whose names begin with a stem: {@code cudnn_ext@.9} is {@code libcudnn_ext.so.9}. */
    private static List<String> files(Class<?> presets, String property, String stem) {
        ClassProperties properties = Loader.loadProperties(presets, Loader.loadProperties(System.getProperty("natives.classifier"), null), true);
        return properties.get(property).stream().filter(name -> name.startsWith(stem)).distinct()
                .map(name -> "lib" + name.replace("@", ".so")).collect(Collectors.toCollection(ArrayList::new));
    }
}
