package dev.upscale.onnx;

import com.google.protobuf.CodedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** One message in protobuf's wire format, as a list of chunks, so that large data are not copied into what contains them. */
final class WireWriter {
    private final List<ByteBuffer> chunks = new ArrayList<>();
    private long size;

    private interface Encoding {
        void write(CodedOutputStream out) throws IOException;
    }

    private void encode(int length, Encoding encoding) {
        byte[] bytes = new byte[length];
        try {
            encoding.write(CodedOutputStream.newInstance(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        add(ByteBuffer.wrap(bytes));
    }

    private void add(ByteBuffer chunk) {
        chunks.add(chunk);
        size += chunk.remaining();
    }

    void number(int field, long value) {
        encode(CodedOutputStream.computeInt64Size(field, value), out -> out.writeInt64(field, value));
    }

    void real(int field, float value) {
        encode(CodedOutputStream.computeFloatSize(field, value), out -> out.writeFloat(field, value));
    }

    void text(int field, String value) {
        bytes(field, ByteBuffer.wrap(value.getBytes(StandardCharsets.UTF_8)));
    }

    /** Bytes that must not change until the message is written. */
    void bytes(int field, ByteBuffer value) {
        header(field, value.remaining());
        add(value.duplicate());
    }

    void message(int field, WireWriter value) {
        header(field, Math.toIntExact(value.size));
        chunks.addAll(value.chunks);
        size += value.size;
    }

    /** Numbers one by one, which readers take as well as packed ones. */
    void numbers(int field, long... values) {
        for (long value : values) {
            number(field, value);
        }
    }

    private void header(int field, int length) {
        int bytes = CodedOutputStream.computeTagSize(field) + CodedOutputStream.computeUInt32SizeNoTag(length);
        encode(bytes, out -> {
            out.writeTag(field, 2);
            out.writeUInt32NoTag(length);
        });
    }

    /** The message's size, in bytes. */
    long size() {
        return size;
    }

    void writeTo(OutputStream stream) throws IOException {
        WritableByteChannel channel = Channels.newChannel(stream);
        for (ByteBuffer chunk : chunks) {
            ByteBuffer copy = chunk.duplicate();
            while (copy.hasRemaining()) {
                channel.write(copy);
            }
        }
    }
}
