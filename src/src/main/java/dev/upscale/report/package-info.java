/**
 * Pages that stand alone, made of records: a {@link dev.upscale.report.Page} of {@link dev.upscale.report.Section}s. No script, no other
 * file, nothing from the network; light or dark as the reader's system asks; readable on a telephone and by a screen reader, with the
 * figures behind every picture as a table.
 */
package dev.upscale.report;
