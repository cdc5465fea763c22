package dev.upscale.report;

import java.util.Locale;

/** Sizes and times in the unit that reads best. */
final class Units {
    private static final long LONGEST_IN_BYTES = 10_000;
    private static final long LONGEST_IN_KILOBYTES = 10_000_000;

    private Units() {}

    static String bytes(double bytes) {
        if (bytes < LONGEST_IN_BYTES) {
            return String.format(Locale.ROOT, "%.0f B", bytes);
        }
        return bytes < LONGEST_IN_KILOBYTES ? String.format(Locale.ROOT, "%.1f kB", bytes / 1e3) : String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
    }

    static String time(double nanos) {
        if (nanos < 1e6) {
            return String.format(Locale.ROOT, "%.1f µs", nanos / 1e3);
        }
        return nanos < 1e9 ? String.format(Locale.ROOT, "%.2f ms", nanos / 1e6) : String.format(Locale.ROOT, "%.2f s", nanos / 1e9);
    }
}
