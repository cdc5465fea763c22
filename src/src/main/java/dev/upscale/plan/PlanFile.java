package dev.upscale.plan;

import dev.upscale.graph.InvalidInput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Plans as files: a safetensors file whose tensors are the constants and whose metadata hold the plan as canonical JSON,
 * described in {@code docs/plan-format.md}. Reading maps the constants: a loaded plan holds the file open for as long as it
 * is reachable, and the file must not be changed in place meanwhile (writing a plan anew replaces the file and is safe).
 */
public final class PlanFile {

    /** How much of a file is checked when it is read. What lies outside of the tensors is always checked in full. */
    public enum Check {
        /** All: the tensors are read once to be compared with their hash, which takes about a second per gigabyte. */
        ALL,
        /** The tensors are not read: damaged weights go unnoticed. Index lists are always read and checked. */
        STRUCTURE
    }

    private PlanFile() {}

    /**
     * Writes a plan. The file is there whole or not at all: it is written beside its place and then renamed.
     *
     * @throws InvalidInput if the file cannot be written, or if the plan is not valid
     */
    public static void write(Plan plan, Path file) {
        PlanVerifier.verify(plan);
        TensorLayout layout = TensorLayout.of(plan.constants());
        ByteBuffer header = PlanHeader.encode(plan, layout);
        Path target = file.toAbsolutePath();
        Path draft = target.resolveSibling("." + target.getFileName() + "." + Long.toHexString(System.nanoTime()) + ".tmp");
        try {
            try (FileChannel channel =
                    FileChannel.open(draft, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                writeFully(channel, header);
                for (ByteBuffer part : layout.parts(plan.constants())) {
                    writeFully(channel, part);
                }
            }
            Files.move(draft, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new InvalidInput(file + ": cannot be written (" + reason(e) + "); name another place or make room", e);
        } finally {
            deleteIfThere(draft);
        }
    }

    private static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static void deleteIfThere(Path draft) {
        try {
            Files.deleteIfExists(draft);
        } catch (IOException e) {
            // The plan was renamed or the first error is being thrown; a draft that stays harms nobody.
        }
    }

    /**
     * Reads a plan and checks all of it.
     *
     * @throws InvalidInput if the file is damaged or no plan; the message names the file, the cause and the cure
     */
    public static Plan read(Path file) {
        return read(file, Check.ALL);
    }

    /**
     * Reads a plan.
     *
     * @throws InvalidInput if the file is damaged or no plan; the message names the file, the cause and the cure
     */
    public static Plan read(Path file, Check check) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return read(channel, check);
        } catch (NoSuchFileException e) {
            throw new InvalidInput(file + ": there is no such file; compile the model to it first", e);
        } catch (IOException e) {
            throw new InvalidInput(file + ": cannot be read (" + reason(e) + ")", e);
        } catch (InvalidInput e) {
            throw new InvalidInput(file + ": " + brief(e.getMessage()) + "; compile it again", e);
        } catch (ArithmeticException e) {
            throw new InvalidInput(file + ": a size in it is out of all bounds; compile it again", e);
        }
    }

    private static Plan read(FileChannel channel, Check check) throws IOException {
        long size = channel.size();
        PlanHeader header = PlanHeader.decode(readHeader(channel, size));
        TensorLayout layout = header.layout();
        long begin = PlanHeader.PREFIX_BYTES + header.bytes();
        if (size - begin != layout.bytes()) {
            throw new InvalidInput("holds " + (size - begin) + " bytes of tensors, not the " + layout.bytes()
                    + " that its header lists");
        }
        Map<String, ByteBuffer> data = map(channel, begin, layout);
        if (check == Check.ALL) {
            header.requireData(layout.tensors().stream().map(tensor -> data.get(tensor.name())).toList());
        }
        Map<String, Constant> constants = new LinkedHashMap<>();
        for (TensorLayout.Tensor tensor : layout.tensors()) {
            tensor.type().ifPresent(type ->
                    constants.put(tensor.name(), new Constant(type, tensor.dims(), data.get(tensor.name()))));
        }
        Plan plan = header.plan().withConstants(constants);
        PlanVerifier.verify(plan);
        return plan;
    }

    private static ByteBuffer readHeader(FileChannel channel, long size) throws IOException {
        long length = size < PlanHeader.PREFIX_BYTES ? -1 : PlanHeader.length(readFully(channel, PlanHeader.PREFIX_BYTES));
        if (length < 0 || length > PlanHeader.MOST_BYTES || length > size - PlanHeader.PREFIX_BYTES) {
            throw new InvalidInput("is no plan or cut off: " + size + " bytes with a header of "
                    + (length < 0 ? "unknown length" : length + " bytes"));
        }
        return readFully(channel.position(0), PlanHeader.PREFIX_BYTES + (int) length);
    }

    private static ByteBuffer readFully(FileChannel channel, int bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(bytes);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                throw new InvalidInput("is cut off");
            }
        }
        return buffer.flip();
    }

    /** The bytes of each tensor: slices of one mapping, or mappings of their own where the file is too large for one. */
    private static Map<String, ByteBuffer> map(FileChannel channel, long begin, TensorLayout layout) throws IOException {
        Map<String, ByteBuffer> data = new LinkedHashMap<>();
        boolean whole = layout.bytes() <= Integer.MAX_VALUE;
        ByteBuffer all = whole && layout.bytes() > 0
                ? channel.map(FileChannel.MapMode.READ_ONLY, begin, layout.bytes())
                : ByteBuffer.allocate(0);
        for (TensorLayout.Tensor tensor : layout.tensors()) {
            data.put(tensor.name(), whole
                    ? all.slice((int) tensor.begin(), (int) tensor.bytes())
                    : channel.map(FileChannel.MapMode.READ_ONLY, begin + tensor.begin(), tensor.bytes()));
        }
        return data;
    }

    private static String reason(IOException e) {
        return switch (e) {
            case NoSuchFileException missing -> "no such folder";
            case AccessDeniedException denied -> "no permission";
            case FileAlreadyExistsException taken -> "the name is taken";
            default -> e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        };
    }

    /** What comes from a hostile file may be long and may hold control characters. */
    private static String brief(String message) {
        String clean = message.replaceAll("\\p{Cntrl}", "?");
        return clean.length() <= 300 ? clean : clean.substring(0, 300) + "...";
    }
}
