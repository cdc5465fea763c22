package dev.upscale.runtime.cuda;

import static dev.upscale.bindings.cuda.cuda_h.*;

import dev.upscale.runtime.natives.LibraryReport;
import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The first GPU of this machine, as its driver describes it. */
public final class InstalledDevice {
    private static final String SOURCE = "the driver: ";
    private static final int NAME_BYTES = 256;

    private InstalledDevice() {}

    /** Why no GPU can be used here, in one line; empty if one can. */
    public static Optional<String> obstacle() {
        if (NativeLibraries.find(NativeLibrary.CUDA_DRIVER) instanceof LibraryReport.Missing missing) {
            return Optional.of("no CUDA driver; " + missing.cure());
        }
        try (Arena call = Arena.ofConfined()) {
            MemorySegment count = call.allocate(ValueLayout.JAVA_INT);
            check(cuInit(0), "cuInit", "CUDA driver");
            check(cuDeviceGetCount(count), "cuDeviceGetCount", "CUDA driver");
            return count.get(ValueLayout.JAVA_INT, 0) > 0 ? Optional.empty() : Optional.of("the CUDA driver sees no GPU");
        } catch (NativeError e) {
            return Optional.of(e.getMessage());
        }
    }

    /**
     * The description of the first GPU, with the driver's attribute as the source of each property.
     *
     * @throws NativeError if the driver refuses; there must be no {@link #obstacle}
     */
    public static DeviceDescription describe() {
        check(cuInit(0), "cuInit", "CUDA driver");
        Map<String, Object> properties = new TreeMap<>();
        Map<String, String> sources = new LinkedHashMap<>();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment out = call.allocate(ValueLayout.JAVA_LONG);
            check(cuDeviceGet(out, 0), "cuDeviceGet", "GPU 0");
            int device = out.get(ValueLayout.JAVA_INT, 0);
            ATTRIBUTES.forEach((property, attribute) -> {
                properties.put(property, attribute(device, attribute));
                sources.put(property, SOURCE + "cuDeviceGetAttribute(" + attribute + ")");
            });
            LISTS.forEach((property, attributes) -> {
                properties.put(property, attributes.stream().map(attribute -> attribute(device, attribute)).toList());
                sources.put(property, SOURCE + "cuDeviceGetAttribute" + attributes);
            });
            properties.put("deviceVer", 100 * attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR())
                    + 10 * attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR()));
            sources.put("deviceVer", SOURCE + "100 * major + 10 * minor compute capability");
            properties.put("cudaDeviceId", 0);
            sources.put("cudaDeviceId", "the first device");
            check(cuDriverGetVersion(out), "cuDriverGetVersion", "CUDA driver");
            properties.put("driverVer", out.get(ValueLayout.JAVA_INT, 0));
            sources.put("driverVer", SOURCE + "cuDriverGetVersion");
            check(cuDeviceTotalMem_v2(out, device), "cuDeviceTotalMem", "GPU 0");
            properties.put("totalGlobalMem", out.get(ValueLayout.JAVA_LONG, 0));
            sources.put("totalGlobalMem", SOURCE + "cuDeviceTotalMem");
            MemorySegment name = call.allocate(NAME_BYTES);
            check(cuDeviceGetName(name, NAME_BYTES, device), "cuDeviceGetName", "GPU 0");
            properties.put("deviceName", name.getString(0));
            sources.put("deviceName", SOURCE + "cuDeviceGetName");
        }
        return new DeviceDescription("gpu", properties, sources);
    }

    private static final Map<String, Integer> ATTRIBUTES = Map.ofEntries(
            Map.entry("regsPerBlock", CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK()),
            Map.entry("multiProcessorCount", CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT()),
            Map.entry("smClockRateKHz", CU_DEVICE_ATTRIBUTE_CLOCK_RATE()),
            Map.entry("memClockRateKHz", CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE()),
            Map.entry("l2CacheSize", CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE()),
            Map.entry("warpSize", CU_DEVICE_ATTRIBUTE_WARP_SIZE()),
            Map.entry("maxSharedMemoryPerBlock", CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK()),
            Map.entry("maxSharedMemoryPerBlockOptin", CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN()),
            Map.entry("reservedSharedMemoryPerBlock", CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK()),
            Map.entry("maxRegistersPerSM", CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR()),
            Map.entry("pciDeviceId", CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID()),
            Map.entry("maxCtasPerSM", CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR()),
            Map.entry("maxThreadsPerBlock", CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK()),
            Map.entry("maxThreadsPerSM", CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR()),
            Map.entry("isTccDriver", CU_DEVICE_ATTRIBUTE_TCC_DRIVER()),
            Map.entry("supportCoopLaunch", CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH()));

    private static final Map<String, List<Integer>> LISTS = Map.of(
            "maxGridSize", List.of(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X(), CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y(), CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z()),
            "maxBlockSize",
            List.of(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X(), CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y(), CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z()));

    private static int attribute(int device, int attribute) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment out = call.allocate(ValueLayout.JAVA_INT);
            check(cuDeviceGetAttribute(out, attribute, device), "cuDeviceGetAttribute(" + attribute + ")", "GPU 0");
            return out.get(ValueLayout.JAVA_INT, 0);
        }
    }

    private static void check(int status, String function, String subject) {
        if (status != CUDA_SUCCESS()) {
            try (Arena call = Arena.ofConfined()) {
                MemorySegment text = call.allocate(ValueLayout.ADDRESS);
                boolean named = cuGetErrorName(status, text) == CUDA_SUCCESS();
                throw new NativeError(function, named ? text.get(ValueLayout.ADDRESS, 0).reinterpret(Long.MAX_VALUE).getString(0) : "status " + status,
                        subject);
            }
        }
    }
}
