package dev.upscale.cli;

import dev.upscale.graph.InvalidInput;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A file of unsigned bytes in the IDX format of the MNIST family: magic 0, 0, 8, rank; a big-endian size per dimension; the
 * bytes in row-major order.
 *
 * @param bytes not to be written to
 */
record IdxFile(List<Integer> dims, byte[] bytes) {
    private static final int UNSIGNED_BYTE = 0x08;

    /**
     * Reads a file, gzipped or not.
     *
     * @throws InvalidInput if the file is missing, damaged, or holds another type of elements
     */
    static IdxFile read(Path file) {
        return parse(file.toString(), InputFile.read(file));
    }

    static IdxFile parse(String name, byte[] content) {
        ByteBuffer buffer = ByteBuffer.wrap(content);
        if (content.length < 4 || content[0] != 0 || content[1] != 0) {
            throw new InvalidInput(name + " is no IDX file");
        }
        int type = content[2] & 0xff;
        int rank = content[3] & 0xff;
        if (type != UNSIGNED_BYTE) {
            throw new InvalidInput(name + " is an IDX file of element type " + type + "; unsigned bytes (8) are supported");
        }
        if (rank == 0 || content.length < 4 + 4 * rank) {
            throw new InvalidInput(name + " is a damaged IDX file: rank " + rank + " in " + content.length + " bytes");
        }
        buffer.position(4);
        List<Integer> dims = new ArrayList<>();
        long elements = 1;
        for (int axis = 0; axis < rank; axis++) {
            int dim = buffer.getInt();
            elements = dim < 0 || elements > Integer.MAX_VALUE ? -1 : elements * dim;
            if (elements < 0) {
                throw new InvalidInput(name + " is a damaged IDX file: dimension " + axis + " is " + dim);
            }
            dims.add(dim);
        }
        if (elements != buffer.remaining()) {
            throw new InvalidInput(name + " is a damaged IDX file: shape " + dims + " in " + buffer.remaining() + " bytes");
        }
        return new IdxFile(List.copyOf(dims), Arrays.copyOfRange(content, buffer.position(), content.length));
    }

    /** The size of the first dimension: how many images or labels there are. */
    int count() {
        return dims.getFirst();
    }
}
