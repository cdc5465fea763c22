package dev.upscale.report;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.imageio.ImageIO;

/** Values of pixels as a PNG file that is the more opaque the larger they are, to be laid over a picture. */
public final class HeatMap {
    private static final int COLOUR = 0xd81b60;
    private static final double STRONGEST = 0.65 * 255;
    private static final int OPACITY_SHIFT = 24;

    private HeatMap() {}

    /**
     * Draws a map.
     *
     * @param values row-major, 0 for clear and 1 for strong; what is beyond counts as these
     */
    public static byte[] png(int width, int height, float[] values) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_ARGB);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int opacity = (int) Math.round(STRONGEST * Math.clamp(values[y * width + x], 0f, 1f));
                image.setRGB(x, y, opacity << OPACITY_SHIFT | COLOUR);
            }
        }
        try (ByteArrayOutputStream file = new ByteArrayOutputStream()) {
            ImageIO.write(image, "png", file);
            return file.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
