package dev.upscale.report;

/** A part of a {@link Page} under a heading. */
public interface Section {
    /** Its heading. */
    String heading();

    /** What it shows and how to read it, in words; "" for nothing. */
    String note();

    /** Its content, as HTML without the heading. */
    String body();
}
