package dev.upscale.runtime.cudnn;

import static dev.upscale.bindings.cudnn.cudnn_h.*;

import dev.upscale.runtime.natives.OwnedPointer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * A descriptor of cuDNN's backend ({@code cudnnBackendDescriptor_t}): made, filled with attributes, finalized, and destroyed when it is
 * closed. cuDNN keeps references to what a finalized descriptor was given, so parts may be closed before the whole.
 */
final class Descriptor implements AutoCloseable {
    private final String subject;
    private final OwnedPointer handle;

    private Descriptor(String subject, OwnedPointer handle) {
        this.subject = subject;
        this.handle = handle;
    }

    /** A finalized descriptor. */
    static Descriptor make(int kind, String subject, Consumer<Descriptor> attributes) {
        Descriptor descriptor = empty(kind, subject);
        try {
            attributes.accept(descriptor);
            CuDnn.check(cudnnBackendFinalize(descriptor.handle()), "cudnnBackendFinalize", subject);
            return descriptor;
        } catch (RuntimeException e) {
            descriptor.close();
            throw e;
        }
    }

    /** A descriptor that cuDNN is to fill when it is asked for an attribute. */
    static Descriptor empty(int kind, String subject) {
        return new Descriptor(subject, OwnedPointer.create(subject, out -> CuDnn.check(cudnnBackendCreateDescriptor(kind, out),
                "cudnnBackendCreateDescriptor", subject), handle -> cudnnBackendDestroyDescriptor(handle)));
    }

    MemorySegment handle() {
        return handle.get();
    }

    Descriptor setType(int attribute, int type, int value) {
        try (Arena call = Arena.ofConfined()) {
            return set(attribute, type, 1, call.allocateFrom(ValueLayout.JAVA_INT, value));
        }
    }

    Descriptor setBoolean(int attribute, boolean value) {
        try (Arena call = Arena.ofConfined()) {
            return set(attribute, CUDNN_TYPE_BOOLEAN(), 1, call.allocateFrom(ValueLayout.JAVA_BYTE, (byte) (value ? 1 : 0)));
        }
    }

    Descriptor setLongs(int attribute, List<Long> values) {
        try (Arena call = Arena.ofConfined()) {
            long[] array = values.stream().mapToLong(Long::longValue).toArray();
            return set(attribute, CUDNN_TYPE_INT64(), array.length, call.allocateFrom(ValueLayout.JAVA_LONG, array));
        }
    }

    Descriptor setFloat(int attribute, float value) {
        try (Arena call = Arena.ofConfined()) {
            return set(attribute, CUDNN_TYPE_FLOAT(), 1, call.allocateFrom(ValueLayout.JAVA_FLOAT, value));
        }
    }

    Descriptor setDouble(int attribute, double value) {
        try (Arena call = Arena.ofConfined()) {
            return set(attribute, CUDNN_TYPE_DOUBLE(), 1, call.allocateFrom(ValueLayout.JAVA_DOUBLE, value));
        }
    }

    Descriptor setText(int attribute, String text) {
        try (Arena call = Arena.ofConfined()) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            return set(attribute, CUDNN_TYPE_CHAR(), bytes.length, call.allocateFrom(ValueLayout.JAVA_BYTE, bytes));
        }
    }

    Descriptor setHandle(int attribute, MemorySegment cudnnHandle) {
        try (Arena call = Arena.ofConfined()) {
            return set(attribute, CUDNN_TYPE_HANDLE(), 1, call.allocateFrom(ValueLayout.ADDRESS, cudnnHandle));
        }
    }

    /** Addresses on the device. */
    Descriptor setPointers(int attribute, long... addresses) {
        try (Arena call = Arena.ofConfined()) {
            return set(attribute, CUDNN_TYPE_VOID_PTR(), addresses.length, call.allocateFrom(ValueLayout.JAVA_LONG, addresses));
        }
    }

    Descriptor setDescriptors(int attribute, List<Descriptor> values) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment array = call.allocate(ValueLayout.ADDRESS, values.size());
            for (int i = 0; i < values.size(); i++) {
                array.setAtIndex(ValueLayout.ADDRESS, i, values.get(i).handle());
            }
            return set(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR(), values.size(), array);
        }
    }

    private Descriptor set(int attribute, int type, long count, MemorySegment values) {
        CuDnn.check(cudnnBackendSetAttribute(handle(), attribute, type, count, values), "cudnnBackendSetAttribute(" + attribute + ")", subject);
        return this;
    }

    long getLong(int attribute) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment value = call.allocate(ValueLayout.JAVA_LONG);
            get(attribute, CUDNN_TYPE_INT64(), 1, value);
            return value.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /** A text of unknown length. */
    String getText(int attribute) {
        long length = count(attribute, CUDNN_TYPE_CHAR());
        try (Arena call = Arena.ofConfined()) {
            MemorySegment text = call.allocate(length + 1);
            get(attribute, CUDNN_TYPE_CHAR(), length, text);
            byte[] bytes = text.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
            int end = bytes.length;
            while (end > 0 && bytes[end - 1] == 0) {
                end--;
            }
            return new String(bytes, 0, end, StandardCharsets.UTF_8);
        }
    }

    /** Enumerators, of which there are at most {@code most}. */
    List<Integer> getTypes(int attribute, int type, int most) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment values = call.allocate(ValueLayout.JAVA_INT, most);
            long count = get(attribute, type, most, values);
            List<Integer> found = new ArrayList<>();
            for (int i = 0; i < Math.min(count, most); i++) {
                found.add(values.getAtIndex(ValueLayout.JAVA_INT, i));
            }
            return found;
        }
    }

    /** How many elements an attribute has. */
    long count(int attribute, int type) {
        return get(attribute, type, 0, MemorySegment.NULL);
    }

    /** Fills descriptors with an attribute's; those beyond the number returned are untouched. */
    long getInto(int attribute, List<Descriptor> empty) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment array = call.allocate(ValueLayout.ADDRESS, empty.size());
            for (int i = 0; i < empty.size(); i++) {
                array.setAtIndex(ValueLayout.ADDRESS, i, empty.get(i).handle());
            }
            return get(attribute, CUDNN_TYPE_BACKEND_DESCRIPTOR(), empty.size(), array);
        }
    }

    private long get(int attribute, int type, long most, MemorySegment values) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment count = call.allocate(ValueLayout.JAVA_LONG);
            CuDnn.check(cudnnBackendGetAttribute(handle(), attribute, type, most, count, values),
                    "cudnnBackendGetAttribute(" + attribute + ")", subject);
            return count.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    @Override
    public void close() {
        handle.close();
    }
}
