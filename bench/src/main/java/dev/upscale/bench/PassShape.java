package dev.upscale.bench;

import dev.upscale.graph.Window;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A pass over an image that benchmarks name by a text: height and width, channels, and what is computed, with {@code N8} before it for a batch:
 * {@code 56x56 64 max 3x3 /2} and {@code average 2x2 /2} (windows of 3×3 are padded by one pixel), {@code mean} of all pixels,
 * {@code nearest x2} and {@code linear x2}, {@code add} and {@code add+relu} of a second image, {@code multiply} by a vector of channels for each
 * image, {@code scale+shift+relu} by two vectors, {@code copy}.
 *
 * @param window of pools; 1×1 for the others
 * @param factor of resizing; 1 for the others
 */
record PassShape(String name, Op op, int batch, int size, int channels, Window window, int factor) {
    private static final Pattern TEXT = Pattern.compile("(?:N(\\d+) )?(\\d+)x\\2 (\\d+) ([a-z+]+)(?: (\\d+)x\\5(?: /(\\d+))?)?(?: x(\\d+))?");

    /** What is computed. */
    enum Op {
        MAX, AVERAGE, MEAN, NEAREST, LINEAR, ADD, ADD_RELU, MULTIPLY, SCALE_SHIFT_RELU, COPY;

        private static Op of(String text) {
            return valueOf(text.toUpperCase(Locale.ROOT).replace('+', '_'));
        }
    }

    /** What the table shows: passes of residual, dense and mobile networks, and odd widths as pruning leaves them. */
    static final List<PassShape> TABLE = List.of(
            "112x112 64 max 3x3 /2", "55x55 83 max 3x3 /2", "28x28 192 max 3x3", "14x14 171 max 3x3", "56x56 128 max 2x2 /2",
            "56x56 128 average 2x2 /2", "28x28 171 average 2x2 /2",
            "7x7 2048 mean", "56x56 96 mean", "14x14 171 mean",
            "28x28 128 nearest x2", "28x28 83 nearest x2", "28x28 128 linear x2", "28x28 83 linear x2",
            "56x56 256 add", "14x14 171 add", "56x56 256 add+relu", "14x14 1024 add+relu", "28x28 171 add+relu",
            "56x56 96 multiply", "14x14 672 multiply", "14x14 171 multiply",
            "56x56 128 scale+shift+relu", "14x14 512 scale+shift+relu", "28x28 171 scale+shift+relu",
            "56x56 128 copy", "14x14 512 copy", "28x28 171 copy")
            .stream().map(PassShape::parse).toList();

    /** @throws IllegalArgumentException if the text names no pass */
    static PassShape parse(String name) {
        Matcher text = TEXT.matcher(name);
        if (!text.matches()) {
            throw new IllegalArgumentException("no pass: '" + name + "'; for example '56x56 64 max 3x3 /2', '28x28 83 linear x2', '14x14 171 add+relu'");
        }
        int kernel = number(text, 5);
        return new PassShape(name, Op.of(text.group(4)), number(text, 1), number(text, 2), number(text, 3),
                Window.square(kernel, number(text, 6), (kernel - 1) / 2), number(text, 7));
    }

    /** What is not said is 1. */
    private static int number(Matcher matcher, int group) {
        return matcher.group(group) == null ? 1 : Integer.parseInt(matcher.group(group));
    }

    /** Pixels of one image of the source. */
    long pixels() {
        return (long) size * size;
    }

    /** Height and width of the result. */
    int outSize() {
        return op == Op.MEAN ? 1 : window.outputH(size) * factor;
    }

    /** Floats of the result. */
    long outputs() {
        return (long) batch * outSize() * outSize() * channels;
    }
}
