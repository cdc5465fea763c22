package dev.upscale.onnx;

import dev.upscale.graph.InvalidInput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;

/** Tensor elements that lie in a file beside the model (TensorProto.external_data: location, offset, length). */
final class ExternalData {
    private ExternalData() {}

    /**
     * Reads the elements of a tensor.
     *
     * @param expected the bytes that its shape asks for
     * @throws InvalidInput if the location is not a file in the model's folder or a folder in it, or holds too few bytes
     */
    static ByteBuffer read(String tensor, Map<String, String> entries, long expected, Path model) {
        String location = entries.get("location");
        if (location == null) {
            throw new InvalidInput("tensor " + tensor + " has external data without a location: save the model again");
        }
        Path file = resolve(tensor, location, model);
        long offset = number(tensor, entries, "offset", 0);
        long length = number(tensor, entries, "length", expected);
        if (length != expected) {
            throw new InvalidInput("tensor " + tensor + " has " + length + " bytes of external data, its shape needs "
                    + expected + ": the model is damaged, get it again");
        }
        try (FileChannel channel = FileChannel.open(file)) {
            if (offset > channel.size() || length > channel.size() - offset) {
                throw new InvalidInput("tensor " + tensor + " has bytes " + offset + " to " + (offset + length) + " of "
                        + file + ", which has " + channel.size() + ": get that file again");
            }
            ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(length));
            while (bytes.hasRemaining() && channel.read(bytes, offset + bytes.position()) >= 0) {
                // read on
            }
            return bytes.flip();
        } catch (IOException | ArithmeticException e) {
            throw new InvalidInput("tensor " + tensor + " has its data in " + file + ", which cannot be read (" + e
                    + "): put it beside the model", e);
        }
    }

    private static Path resolve(String tensor, String location, Path model) {
        Path folder = model.toAbsolutePath().normalize().getParent();
        try {
            Path file = folder.resolve(location).normalize();
            if (file.startsWith(folder) && !Path.of(location).isAbsolute()
                    && (!file.toFile().exists() || file.toRealPath().startsWith(folder.toRealPath()))) {
                return file;
            }
        } catch (InvalidPathException | IOException e) {
            throw new InvalidInput("tensor " + tensor + " has external data at " + location + ", which is no path (" + e
                    + ")", e);
        }
        throw new InvalidInput("tensor " + tensor + " has external data at " + location
                + ", outside of the model's folder: put the file beside the model and name it by a relative path");
    }

    private static long number(String tensor, Map<String, String> entries, String key, long missing) {
        String text = entries.get(key);
        if (text == null) {
            return missing;
        }
        try {
            long number = Long.parseLong(text.strip());
            if (number >= 0) {
                return number;
            }
        } catch (NumberFormatException e) {
            // told below
        }
        throw new InvalidInput("tensor " + tensor + " has external data with " + key + " " + text
                + ": the model is damaged, get it again");
    }
}
