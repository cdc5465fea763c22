package dev.upscale.runtime.natives;

import java.io.IOException;
import java.net.URL;
import java.nio.file.Path;

/**
 * Unpacks files of Bytedeco's archives of CUDA in the place of our own cache. Found as a service: the Maven profile {@code cuda} brings
 * one that is JavaCPP's loader. Thread-safe.
 */
public interface ArchiveUnpacker {
    /** What it is called in reports, with its version. */
    String title();

    /**
     * The file on disk, unpacked if it is not there; files of one folder of an archive come into one folder.
     *
     * @param file a file in an archive: {@code jar:file:ARCHIVE!/FILE}
     */
    Path unpack(URL file) throws IOException;
}
