package dev.upscale.graph;

/** Numbers as the text form writes them: as short as they read back exactly. */
final class Numbers {
    private Numbers() {}

    static String print(float value) {
        if (Float.isNaN(value)) {
            return "nan";
        }
        if (Float.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        String text = Float.toString(value).replace("E", "e").replace(".0e", "e");
        return text.endsWith(".0") ? text.substring(0, text.length() - 2) : text;
    }

    /**
     * The number that the text gives.
     *
     * @throws NumberFormatException if it gives none
     */
    static float parse(String text) {
        return switch (text) {
            case "nan" -> Float.NaN;
            case "inf" -> Float.POSITIVE_INFINITY;
            case "-inf" -> Float.NEGATIVE_INFINITY;
            default -> {
                if (!text.matches("[-+]?[0-9.]+(e[-+]?[0-9]+)?")) {
                    throw new NumberFormatException(text);
                }
                yield Float.parseFloat(text);
            }
        };
    }

    /** Whether a character can be part of a number, of numbers joined by x, or of a word. */
    static boolean isPart(int c) {
        return Character.isLetterOrDigit(c) || c == '_' || c == '.' || c == '-' || c == '+';
    }
}
