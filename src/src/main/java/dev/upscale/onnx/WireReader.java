package dev.upscale.onnx;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import dev.upscale.graph.InvalidInput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Protobuf's wire format, field by field. A field of a known number with another wire type than its own is damage, and
 * every length is checked against the bytes that are left before anything is allocated for it.
 */
final class WireReader {
    private final CodedInputStream in;
    private final int size;
    private final byte[] bytes;
    private int tag;
    private String place = "the model";

    WireReader(byte[] bytes) {
        this.in = CodedInputStream.newInstance(bytes);
        this.size = bytes.length;
        this.bytes = bytes;
    }

    /** Reads the value of the field whose number is given; it must read or {@link #skip} exactly one value. */
    interface FieldReader {
        void read(int field) throws IOException;
    }

    /** Reads the content of a message. */
    interface MessageReader {
        void read() throws IOException;
    }

    /** Reads the fields of the message entered last, to its end. */
    void fields(FieldReader reader) throws IOException {
        while ((tag = in.readTag()) != 0) {
            reader.read(WireFormat.getTagFieldNumber(tag));
        }
    }

    /** Reads a nested message. */
    void message(String name, MessageReader reader) throws IOException {
        expect(name, WireFormat.WIRETYPE_LENGTH_DELIMITED);
        String outer = place;
        place = name;
        int limit = in.pushLimit(in.readRawVarint32());
        reader.read();
        in.popLimit(limit);
        place = outer;
    }

    /** Passes over the value of a field. */
    void skip() throws IOException {
        if (!in.skipField(tag)) {
            throw new InvalidProtocolBufferException("a group ends that never began");
        }
    }

    long number(String name) throws IOException {
        expect(name, WireFormat.WIRETYPE_VARINT);
        return in.readInt64();
    }

    float real(String name) throws IOException {
        expect(name, WireFormat.WIRETYPE_FIXED32);
        return in.readFloat();
    }

    /** A name: valid UTF-8. */
    String text(String name) throws IOException {
        expect(name, WireFormat.WIRETYPE_LENGTH_DELIMITED);
        return in.readStringRequireUtf8();
    }

    /** Bytes that are mostly text. */
    String looseText(String name) throws IOException {
        ByteBuffer slice = bytes(name);
        return StandardCharsets.UTF_8.decode(slice).toString();
    }

    /** A view of bytes. */
    ByteBuffer bytes(String name) throws IOException {
        expect(name, WireFormat.WIRETYPE_LENGTH_DELIMITED);
        int length = in.readRawVarint32();
        int start = in.getTotalBytesRead();
        if (length < 0 || length > size - start) {
            throw new InvalidProtocolBufferException(name + " has " + length + " bytes, more than are left");
        }
        in.skipRawBytes(length);
        return ByteBuffer.wrap(bytes, start, length).slice();
    }

    /** One value, or several packed into one field. */
    void numbers(String name, Longs into) throws IOException {
        if (WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_VARINT) {
            into.add(in.readInt64());
            return;
        }
        packed(name, () -> into.add(in.readInt64()));
    }

    /** One value, or several packed into one field. */
    void reals(String name, Floats into) throws IOException {
        if (WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_FIXED32) {
            into.add(in.readFloat());
            return;
        }
        packed(name, () -> into.add(in.readFloat()));
    }

    /** One value, or several packed into one field. */
    void doubles(String name, Doubles into) throws IOException {
        if (WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_FIXED64) {
            into.add(in.readDouble());
            return;
        }
        packed(name, () -> into.add(in.readDouble()));
    }

    private void packed(String name, MessageReader value) throws IOException {
        expect(name, WireFormat.WIRETYPE_LENGTH_DELIMITED);
        int limit = in.pushLimit(in.readRawVarint32());
        while (in.getBytesUntilLimit() > 0) {
            value.read();
        }
        in.popLimit(limit);
    }

    private void expect(String name, int wireType) throws IOException {
        if (WireFormat.getTagWireType(tag) != wireType) {
            throw new InvalidProtocolBufferException(name + " is stored in the wrong way");
        }
    }

    /** The error for a field that ONNX's schema does not have. */
    InvalidInput unknown(String message, int field) {
        return damaged(message + " has a field " + field + ", which ONNX does not know");
    }

    /** The error for bytes that are no ONNX model. */
    InvalidInput damaged(String why) {
        return new InvalidInput("no readable ONNX file: in " + place + ", near byte " + in.getTotalBytesRead() + " of "
                + size + ": " + why + " (it is damaged or cut short: get it again)");
    }
}
