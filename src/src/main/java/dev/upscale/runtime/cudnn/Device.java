package dev.upscale.runtime.cudnn;

import static dev.upscale.bindings.cudnn.cudnn_h.*;

/**
 * A device that plans are built for, by its description ({@code CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR}); it need not be in this machine.
 * Safe for use by any number of threads; to be closed.
 */
public final class Device implements AutoCloseable {
    private final Descriptor descriptor;

    private Device(Descriptor descriptor) {
        this.descriptor = descriptor;
    }

    /**
     * @param name for errors
     * @param json the properties, as cuDNN names them
     * @throws dev.upscale.runtime.natives.NativeError if one is missing or senseless; with the library's words
     */
    public static Device describedBy(String name, String json) {
        CuDnn.require();
        return new Device(Descriptor.make(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR(), "device " + name,
                made -> made.setText(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION(), json)));
    }

    Descriptor descriptor() {
        return descriptor;
    }

    @Override
    public void close() {
        descriptor.close();
    }
}
