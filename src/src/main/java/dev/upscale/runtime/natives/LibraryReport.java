package dev.upscale.runtime.natives;

import java.nio.file.Path;
import java.util.List;

/** What became of the search for a native library. */
public sealed interface LibraryReport {
    /** The library. */
    NativeLibrary library();

    /** The places that were looked at before, or in vain, in that order. */
    List<PassedOver> passedOver();

    /** A place that did not give the library, and why. */
    record PassedOver(String place, String reason) {
        @Override
        public String toString() {
            return place + ": " + reason;
        }
    }

    /**
     * The library is loaded into this process.
     *
     * @param file    the file that was loaded
     * @param place   where it came from, e.g. {@code archive org.bytedeco:dnnl}
     * @param version the archive's version, or {@code unknown} for a bare file
     */
    record Loaded(NativeLibrary library, Path file, String place, String version, List<PassedOver> passedOver) implements LibraryReport {
        public Loaded {
            passedOver = List.copyOf(passedOver);
        }

        @Override
        public String toString() {
            return library.title() + " " + version + " from " + place + " (" + file + ")";
        }
    }

    /**
     * The library is in none of the places.
     *
     * @param cure what to do about it: one sentence
     */
    record Missing(NativeLibrary library, List<PassedOver> passedOver, String cure) implements LibraryReport {
        public Missing {
            passedOver = List.copyOf(passedOver);
        }

        @Override
        public String toString() {
            StringBuilder text = new StringBuilder(library.title()).append(" is not available: ");
            passedOver.forEach(place -> text.append(place).append("; "));
            return text.append("to get it, ").append(cure).toString();
        }
    }
}
