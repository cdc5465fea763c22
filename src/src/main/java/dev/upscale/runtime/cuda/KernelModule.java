package dev.upscale.runtime.cuda;

import static dev.upscale.bindings.cuda.cuda_h.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;

/** Our kernels, loaded into a context. It lives as long as the resources that it was made with. One thread at a time. */
final class KernelModule {
    private final MemorySegment module;
    private final String origin;
    private final Map<String, MemorySegment> functions = new HashMap<>();

    KernelModule(KernelImage image, DeviceResources resources) {
        origin = image.origin();
        String subject = "the CUDA kernels (" + origin + ")";
        try (Arena call = Arena.ofConfined()) {
            MemorySegment code = call.allocateFrom(ValueLayout.JAVA_BYTE, image.code());
            module = CudaDriver.handle("cuModuleLoadData", subject, out -> cuModuleLoadData(out, code));
        }
        resources.add("cuModuleUnload", subject, () -> cuModuleUnload(module));
    }

    /** Where the code came from. */
    String origin() {
        return origin;
    }

    synchronized MemorySegment function(String name) {
        return functions.computeIfAbsent(name, absent -> {
            try (Arena call = Arena.ofConfined()) {
                MemorySegment text = call.allocateFrom(name);
                return CudaDriver.handle("cuModuleGetFunction", name, out -> cuModuleGetFunction(out, module, text));
            }
        });
    }
}
