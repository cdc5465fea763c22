package dev.upscale.compress;

import dev.upscale.channels.Pattern;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * Solutions in a folder, one file each, so that work that was stopped goes on where it was. A file counts only if it was made for the
 * same network, pattern, data and ridge; one that is damaged is made again.
 */
public final class Checkpoint {
    private static final int MAGIC = 0x75705331;

    private final Path folder;
    private final long work;

    private Checkpoint(Path folder, long work) {
        this.folder = folder;
        this.work = work;
    }

    /** Keeps nothing. */
    public static Checkpoint none() {
        return new Checkpoint(null, 0);
    }

    /** In a folder, which is made if it is missing. */
    public static Checkpoint in(Path folder, Graph graph, Pattern pattern, Images images, double ridge) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new InvalidInput(folder + " cannot be made (" + e + "); name a folder that you may write to", e);
        }
        CRC32 work = new CRC32();
        graph.weights().forEach((name, weight) -> {
            if (weight.type().element() == dev.upscale.graph.ElementType.F32) {
                work.update(name.getBytes(java.nio.charset.StandardCharsets.UTF_8));
                floats(work, weight.floats());
            }
        });
        pattern.consumers().forEach((name, retained) -> ints(work, name, retained));
        pattern.producers().forEach((name, retained) -> ints(work, "producer " + name, retained));
        var type = graph.type(graph.inputs().getFirst());
        float[] block = new float[Math.toIntExact(type.elements())];
        for (int first = 0; first + type.dim(0) <= images.count(); first += type.dim(0)) {
            images.fill(first, type.dim(0), block);
            floats(work, block);
        }
        ints(work, "ridge", new int[] {Float.floatToIntBits((float) ridge)});
        return new Checkpoint(folder, work.getValue());
    }

    private static void floats(CRC32 work, float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length);
        bytes.asFloatBuffer().put(values);
        work.update(bytes);
    }

    private static void ints(CRC32 work, String name, int[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length);
        bytes.asIntBuffer().put(values);
        work.update(name.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        work.update(bytes);
    }

    private Path file(int layer) {
        return folder.resolve("layer-" + layer + ".solution");
    }

    Optional<Solution> read(int layer, String weight) {
        if (folder == null) {
            return Optional.empty();
        }
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file(layer))))) {
            if (in.readInt() != MAGIC || in.readLong() != work || !in.readUTF().equals(weight)) {
                return Optional.empty();
            }
            return Optional.of(new Solution(weight, floats(in), floats(in), in.readDouble(), in.readDouble()));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException | NegativeArraySizeException e) {
            return Optional.empty();
        }
    }

    private static float[] floats(DataInputStream in) throws IOException {
        float[] values = new float[in.readInt()];
        byte[] bytes = new byte[4 * values.length];
        in.readFully(bytes);
        ByteBuffer.wrap(bytes).asFloatBuffer().get(values);
        return values;
    }

    void write(int layer, Solution solution) {
        if (folder == null) {
            return;
        }
        Path unfinished = folder.resolve("layer-" + layer + ".part");
        try {
            try (DataOutputStream out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(unfinished)))) {
                out.writeInt(MAGIC);
                out.writeLong(work);
                out.writeUTF(solution.weight());
                floats(out, solution.values());
                floats(out, solution.bias());
                out.writeDouble(solution.errorBefore());
                out.writeDouble(solution.errorAfter());
            }
            Files.move(unfinished, file(layer), StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new InvalidInput(folder + " cannot be written to (" + e + "); free space there, or name another folder", e);
        }
    }

    private static void floats(DataOutputStream out, float[] values) throws IOException {
        out.writeInt(values.length);
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length);
        bytes.asFloatBuffer().put(values);
        out.write(bytes.array());
    }

    /** Deletes what is kept, when the work is done. */
    public void discard() {
        if (folder == null) {
            return;
        }
        try (var files = Files.newDirectoryStream(folder, "layer-*")) {
            for (Path file : files) {
                Files.delete(file);
            }
            Files.delete(folder);
        } catch (IOException e) {
            // What else lies in the folder is not ours; what is left does no harm.
        }
    }
}
