package dev.upscale.onnx;

import dev.upscale.graph.InvalidInput;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;

/** The bytes of {@code .onnx} and {@code .onnx.gz} files. */
final class OnnxFile {
    /** ONNX files are limited to this by protobuf; larger models keep their weights in external data. */
    private static final long MOST_BYTES = Integer.MAX_VALUE - 16;

    /** Deflate unpacks a byte to at most this many. */
    private static final long DEFLATE_MOST = 1032;

    private OnnxFile() {}

    /**
     * Reads a model.
     *
     * @throws InvalidInput if the file cannot be read or holds no ONNX model; the message names the file
     */
    static OnnxModel read(Path file) {
        byte[] bytes = readBytes(file);
        try {
            return new ModelReader(bytes, file).model();
        } catch (InvalidInput e) {
            throw e.in(file.toString());
        }
    }

    /**
     * The file's content, unpacked if its name ends in {@code .gz}.
     *
     * @throws InvalidInput if there is no such file, or it is too large or no gzip file
     */
    static byte[] readBytes(Path file) {
        boolean packed = file.toString().endsWith(".gz");
        try {
            if (!Files.isRegularFile(file)) {
                throw new InvalidInput(file + ": no such file: give the path of an ONNX model");
            }
            long most = Math.min(MOST_BYTES, Runtime.getRuntime().maxMemory() / 2);
            if (Files.size(file) > most) {
                throw new InvalidInput(file + ": has " + Files.size(file) + " bytes, more than the " + most
                        + " that can be read here: store the weights as external data, or give the JVM more memory (-Xmx)");
            }
            if (!packed) {
                return Files.readAllBytes(file);
            }
            return unpack(file, (int) most);
        } catch (NoSuchFileException e) {
            throw new InvalidInput(file + ": no such file: give the path of an ONNX model", e);
        } catch (IOException e) {
            throw new InvalidInput(file + ": cannot be read (" + e.getMessage() + "): "
                    + (packed ? "it is damaged or no gzip file, get it again" : "check its permissions"), e);
        }
    }

    private static byte[] unpack(Path file, int most) throws IOException {
        try (InputStream stream = new GZIPInputStream(Files.newInputStream(file), 1 << 16)) {
            byte[] bytes = new byte[(int) Math.min(most, statedSize(file))];
            int size = stream.readNBytes(bytes, 0, bytes.length);
            byte[] rest = stream.readNBytes(most - size);
            if (stream.read() >= 0) {
                throw new InvalidInput(file + ": unpacks to more than " + most
                        + " bytes: give the JVM more memory (-Xmx), or another file");
            }
            if (size == bytes.length && rest.length == 0) {
                return bytes;
            }
            byte[] whole = Arrays.copyOf(bytes, size + rest.length);
            System.arraycopy(rest, 0, whole, size, rest.length);
            return whole;
        }
    }

    /** What a gzip file says that it unpacks to, in its last four bytes; never more than deflate can pack into it. */
    private static long statedSize(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer end = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            channel.read(end, Math.max(0, channel.size() - Integer.BYTES));
            return Math.min(Integer.toUnsignedLong(end.getInt(0)), channel.size() * DEFLATE_MOST);
        }
    }
}
