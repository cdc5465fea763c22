package dev.upscale.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.zip.CRC32;

/** The contents of a weight as text: see {@link GraphText}. */
final class WeightText {
    /** Up to so many elements are printed one by one. */
    private static final int MOST_PRINTED = 16;

    private WeightText() {}

    static String print(Tensor tensor) {
        int elements = Math.toIntExact(tensor.type().elements());
        boolean floats = tensor.type().element() == ElementType.F32;
        if (elements <= MOST_PRINTED) {
            return IntStream.range(0, elements)
                    .mapToObj(i -> floats ? Numbers.print(tensor.floats()[i]) : Long.toString(tensor.longs()[i]))
                    .collect(Collectors.joining(", ", "[", "]"));
        }
        if (!floats) {
            long first = tensor.longs()[0];
            return LongStream.of(tensor.longs()).allMatch(value -> value == first) ? "fill(" + first + ")"
                    : tensor.equals(iota(tensor.type())) ? "iota" : digest(tensor);
        }
        float first = tensor.floats()[0];
        if (tensor.equals(fill(tensor.type(), first))) {
            return Float.floatToIntBits(first) == 0 ? "zeros" : first == 1 ? "ones" : "fill(" + Numbers.print(first) + ")";
        }
        if (tensor.equals(iota(tensor.type()))) {
            return "iota";
        }
        Optional<Integer> seed = GeneratedTensor.seed(tensor, 0);
        if (seed.isPresent()) {
            return "random(" + seed.get() + ")";
        }
        return GeneratedTensor.seed(tensor, 1).map(positive -> "positive(" + positive + ")").orElseGet(() -> digest(tensor));
    }

    /** A checksum of the contents, so that two prints differ where the contents do. */
    private static String digest(Tensor tensor) {
        CRC32 crc = new CRC32();
        int elements = Math.toIntExact(tensor.type().elements());
        byte[] bytes = new byte[8];
        for (int i = 0; i < elements; i++) {
            long bits = tensor.type().element() == ElementType.F32
                    ? Float.floatToIntBits(tensor.floats()[i])
                    : tensor.longs()[i];
            for (int shift = 0; shift < 8; shift++) {
                bytes[shift] = (byte) (bits >>> (8 * shift));
            }
            crc.update(bytes);
        }
        return String.format("data(%08x)", crc.getValue());
    }

    static Tensor parse(TextScanner scanner, TensorType type) {
        scanner.skipSpaces();
        int start = scanner.position();
        if (scanner.sees("[")) {
            return listed(scanner, type);
        }
        String generator = scanner.run(Numbers::isPart, "[values], zeros, ones, fill, iota, random or positive");
        int argument = scanner.position();
        List<String> arguments = new ArrayList<>();
        TensorType whole = type;
        if (scanner.accept("(")) {
            arguments.add(scanner.run(Numbers::isPart, "a number"));
            if (scanner.accept(",")) {
                whole = type(scanner);
            }
            scanner.expect(")");
        }
        Tensor tensor;
        try {
            tensor = generate(generator, arguments, whole)
                    .orElseThrow(() -> scanner.invalid(start, "no contents '" + generator + "' with " + arguments.size()
                            + " arguments; write [values], zeros, ones, fill(value), iota, random(seed), positive(seed)"));
        } catch (NumberFormatException e) {
            throw scanner.invalid(argument + 1, "'" + arguments.getFirst() + "' is no such number");
        }
        while (scanner.accept(".take(")) {
            int place = scanner.position();
            int axis = integer(scanner);
            scanner.expect(",");
            try {
                tensor = tensor.take(axis, OpText.integers(scanner));
            } catch (IndexOutOfBoundsException e) {
                throw scanner.invalid(place, "no such axis or position in " + tensor.type());
            }
            scanner.expect(")");
        }
        if (!tensor.type().equals(type)) {
            throw scanner.invalid(start, "the contents are " + tensor.type() + ", the weight is " + type);
        }
        return tensor;
    }

    private static Optional<Tensor> generate(String generator, List<String> arguments, TensorType type) {
        boolean floats = type.element() == ElementType.F32;
        if (arguments.isEmpty()) {
            return Optional.ofNullable(switch (generator) {
                case "zeros" -> fill(type, 0);
                case "ones" -> fill(type, 1);
                case "iota" -> iota(type);
                default -> null;
            });
        }
        String argument = arguments.getFirst();
        return Optional.ofNullable(switch (generator) {
            case "fill" -> floats ? fill(type, Numbers.parse(argument))
                    : Tensor.of(type, LongStream.generate(() -> Long.parseLong(argument)).limit(type.elements()).toArray());
            case "random" -> floats ? Tensor.random(type, Integer.parseInt(argument)) : null;
            case "positive" -> floats ? GeneratedTensor.random(type, Integer.parseInt(argument), 1) : null;
            case "data" -> floats ? Tensor.random(type, Integer.parseUnsignedInt(argument, 16)) : fill(type, 0);
            default -> null;
        });
    }

    private static Tensor listed(TextScanner scanner, TensorType type) {
        scanner.expect("[");
        int elements = Math.toIntExact(type.elements());
        List<String> values = new ArrayList<>();
        scanner.skipLines();
        while (!scanner.accept("]")) {
            int start = scanner.position();
            String value = scanner.run(Numbers::isPart, "a number");
            if (values.size() == elements) {
                throw scanner.invalid(start, "more values than " + type + " has");
            }
            try {
                if (type.element() == ElementType.F32) {
                    Numbers.parse(value);
                } else {
                    Long.parseLong(value);
                }
            } catch (NumberFormatException e) {
                throw scanner.invalid(start, "'" + value + "' is no number of " + type);
            }
            values.add(value);
            scanner.skipLines();
            if (!scanner.sees("]")) {
                scanner.expect(",");
                scanner.skipLines();
            }
        }
        if (values.size() < elements) {
            throw scanner.invalid(scanner.position() - 1, values.size() + " values for " + type + ", which has " + elements);
        }
        if (type.element() == ElementType.I64) {
            return Tensor.of(type, values.stream().mapToLong(Long::parseLong).toArray());
        }
        float[] floats = new float[elements];
        for (int i = 0; i < elements; i++) {
            floats[i] = Numbers.parse(values.get(i));
        }
        return Tensor.of(type, floats);
    }

    /** A type: {@code f32[1,3,224,224]}. */
    static TensorType type(TextScanner scanner) {
        scanner.skipSpaces();
        int start = scanner.position();
        String element = scanner.run(Character::isLetterOrDigit, "a type such as f32[1,8]");
        List<Integer> dims = OpText.integers(scanner);
        try {
            TensorType type = new TensorType(ElementType.valueOf(element.toUpperCase(java.util.Locale.ROOT)), dims);
            Math.toIntExact(type.elements());
            return type;
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw scanner.invalid(start, "no type " + element + dims + "; write f32 or i64 and up to 2^31 elements");
        }
    }

    private static int integer(TextScanner scanner) {
        scanner.skipSpaces();
        int start = scanner.position();
        String text = scanner.run(Numbers::isPart, "an integer");
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw scanner.invalid(start, "'" + text + "' is no integer");
        }
    }

    private static Tensor fill(TensorType type, float value) {
        if (type.element() == ElementType.I64) {
            return Tensor.of(type, LongStream.generate(() -> (long) value).limit(type.elements()).toArray());
        }
        float[] values = new float[Math.toIntExact(type.elements())];
        java.util.Arrays.fill(values, value);
        return Tensor.of(type, values);
    }

    /** 0, 1, 2, ... */
    private static Tensor iota(TensorType type) {
        if (type.element() == ElementType.I64) {
            return Tensor.of(type, LongStream.range(0, type.elements()).toArray());
        }
        float[] values = new float[Math.toIntExact(type.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        return Tensor.of(type, values);
    }
}
