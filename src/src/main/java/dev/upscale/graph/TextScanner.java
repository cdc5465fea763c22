package dev.upscale.graph;

import java.util.function.IntPredicate;

/** Reads a text from left to right; complaints name line and column. */
final class TextScanner {
    private final String text;
    private int at;

    TextScanner(String text) {
        this.text = text;
    }

    int position() {
        return at;
    }

    boolean atEnd() {
        return at == text.length();
    }

    /** A complaint about what stands at {@code position}. */
    InvalidInput invalid(int position, String complaint) {
        return new InvalidInput(place(position) + ": " + complaint);
    }

    /** Line and column of a position, both counted from 1. */
    String place(int position) {
        int line = 1;
        int start = 0;
        for (int i = 0; i < position; i++) {
            if (text.charAt(i) == '\n') {
                line++;
                start = i + 1;
            }
        }
        return "line " + line + ", column " + (position - start + 1);
    }

    /** Passes spaces and comments, but no line break. */
    void skipSpaces() {
        while (!atEnd() && (text.charAt(at) == ' ' || text.charAt(at) == '\t' || text.charAt(at) == '\r')) {
            at++;
        }
        if (!atEnd() && text.charAt(at) == '#') {
            while (!atEnd() && text.charAt(at) != '\n') {
                at++;
            }
        }
    }

    /** Passes spaces, comments and line breaks. */
    void skipLines() {
        skipSpaces();
        while (accept("\n")) {
            skipSpaces();
        }
    }

    /** Whether {@code symbol} comes next, after spaces. */
    boolean sees(String symbol) {
        skipSpaces();
        return text.startsWith(symbol, at);
    }

    /** Passes {@code symbol} if it comes next, after spaces. */
    boolean accept(String symbol) {
        boolean seen = sees(symbol);
        if (seen) {
            at += symbol.length();
        }
        return seen;
    }

    void expect(String symbol) {
        if (!accept(symbol)) {
            throw invalid(at, "expected '" + symbol + "' but found " + found());
        }
    }

    /** Whether a line or the text ends here. */
    boolean atLineEnd() {
        skipSpaces();
        return atEnd() || text.charAt(at) == '\n';
    }

    /** The longest run of such characters, after spaces; at least one. */
    String run(IntPredicate characters, String what) {
        skipSpaces();
        int start = at;
        while (!atEnd() && characters.test(text.charAt(at))) {
            at++;
        }
        if (at == start) {
            throw invalid(at, "expected " + what + " but found " + found());
        }
        return text.substring(start, at);
    }

    /** A name, bare or quoted. */
    String name(String what) {
        skipSpaces();
        if (!accept("\"")) {
            if (!atEnd() && !Character.isLetter(text.charAt(at)) && "_/.".indexOf(text.charAt(at)) < 0) {
                throw invalid(at, "expected " + what + " but found " + found());
            }
            return run(TextScanner::isBare, what);
        }
        int start = at;
        StringBuilder name = new StringBuilder();
        while (true) {
            if (atEnd() || text.charAt(at) == '\n') {
                throw invalid(start - 1, "a quoted name without its closing quote");
            }
            char next = text.charAt(at++);
            if (next == '"') {
                return name.toString();
            }
            name.append(next == '\\' ? escaped() : next);
        }
    }

    private char escaped() {
        if (!atEnd()) {
            switch (text.charAt(at++)) {
                case '"':
                    return '"';
                case '\\':
                    return '\\';
                case 'u':
                    try {
                        char value = (char) Integer.parseInt(text, at, at + 4, 16);
                        at += 4;
                        return value;
                    } catch (NumberFormatException | IndexOutOfBoundsException e) {
                        break;
                    }
                default:
                    break;
            }
        }
        throw invalid(at - 1, "an unknown escape; use \\\", \\\\ or \\u with four hexadecimal digits");
    }

    /** The name as {@link #name} reads it. */
    static String quoted(String name) {
        if (!name.isEmpty() && !Character.isDigit(name.charAt(0)) && name.chars().allMatch(TextScanner::isBare)) {
            return name;
        }
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : name.toCharArray()) {
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (Character.isISOControl(c)) {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }

    private static boolean isBare(int c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '/' || c == '.';
    }

    private String found() {
        if (atEnd()) {
            return "the end of the text";
        }
        return text.charAt(at) == '\n' ? "the end of the line" : "'" + text.charAt(at) + "'";
    }
}
