package dev.upscale.runtime.natives;

/** A native library is needed and not there. The message says where it was looked for, why each place was passed over, and the cure. */
public final class NativeLibraryMissing extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient LibraryReport.Missing report;

    NativeLibraryMissing(LibraryReport.Missing report) {
        super(report.toString());
        this.report = report;
    }

    /** The search that failed. */
    public LibraryReport.Missing report() {
        return report;
    }
}
