package dev.upscale.cli;

import dev.upscale.graph.ElementType;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * numpy's array files: versions 1 to 3, little-endian f32, f64 and u8 in C order are read (as f32, row-major); version 1 in
 * f32 is written. Layout after numpy's {@code numpy.lib.format}.
 */
final class NpyFile {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    private static final int ALIGNMENT = 64;
    private static final int LARGEST_HEADER = 1 << 16;
    private static final Pattern HEADER = Pattern.compile(
            "\\s*\\{\\s*'descr'\\s*:\\s*'([^']*)'\\s*,\\s*'fortran_order'\\s*:\\s*(True|False)\\s*,"
                    + "\\s*'shape'\\s*:\\s*\\(([0-9,\\s]*)\\)\\s*,?\\s*\\}\\s*");

    private NpyFile() {}

    /**
     * The array in a file, gzipped or not.
     *
     * @throws InvalidInput if the file is missing, damaged, or of another kind
     */
    static Tensor read(Path file) {
        return parse(file.toString(), InputFile.read(file));
    }

    /** Whether the elements of an array are unsigned bytes. */
    static boolean holdsBytes(Path file) {
        return Header.parse(file.toString(), ByteBuffer.wrap(InputFile.read(file)).order(ByteOrder.LITTLE_ENDIAN)).kind == Kind.U1;
    }

    static Tensor parse(String name, byte[] content) {
        ByteBuffer bytes = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        Header header = Header.parse(name, bytes);
        long elements = header.elements(name);
        long expected = elements * header.kind.bytes;
        if (bytes.remaining() != expected) {
            throw new InvalidInput(name + " is damaged: an array of shape " + header.dims + " has " + expected
                    + " bytes, and the file holds " + bytes.remaining());
        }
        float[] values = new float[(int) elements];
        switch (header.kind) {
            case F4 -> bytes.asFloatBuffer().get(values);
            case F8 -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) bytes.getDouble();
                }
            }
            case U1 -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = bytes.get() & 0xff;
                }
            }
        }
        return Tensor.of(TensorType.f32(header.dims), values);
    }

    /** Writes an f32 array, version 1. */
    static void write(Path file, Tensor tensor) {
        StringBuilder dims = new StringBuilder();
        tensor.type().dims().forEach(dim -> dims.append(dim).append(", "));
        String shape = tensor.type().rank() == 1 ? dims.toString().strip() : dims.toString().replaceAll(", $", "");
        String text = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }";
        int unpadded = MAGIC.length + 4 + text.length() + 1;
        String header = text + " ".repeat((ALIGNMENT - unpadded % ALIGNMENT) % ALIGNMENT) + "\n";
        OutputFile.write(file, path -> {
            try (DataOutputStream out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(path), 1 << 16))) {
                out.write(MAGIC);
                out.write(new byte[] {1, 0});
                out.writeShort(Short.reverseBytes((short) header.length()));
                out.writeBytes(header);
                writeLittleEndian(out, tensor.floats());
            }
        });
    }

    private static void writeLittleEndian(DataOutputStream out, float[] values) throws IOException {
        for (float value : values) {
            out.writeInt(Integer.reverseBytes(Float.floatToRawIntBits(value)));
        }
    }

    /** What the elements are in the file. */
    private enum Kind {
        F4(4),
        F8(8),
        U1(1);

        private final int bytes;

        Kind(int bytes) {
            this.bytes = bytes;
        }
    }

    private record Header(Kind kind, List<Integer> dims) {

        static Header parse(String name, ByteBuffer bytes) {
            byte[] magic = new byte[MAGIC.length];
            if (bytes.remaining() < MAGIC.length + 4) {
                throw new InvalidInput(name + " is no npy file: it has " + bytes.remaining() + " bytes");
            }
            bytes.get(magic);
            if (!Arrays.equals(magic, MAGIC)) {
                throw new InvalidInput(name + " is no npy file; write one with numpy.save");
            }
            int version = bytes.get();
            bytes.get();
            if (version < 1 || version > 3) {
                throw new InvalidInput(name + " is of npy version " + version + "; versions 1 to 3 are known");
            }
            if (version > 1 && bytes.remaining() < 4) {
                throw new InvalidInput(name + " is damaged: it ends in the header's length");
            }
            long length = version == 1 ? bytes.getShort() & 0xffffL : bytes.getInt() & 0xffffffffL;
            if (length > bytes.remaining() || length > LARGEST_HEADER) {
                throw new InvalidInput(name + " is damaged: its header claims " + length + " bytes, and "
                        + bytes.remaining() + " are left");
            }
            byte[] text = new byte[(int) length];
            bytes.get(text);
            String header = new String(text, version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1);
            Matcher matcher = HEADER.matcher(header);
            if (!matcher.matches()) {
                throw new InvalidInput(name + " has a header that cannot be understood: "
                        + printable(header.substring(0, Math.min(120, header.length())).strip()));
            }
            Kind kind = kind(name, matcher.group(1));
            List<Integer> dims = dims(name, matcher.group(3));
            if (matcher.group(2).equals("True") && dims.stream().filter(dim -> dim > 1).count() > 1) {
                throw new InvalidInput(name + " is in Fortran order; save numpy.ascontiguousarray(x)");
            }
            return new Header(kind, dims);
        }

        private static Kind kind(String name, String descr) {
            return switch (descr) {
                case "<f4" -> Kind.F4;
                case "<f8" -> Kind.F8;
                case "|u1" -> Kind.U1;
                default -> throw new InvalidInput(name + " holds elements of type " + printable(descr)
                        + "; save x.astype('<f4') (f32), '<f8' (f64) or '|u1'");
            };
        }

        private static List<Integer> dims(String name, String shape) {
            List<Integer> dims = new ArrayList<>();
            String[] numbers = shape.strip().isEmpty() ? new String[0] : shape.strip().split("\\s*,\\s*", -1);
            for (int i = 0; i < numbers.length; i++) {
                if (i == numbers.length - 1 && i > 0 && numbers[i].isEmpty()) {
                    break;
                }
                try {
                    dims.add(Integer.parseInt(numbers[i]));
                } catch (NumberFormatException e) {
                    throw new InvalidInput(name + " has an impossible shape (" + shape + ")", e);
                }
            }
            return dims;
        }

        private long elements(String name) {
            try {
                long elements = new TensorType(ElementType.F32, dims).elements();
                if (elements > Integer.MAX_VALUE - 16) {
                    throw new InvalidInput(name + " has shape " + dims + "; at most 2^31 elements are supported");
                }
                return elements;
            } catch (ArithmeticException e) {
                throw new InvalidInput(name + " has an impossible shape " + dims, e);
            }
        }

        private static String printable(String text) {
            return text.replaceAll("[^\\x20-\\x7e]", "?");
        }
    }
}
