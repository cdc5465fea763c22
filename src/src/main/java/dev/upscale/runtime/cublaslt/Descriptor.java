package dev.upscale.runtime.cublaslt;

import static dev.upscale.bindings.cublaslt.cublaslt_h.*;

import dev.upscale.runtime.natives.OwnedPointer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.ToIntFunction;

/** One of cuBLASLt's descriptors: made, filled with attributes, and destroyed when it is closed. */
final class Descriptor implements AutoCloseable {

    /** What it describes, and the functions for that. */
    private enum Kind {
        OPERATION("cublasLtMatmulDesc"), LAYOUT("cublasLtMatrixLayout"), PREFERENCE("cublasLtMatmulPreference");

        private final String stem;

        Kind(String stem) {
            this.stem = stem;
        }

        private int set(MemorySegment handle, int attribute, MemorySegment value) {
            return switch (this) {
                case OPERATION -> cublasLtMatmulDescSetAttribute(handle, attribute, value, value.byteSize());
                case LAYOUT -> cublasLtMatrixLayoutSetAttribute(handle, attribute, value, value.byteSize());
                case PREFERENCE -> cublasLtMatmulPreferenceSetAttribute(handle, attribute, value, value.byteSize());
            };
        }

        private int get(MemorySegment handle, int attribute, MemorySegment value, MemorySegment written) {
            return switch (this) {
                case OPERATION -> cublasLtMatmulDescGetAttribute(handle, attribute, value, value.byteSize(), written);
                case LAYOUT -> cublasLtMatrixLayoutGetAttribute(handle, attribute, value, value.byteSize(), written);
                case PREFERENCE -> cublasLtMatmulPreferenceGetAttribute(handle, attribute, value, value.byteSize(), written);
            };
        }

        private int destroy(MemorySegment handle) {
            return switch (this) {
                case OPERATION -> cublasLtMatmulDescDestroy(handle);
                case LAYOUT -> cublasLtMatrixLayoutDestroy(handle);
                case PREFERENCE -> cublasLtMatmulPreferenceDestroy(handle);
            };
        }
    }

    private final Kind kind;
    private final String subject;
    private final OwnedPointer handle;

    private Descriptor(Kind kind, String subject, ToIntFunction<MemorySegment> create) {
        this.kind = kind;
        this.subject = subject;
        CuBlasLt.require();
        handle = OwnedPointer.create("a descriptor of " + subject, out -> CuBlasLt.check(create.applyAsInt(out), kind.stem + "Create", subject),
                made -> CuBlasLt.check(kind.destroy(made), kind.stem + "Destroy", subject));
    }

    /** @param computeType {@code cublasComputeType_t} */
    static Descriptor operation(String subject, int computeType, int scaleType) {
        return new Descriptor(Kind.OPERATION, subject, out -> cublasLtMatmulDescCreate(out, computeType, scaleType));
    }

    /** @param type {@code cudaDataType} */
    static Descriptor layout(String subject, int type, long rows, long columns, long leadingDimension) {
        return new Descriptor(Kind.LAYOUT, subject, out -> cublasLtMatrixLayoutCreate(out, type, rows, columns, leadingDimension));
    }

    static Descriptor preference(String subject) {
        return new Descriptor(Kind.PREFERENCE, subject, out -> cublasLtMatmulPreferenceCreate(out));
    }

    MemorySegment handle() {
        return handle.get();
    }

    Descriptor setInt(int attribute, int value) {
        try (Arena call = Arena.ofConfined()) {
            return set(attribute, call.allocateFrom(ValueLayout.JAVA_INT, value));
        }
    }

    Descriptor setLong(int attribute, long value) {
        try (Arena call = Arena.ofConfined()) {
            return set(attribute, call.allocateFrom(ValueLayout.JAVA_LONG, value));
        }
    }

    private Descriptor set(int attribute, MemorySegment value) {
        CuBlasLt.check(kind.set(handle(), attribute, value), kind.stem + "SetAttribute(" + attribute + ")", subject);
        return this;
    }

    int getInt(int attribute) {
        try (Arena call = Arena.ofConfined()) {
            return get(attribute, call.allocate(ValueLayout.JAVA_INT)).get(ValueLayout.JAVA_INT, 0);
        }
    }

    long getLong(int attribute) {
        try (Arena call = Arena.ofConfined()) {
            return get(attribute, call.allocate(ValueLayout.JAVA_LONG)).get(ValueLayout.JAVA_LONG, 0);
        }
    }

    private MemorySegment get(int attribute, MemorySegment value) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment written = call.allocate(ValueLayout.JAVA_LONG);
            CuBlasLt.check(kind.get(handle(), attribute, value, written), kind.stem + "GetAttribute(" + attribute + ")", subject);
            if (written.get(ValueLayout.JAVA_LONG, 0) != value.byteSize()) {
                throw new IllegalArgumentException(subject + ": attribute " + attribute + " has " + written.get(ValueLayout.JAVA_LONG, 0) + " bytes, not "
                        + value.byteSize());
            }
            return value;
        }
    }

    @Override
    public void close() {
        handle.close();
    }
}
