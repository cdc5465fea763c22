package dev.upscale.cli;

import dev.upscale.compress.Images;
import dev.upscale.graph.InvalidInput;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;

/** Pictures of any size as inputs of a network: the largest square in their middle, scaled to the network's height and width. */
final class ImageFiles {
    private static final int GREY = 1;
    private static final int COLOUR = 3;

    private ImageFiles() {}

    /** All pictures of a folder, in the order of their names. They are decoded when they are asked for. */
    static Images read(Path folder, Normalisation normalisation) {
        int channels = normalisation.shape().getFirst();
        if (normalisation.shape().size() != 3 || channels != GREY && channels != COLOUR) {
            throw new InvalidInput(folder + " holds pictures, and the model takes " + normalisation.shape()
                    + "; pictures fit models that take 1 or 3 channels, height and width");
        }
        List<Path> files = DataSet.imageFiles(folder);
        return Normalisation.images(files.size(), (first, count, into) -> {
            int elements = normalisation.elements();
            byte[] pixels = new byte[count * elements];
            for (int image = 0; image < count; image++) {
                put(files.get(first + image), normalisation.shape(), pixels, image * elements);
            }
            normalisation.ofBytes(pixels, count).fill(0, count, into);
        });
    }

    private static void put(Path file, List<Integer> shape, byte[] pixels, int to) {
        BufferedImage picture = decode(file);
        int side = Math.min(picture.getWidth(), picture.getHeight());
        int left = (picture.getWidth() - side) / 2;
        int top = (picture.getHeight() - side) / 2;
        int height = shape.get(1);
        int width = shape.get(2);
        BufferedImage scaled = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = scaled.createGraphics();
        graphics.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        graphics.drawImage(picture, 0, 0, width, height, left, top, left + side, top + side, null);
        graphics.dispose();
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int rgb = scaled.getRGB(x, y);
                int red = rgb >> 16 & 0xff;
                int green = rgb >> 8 & 0xff;
                int blue = rgb & 0xff;
                int place = to + y * width + x;
                if (shape.getFirst() == GREY) {
                    // ITU-R BT.601's luma, as PIL's convert("L").
                    pixels[place] = (byte) ((299 * red + 587 * green + 114 * blue + 500) / 1000);
                } else {
                    pixels[place] = (byte) red;
                    pixels[place + height * width] = (byte) green;
                    pixels[place + 2 * height * width] = (byte) blue;
                }
            }
        }
    }

    private static BufferedImage decode(Path file) {
        try {
            BufferedImage picture = ImageIO.read(new ByteArrayInputStream(InputFile.read(file)));
            if (picture == null) {
                throw new InvalidInput(file + " is no picture that Java can read (png, jpg, bmp, gif)");
            }
            return picture;
        } catch (IOException e) {
            throw new InvalidInput(file + " is a damaged picture: " + e.getMessage(), e);
        }
    }
}
