package dev.upscale.javacpp;

import dev.upscale.runtime.natives.ArchiveUnpacker;
import java.io.File;
import java.io.IOException;
import java.net.URL;
import java.nio.file.Path;
import org.bytedeco.javacpp.Loader;

/**
 * JavaCPP's loader as an unpacker: it keeps files in its own cache, {@code ~/.javacpp/cache} or where its property
 * {@code org.bytedeco.javacpp.cachedir} says, which all programs with JavaCPP share. None of its native code is loaded. Thread-safe.
 */
public final class LoaderUnpacker implements ArchiveUnpacker {
    @Override
    public String title() {
        try {
            return "JavaCPP " + Loader.getVersion();
        } catch (IOException e) {
            return "JavaCPP of unknown version";
        }
    }

    @Override
    public Path unpack(URL file) throws IOException {
        File unpacked = Loader.cacheResource(file);
        if (unpacked == null) {
            throw new IOException("JavaCPP finds no " + file);
        }
        return unpacked.toPath();
    }
}
