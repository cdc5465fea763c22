package dev.upscale.runtime.cpu;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What was measured: all that a convolution's time depends on.
 *
 * @param family what times of different widths have in common that tell something of each other: kernel, threads, groups, window, image,
 *     kinds of layout and function
 * @param inputs channels that an output reads
 * @param outputs channels that are made
 * @param rest strides, exact function
 */
record CostKey(String family, int inputs, int outputs, String rest) {
    private static final int WORDS_OF_KIND = 3;
    private static final Pattern TEXT = Pattern.compile("([^\t]+)\t(\\d{1,9})\t(\\d{1,9})\t([^\t]+)");

    /** The key that prints as the text, if one does. */
    static Optional<CostKey> parse(String text) {
        Matcher key = TEXT.matcher(text);
        return key.matches()
                ? Optional.of(new CostKey(key.group(1), Integer.parseInt(key.group(2)), Integer.parseInt(key.group(3)), key.group(4)))
                : Optional.empty();
    }

    /** The first words of the family. */
    String kind() {
        return String.join(" ", List.of(family.split(" ")).subList(0, Math.min(WORDS_OF_KIND, family.split(" ").length)));
    }

    @Override
    public String toString() {
        return family + "\t" + inputs + "\t" + outputs + "\t" + rest;
    }
}
