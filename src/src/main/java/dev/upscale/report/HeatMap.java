package dev.upscale.report;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;

/** Values of pixels as a PNG file that is the more opaque the larger they are, to be laid over a picture. */
public final class HeatMap {
    private static final int[] COLOUR = {0xd8, 0x1b, 0x60};
    private static final double STRONGEST = 0.65;

    private HeatMap() {}

    /**
     * Draws a map.
     *
     * @param values row-major, 0 for clear and 1 for strong; what is beyond counts as these
     */
    public static byte[] png(int width, int height, float[] values) {
        byte[] lines = new byte[height * (1 + 4 * width)];
        int at = 0;
        for (int y = 0; y < height; y++) {
            lines[at++] = 0;
            for (int x = 0; x < width; x++) {
                for (int part : COLOUR) {
                    lines[at++] = (byte) part;
                }
                lines[at++] = (byte) Math.round(255 * STRONGEST * Math.clamp(values[y * width + x], 0f, 1f));
            }
        }
        try (ByteArrayOutputStream file = new ByteArrayOutputStream(); DataOutputStream data = new DataOutputStream(file)) {
            data.write(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
            chunk(data, "IHDR", header(width, height));
            chunk(data, "IDAT", deflated(lines));
            chunk(data, "IEND", new byte[0]);
            return file.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** 8 bits each of red, green, blue and opacity; no interlacing. */
    private static byte[] header(int width, int height) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream data = new DataOutputStream(bytes);
        data.writeInt(width);
        data.writeInt(height);
        data.write(new byte[] {8, 6, 0, 0, 0});
        return bytes.toByteArray();
    }

    private static byte[] deflated(byte[] bytes) throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (DeflaterOutputStream deflater = new DeflaterOutputStream(packed)) {
            deflater.write(bytes);
        }
        return packed.toByteArray();
    }

    private static void chunk(DataOutputStream data, String type, byte[] content) throws IOException {
        byte[] name = type.getBytes(StandardCharsets.US_ASCII);
        CRC32 crc = new CRC32();
        crc.update(name);
        crc.update(content);
        data.writeInt(content.length);
        data.write(name);
        data.write(content);
        data.writeInt((int) crc.getValue());
    }
}
