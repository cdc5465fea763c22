package dev.upscale.runtime.cuda;

import static dev.upscale.bindings.cuda.cuda_h.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.runtime.cudnn.Handle;
import dev.upscale.runtime.cudnn.LoadedPlan;
import dev.upscale.runtime.natives.NativeError;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the simulated device is there for: each mistake is made once, and it must tell. */
@Tag(SimulatedDevice.TAG)
class SimulatedDeviceTest {
    private static final long BYTES = 1024;

    @BeforeAll
    static void simulatedDevice() {
        SimulatedDevice.assumeBuilt();
    }

    /** Makes a mistake, frees what was made, and tells what the device says of it. */
    private static String violation(Consumer<DeviceResources> mistake) {
        SimulatedDevice.begin("");
        try (Gpu gpu = Gpu.open(0)) {
            gpu.enter();
            try (DeviceResources resources = new DeviceResources(gpu)) {
                mistake.accept(resources);
                gpu.fail();
            }
        }
        assertFalse(SimulatedDevice.report("violation").isEmpty(), "nothing was told");
        return SimulatedDevice.report("violation").getFirst();
    }

    @Test
    void aUseAfterTheFree() {
        String told = violation(resources -> {
            long address = CudaDriver.longNumber("cuMemAlloc", "test", out -> cuMemAlloc_v2(out, BYTES));
            assertEquals(CUDA_SUCCESS(), cuMemFree_v2(address));
            MemorySegment stream = resources.stream("test");
            assertEquals(CUDA_SUCCESS(), cuMemsetD8Async(address, (byte) 0, BYTES, stream));
            assertEquals(CUDA_ERROR_ILLEGAL_ADDRESS(), cuStreamSynchronize(stream));
            assertEquals(CUDA_ERROR_ILLEGAL_ADDRESS(), cuStreamSynchronize(stream), "an error of the device stays");
        });
        assertTrue(told.contains("freed"), told);
    }

    @Test
    void anAccessBeyondTheEnd() {
        String told = violation(resources -> {
            long address = resources.memory("test", BYTES);
            MemorySegment stream = resources.stream("test");
            cuMemsetD8Async(address + 4, (byte) 0, BYTES, stream);
            assertEquals(CUDA_ERROR_ILLEGAL_ADDRESS(), cuStreamSynchronize(stream));
        });
        assertTrue(told.contains("beyond the end"), told);
    }

    @Test
    void aReadOfWhatNothingWrote() {
        String told = violation(resources -> {
            long address = resources.memory("test", BYTES);
            MemorySegment stream = resources.stream("test");
            cuMemcpyDtoHAsync_v2(resources.pinned("test", BYTES), address, BYTES, stream);
            assertEquals(CUDA_ERROR_ILLEGAL_ADDRESS(), cuStreamSynchronize(stream));
        });
        assertTrue(told.contains("nothing has written"), told);
    }

    @Test
    void streamsThatDoNotWaitForEachOther() {
        String told = violation(resources -> {
            long address = resources.memory("test", BYTES);
            MemorySegment writer = resources.stream("writer");
            MemorySegment reader = resources.stream("reader");
            MemorySegment host = resources.pinned("test", BYTES);
            MemorySegment event = resources.event("written");
            cuMemsetD8Async(address, (byte) 1, BYTES, writer);
            cuEventRecord(event, writer);
            cuStreamWaitEvent(reader, event, 0);
            cuMemcpyDtoHAsync_v2(host, address, BYTES, reader);
            assertEquals(CUDA_SUCCESS(), cuStreamSynchronize(reader), "a stream that waits may read");
            assertEquals(java.util.List.of(), SimulatedDevice.report("violation"));
            assertEquals(1, host.get(ValueLayout.JAVA_BYTE, 0));
            cuMemsetD8Async(address, (byte) 2, BYTES, writer);
            cuStreamQuery(writer);
            MemorySegment other = resources.stream("never waited for");
            cuMemsetD8Async(resources.memory("other", BYTES), (byte) 2, BYTES, other);      // so that the host knows of nothing
            cuStreamSynchronize(writer);
            cuMemcpyDtoHAsync_v2(host, address, BYTES, reader);
            cuStreamSynchronize(reader);
        });
        assertTrue(told.contains("another stream"), told);
    }

    @Test
    void aWriteThatDoesNotWaitForAllWhoRead() {
        String told = violation(resources -> {
            long address = resources.memory("test", BYTES);
            MemorySegment[] readers = {resources.stream("first reader"), resources.stream("second reader")};
            MemorySegment writer = resources.stream("writer");
            MemorySegment[] read = {resources.event("first has read"), resources.event("second has read")};
            cuMemsetD8Async(address, (byte) 1, BYTES, writer);
            cuStreamSynchronize(writer);
            for (int i = 0; i < readers.length; i++) {
                cuMemcpyDtoHAsync_v2(resources.pinned("test", BYTES), address, BYTES, readers[i]);
                cuEventRecord(read[i], readers[i]);
                cuStreamWaitEvent(writer, read[i], 0);
            }
            cuMemsetD8Async(address, (byte) 2, BYTES, writer);
            assertEquals(CUDA_SUCCESS(), cuStreamSynchronize(writer), "it has waited for both");
            assertEquals(java.util.List.of(), SimulatedDevice.report("violation"));
            for (int i = 0; i < readers.length; i++) {
                cuMemcpyDtoHAsync_v2(resources.pinned("test", BYTES), address, BYTES, readers[i]);
                cuEventRecord(read[i], readers[i]);
            }
            MemorySegment pending = resources.stream("never waited for");
            cuMemsetD8Async(resources.memory("other", BYTES), (byte) 2, BYTES, pending);      // so that the host knows of nothing
            cuStreamSynchronize(readers[0]);
            cuStreamSynchronize(readers[1]);
            cuStreamWaitEvent(writer, read[1], 0);
            cuMemsetD8Async(address, (byte) 3, BYTES, writer);
            cuStreamSynchronize(writer);
        });
        assertTrue(told.contains("may still be reading"), told);
    }

    @Test
    void theHostSeesNothingBeforeItWaits() {
        SimulatedDevice.begin("");
        try (Gpu gpu = Gpu.open(0)) {
            gpu.enter();
            try (DeviceResources resources = new DeviceResources(gpu)) {
                long address = resources.memory("test", BYTES);
                MemorySegment stream = resources.stream("test");
                MemorySegment host = resources.pinned("test", BYTES);
                host.fill((byte) 7);
                cuMemsetD8Async(address, (byte) 1, BYTES, stream);
                cuMemcpyDtoHAsync_v2(host, address, BYTES, stream);
                assertEquals((byte) 0xff, host.get(ValueLayout.JAVA_BYTE, 0));
                cuStreamSynchronize(stream);
                assertEquals(1, host.get(ValueLayout.JAVA_BYTE, 0));
            }
        }
        SimulatedDevice.assertClean();
    }

    @Test
    void anErrorThatNobodyHandles() {
        String told = violation(resources -> {
            long address = resources.memory("test", BYTES);
            MemorySegment stream = resources.stream("test");
            SimulatedDevice.begin("alloc:1");
            assertThrows(RuntimeException.class, () -> resources.memory("test", BYTES));
            cuMemsetD8Async(address, (byte) 0, BYTES, stream);
            cuStreamSynchronize(stream);
        });
        assertTrue(told.contains("not handled"), told);
    }

    @Test
    void memoryThatIsFreedWhileWorkIsPending() {
        String told = violation(resources -> {
            long address = CudaDriver.longNumber("cuMemAlloc", "test", out -> cuMemAlloc_v2(out, BYTES));
            cuMemsetD8Async(address, (byte) 0, BYTES, resources.stream("test"));
            cuMemFree_v2(address);
        });
        assertTrue(told.contains("pending"), told);
    }

    @Test
    void leaksAreTold() {
        SimulatedDevice.begin("");
        try (Gpu gpu = Gpu.open(0)) {
            gpu.enter();
            long address = CudaDriver.longNumber("cuMemAlloc", "test", out -> cuMemAlloc_v2(out, BYTES));
            assertTrue(SimulatedDevice.report("leak").contains("device memory of " + BYTES + " bytes"));
            cuMemFree_v2(address);
        }
        SimulatedDevice.assertClean();
    }

    @Test
    void plansThatAreNotItsOwn() {
        SimulatedDevice.begin("");
        try (Gpu gpu = Gpu.open(0)) {
            gpu.enter();
            try (Handle handle = Handle.create()) {
                NativeError error = assertThrows(NativeError.class, () -> LoadedPlan.load(handle, "test", "{}", Map.of(1L, 256L), 0, 0));
                assertTrue(error.getMessage().contains("did not make"), error.getMessage());
            }
        }
        SimulatedDevice.assertClean();
    }
}
