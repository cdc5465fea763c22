package dev.upscale.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What follows an operation's inputs in text: words ({@code max}, {@code clip(0,6)}) and values ({@code stride=2}). Each
 * is read once; {@link #finish} complains of what nobody read.
 */
final class Attributes {
    private record Value(String text, List<Integer> list, int place) {}

    private final TextScanner scanner;
    private final String op;
    private final int start;
    private final Map<String, Value> values = new HashMap<>();
    private final List<Value> words = new ArrayList<>();
    private final Set<String> known = new LinkedHashSet<>();

    /** Reads everything up to the end of the line, a type or a name. */
    Attributes(TextScanner scanner, String op, int start) {
        this.scanner = scanner;
        this.op = op;
        this.start = start;
        while (!scanner.atLineEnd() && !scanner.sees(":") && !scanner.sees("@") && !scanner.sees("}")) {
            int place = scanner.position();
            String word = scanner.run(Numbers::isPart, "an attribute");
            if (scanner.accept("=")) {
                Value value = scanner.sees("[")
                        ? new Value(null, OpText.integers(scanner), place)
                        : new Value(list(word), null, place);
                if (values.put(word, value) != null) {
                    throw scanner.invalid(place, "a second " + word);
                }
            } else {
                words.add(new Value(scanner.accept("(") ? word + "(" + list(word) + ")" : word, null, place));
                if (words.getLast().text().endsWith(")")) {
                    scanner.expect(")");
                }
            }
        }
    }

    /** Numbers joined by commas without brackets, as in {@code pad=0,1,0,1}. */
    private String list(String what) {
        StringBuilder text = new StringBuilder(scanner.run(Numbers::isPart, "a value of " + what));
        while (scanner.accept(",")) {
            text.append(',').append(scanner.run(Numbers::isPart, "another value of " + what));
        }
        return text.toString();
    }

    private InvalidInput missing(String key) {
        return scanner.invalid(start, op + " needs " + key);
    }

    boolean has(String key) {
        known.add(key + "=");
        return values.containsKey(key);
    }

    private Value take(String key) {
        if (!has(key)) {
            throw missing(key + "=");
        }
        return values.remove(key);
    }

    int integer(String key) {
        return numbers(key, ",", 1, 1)[0];
    }

    int integer(String key, int absent) {
        return has(key) ? integer(key) : absent;
    }

    float number(String key) {
        Value value = take(key);
        return number(value, value.text());
    }

    float number(String key, float absent) {
        return has(key) ? number(key) : absent;
    }

    /** {@code 3x5}, height before width; or one number for both. */
    int[] pair(String key) {
        int[] pair = numbers(key, "x", 1, 2);
        return pair.length == 2 ? pair : new int[] {pair[0], pair[0]};
    }

    int[] pair(String key, int absent) {
        return has(key) ? pair(key) : new int[] {absent, absent};
    }

    float[] numberPair(String key) {
        Value value = take(key);
        String[] parts = text(value, key).split("x", -1);
        if (parts.length > 2) {
            throw scanner.invalid(value.place(), key + " is one number or two joined by x");
        }
        return new float[] {number(value, parts[0]), number(value, parts[parts.length - 1])};
    }

    /** {@code top,left,bottom,right}; or one number for all. */
    int[] sides(String key) {
        if (!has(key)) {
            return new int[4];
        }
        int[] sides = numbers(key, ",", 1, 4);
        if (sides.length == 1) {
            return new int[] {sides[0], sides[0], sides[0], sides[0]};
        }
        if (sides.length != 4) {
            throw scanner.invalid(start, key + " is one number, or top,left,bottom,right");
        }
        return sides;
    }

    List<Integer> list(String key, List<Integer> absent) {
        if (!has(key)) {
            if (absent == null) {
                throw missing(key + "=[...]");
            }
            return absent;
        }
        Value value = take(key);
        if (value.list() == null) {
            throw scanner.invalid(value.place(), key + " is a list in brackets");
        }
        return value.list();
    }

    boolean flag(String word) {
        known.add(word);
        return words.removeIf(value -> value.text().equals(word));
    }

    /** The next word, one of the constants' names in lower case. */
    <E extends Enum<E>> E word(Class<E> constants) {
        String all = Arrays.stream(constants.getEnumConstants()).map(Attributes::lower).collect(Collectors.joining(", "));
        if (words.isEmpty()) {
            throw missing("one of " + all);
        }
        Value word = words.removeFirst();
        for (E constant : constants.getEnumConstants()) {
            if (lower(constant).equals(word.text())) {
                return constant;
            }
        }
        throw scanner.invalid(word.place(), "'" + word.text() + "' is none of " + all);
    }

    /** A word with up to two numbers: {@code clip(0,6)}. */
    Function function() {
        Value word = words.isEmpty() ? null : words.getFirst();
        int parenthesis = word == null ? -1 : word.text().indexOf('(');
        if (parenthesis < 0) {
            return Function.of(word(Function.Kind.class));
        }
        words.set(0, new Value(word.text().substring(0, parenthesis), null, word.place()));
        Function.Kind kind = word(Function.Kind.class);
        String[] parts = word.text().substring(parenthesis + 1, word.text().length() - 1).split(",", -1);
        if (parts.length > 2) {
            throw scanner.invalid(word.place(), "a function has at most two parameters");
        }
        return new Function(kind, number(word, parts[0]), parts.length == 2 ? number(word, parts[1]) : 0);
    }

    /** Complains of what is left. */
    void finish() {
        if (!words.isEmpty()) {
            throw unknown(words.getFirst().text(), words.getFirst().place());
        }
        values.forEach((key, value) -> {
            throw unknown(key + "=", value.place());
        });
    }

    private InvalidInput unknown(String what, int place) {
        return scanner.invalid(place, op + " has no '" + what + "'"
                + (known.isEmpty() ? "" : "; it has " + String.join(", ", known)));
    }

    private String text(Value value, String key) {
        if (value.text() == null) {
            throw scanner.invalid(value.place(), key + " is no list in brackets");
        }
        return value.text();
    }

    private float number(Value value, String text) {
        try {
            return Numbers.parse(text == null ? "" : text);
        } catch (NumberFormatException e) {
            throw scanner.invalid(value.place(), "'" + text + "' is no number");
        }
    }

    private int[] numbers(String key, String separator, int least, int most) {
        Value value = take(key);
        String[] parts = text(value, key).split(separator, -1);
        if (parts.length < least || parts.length > most) {
            throw scanner.invalid(value.place(), key + " has " + parts.length + " numbers, not "
                    + (least == most ? "" + least : least + " to " + most));
        }
        int[] numbers = new int[parts.length];
        for (int i = 0; i < parts.length; i++) {
            try {
                numbers[i] = Integer.parseInt(parts[i]);
            } catch (NumberFormatException e) {
                throw scanner.invalid(value.place(), "'" + parts[i] + "' is no integer");
            }
        }
        return numbers;
    }

    static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}
