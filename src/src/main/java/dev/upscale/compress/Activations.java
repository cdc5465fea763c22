package dev.upscale.compress;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;

/**
 * Values of tensors, block of images by block: in the Java heap up to a limit, beyond it in a temporary file. Thread-safe. To be
 * closed.
 */
final class Activations implements AutoCloseable {
    private sealed interface Place {}

    private record Heap(float[] values) implements Place {}

    private record Disk(long position, int elements) implements Place {}

    private record Key(String tensor, int block) {}

    private final long limit;
    private final Map<Key, Place> places = new HashMap<>();
    private long heapBytes;
    private Path file;
    private FileChannel channel;
    private long end;

    Activations(long limitBytes) {
        limit = limitBytes;
    }

    void put(String tensor, int block, float[] values) {
        synchronized (this) {
            if (heapBytes + 4L * values.length <= limit) {
                heapBytes += 4L * values.length;
                places.put(new Key(tensor, block), new Heap(values));
                return;
            }
        }
        ByteBuffer bytes = ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder());
        bytes.asFloatBuffer().put(values);
        long position = reserve(bytes.remaining());
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes, position + bytes.position());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the temporary folder cannot hold the activations", e);
        }
        synchronized (this) {
            places.put(new Key(tensor, block), new Disk(position, values.length));
        }
    }

    private synchronized long reserve(int bytes) {
        try {
            if (channel == null) {
                file = Files.createTempFile("upscale-activations", ".bin");
                channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the temporary folder cannot be written to", e);
        }
        long position = end;
        end += bytes;
        return position;
    }

    /** Values that were put before; not to be written to. */
    float[] get(String tensor, int block) {
        Place place;
        synchronized (this) {
            place = places.get(new Key(tensor, block));
        }
        return switch (place) {
            case null -> throw new IllegalStateException("block " + block + " of " + tensor + " is not kept");
            case Heap(float[] values) -> values;
            case Disk(long position, int elements) -> read(position, elements);
        };
    }

    private float[] read(long position, int elements) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(4 * elements).order(ByteOrder.nativeOrder());
        try {
            while (bytes.hasRemaining()) {
                if (channel.read(bytes, position + bytes.position()) < 0) {
                    throw new IOException("end of file");
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("activations cannot be read back", e);
        }
        float[] values = new float[elements];
        bytes.flip().asFloatBuffer().get(values);
        return values;
    }

    /** Gives up a tensor. Room in the file is not used again before all of it is free. */
    synchronized void drop(String tensor) {
        places.entrySet().removeIf(entry -> {
            boolean dropped = entry.getKey().tensor.equals(tensor);
            if (dropped && entry.getValue() instanceof Heap(float[] values)) {
                heapBytes -= 4L * values.length;
            }
            return dropped;
        });
        if (places.values().stream().noneMatch(Disk.class::isInstance)) {
            end = 0;
        }
    }

    @Override
    public void close() {
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
