package dev.upscale.runtime.cpu;

import dev.upscale.plan.Plan;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What was measured: all that a convolution's time depends on, or a whole plan's.
 *
 * @param family what times of different widths have in common that tell something of each other: kernel, threads, groups, window, image,
 *     kinds of layout and function
 * @param inputs channels that an output reads
 * @param outputs channels that are made
 * @param rest strides, exact function
 */
record CostKey(String family, int inputs, int outputs, String rest) {
    private static final int WORDS_OF_KIND = 3;
    private static final int DIGEST_BYTES = 16;
    private static final Pattern TEXT = Pattern.compile("([^\t]+)\t(\\d{1,9})\t(\\d{1,9})\t([^\t]+)");

    /** Of a whole plan's run: by all of its steps and how often they are done, but not by the values of its constants. */
    static CostKey of(Plan plan, int threads) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            plan.steps().forEach(step -> digest.update(step.toString().getBytes(StandardCharsets.UTF_8)));
            String steps = HexFormat.of().formatHex(digest.digest(), 0, DIGEST_BYTES);
            return new CostKey(String.join(" ", "plan", "t" + threads, steps, "times" + plan.microBatches()), 1, 1, "run");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

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
