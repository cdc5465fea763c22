package dev.upscale.runtime.cuda;

import static dev.upscale.bindings.cuda.cuda_h.*;

import dev.upscale.runtime.natives.LibraryReport;
import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * A CUDA device whose primary context is held while this is open. Thread-safe; to be closed after everything that was made on it.
 */
public final class Gpu implements AutoCloseable {
    private static final int NAME_BYTES = 256;
    private static final String SIMULATED = "simulated device";

    private final int device;
    private final String name;
    private final int capability;
    private final MemorySegment context;
    private boolean closed;
    private volatile boolean failed;

    private Gpu(int device, String name, int capability, MemorySegment context) {
        this.device = device;
        this.name = name;
        this.capability = capability;
        this.context = context;
    }

    /** Why no device can be used here, or empty if one can. */
    public static Optional<String> obstacle() {
        if (NativeLibraries.find(NativeLibrary.CUDA_DRIVER) instanceof LibraryReport.Missing missing) {
            return Optional.of("no CUDA driver: " + missing.cure());
        }
        try {
            return deviceCount() == 0 ? Optional.of("the CUDA driver finds no GPU") : Optional.empty();
        } catch (NativeError e) {
            return Optional.of(e.getMessage());
        }
    }

    private static int deviceCount() {
        CudaDriver.check(cuInit(0), "cuInit", "CUDA");
        return CudaDriver.number("cuDeviceGetCount", "CUDA", out -> cuDeviceGetCount(out));
    }

    /**
     * The device of that number, from 0.
     *
     * @throws dev.upscale.runtime.natives.NativeLibraryMissing if there is no CUDA driver
     * @throws NativeError if there is no such device, or it cannot be used
     */
    public static Gpu open(int ordinal) {
        NativeLibraries.require(NativeLibrary.CUDA_DRIVER);
        String subject = "GPU " + ordinal;
        deviceCount();
        int device = CudaDriver.number("cuDeviceGet", subject, out -> cuDeviceGet(out, ordinal));
        int major = attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR(), subject);
        int minor = attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR(), subject);
        MemorySegment context = CudaDriver.handle("cuDevicePrimaryCtxRetain", subject, out -> cuDevicePrimaryCtxRetain(out, device));
        return new Gpu(device, name(device, subject), 10 * major + minor, context);
    }

    private static int attribute(int device, int attribute, String subject) {
        return CudaDriver.number("cuDeviceGetAttribute", subject, out -> cuDeviceGetAttribute(out, attribute, device));
    }

    private static String name(int device, String subject) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment text = call.allocate(NAME_BYTES);
            CudaDriver.check(cuDeviceGetName(text, NAME_BYTES, device), "cuDeviceGetName", subject);
            return text.getString(0);
        }
    }

    public String name() {
        return name;
    }

    /** The compute capability, for example 90 for 9.0. */
    public int capability() {
        return capability;
    }

    /** Whether this is the tests' simulated device, on which nothing can be timed. */
    public boolean isSimulated() {
        return name.startsWith(SIMULATED);
    }

    /** The version of the driver, for example {@code 13.0}. */
    public static String driverVersion() {
        int version = CudaDriver.number("cuDriverGetVersion", "CUDA", out -> cuDriverGetVersion(out));
        return version / 1000 + "." + version % 1000 / 10;
    }

    /** Makes the context current on this thread: before every other call. */
    void enter() {
        if (closed) {
            throw new IllegalStateException(this + " is closed");
        }
        CudaDriver.check(cuCtxSetCurrent(context), "cuCtxSetCurrent", toString());
    }

    /** Work on the device has failed: from now on every call fails, which says nothing new. */
    void fail() {
        failed = true;
    }

    boolean hasFailed() {
        return failed;
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            int status = cuDevicePrimaryCtxRelease_v2(device);
            if (!failed) {
                CudaDriver.check(status, "cuDevicePrimaryCtxRelease", toString());
            }
        }
    }

    @Override
    public String toString() {
        return name + " (GPU " + device + ", compute capability " + capability / 10 + "." + capability % 10 + ")";
    }
}
