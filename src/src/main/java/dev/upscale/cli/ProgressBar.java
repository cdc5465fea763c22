package dev.upscale.cli;

import dev.upscale.compress.Progress;
import java.io.PrintWriter;
import java.util.Locale;

/** How far long work has come, on standard error: a line at most every two seconds, or one that is overwritten on a terminal. */
final class ProgressBar implements Progress {
    private static final int WIDTH = 24;
    private static final long SELDOM_NANOS = 2_000_000_000L;
    private static final long OFTEN_NANOS = 200_000_000L;

    private final PrintWriter err;
    private final String title;
    private final boolean terminal;
    private final long begun = System.nanoTime();
    private long shown = System.nanoTime();

    ProgressBar(PrintWriter err, String title) {
        this.err = err;
        this.title = title;
        this.terminal = System.console() != null && System.console().isTerminal();
    }

    @Override
    public synchronized void at(int done, int total, String what) {
        long now = System.nanoTime();
        boolean last = done >= total;
        if (last && !terminal || !last && now - shown < (terminal ? OFTEN_NANOS : SELDOM_NANOS)) {
            return;
        }
        shown = now;
        int filled = (int) ((long) WIDTH * done / Math.max(1, total));
        double left = (now - begun) / 1e9 * (total - done) / Math.max(1, done);
        String line = String.format(Locale.ROOT, "upscale: %s [%s%s] %d of %d, %.0f s left, %s ...", title, "#".repeat(filled),
                "-".repeat(WIDTH - filled), done, total, left, what);
        if (terminal) {
            err.print("\r\u001b[K" + (last ? "" : line));
            err.flush();
        } else {
            err.println(line);
        }
    }
}
