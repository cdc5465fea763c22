package dev.upscale.runtime.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.upscale.compile.KernelCatalog;
import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import dev.upscale.runtime.SessionOptions;
import dev.upscale.runtime.StepTrial;
import dev.upscale.runtime.cublaslt.Compute;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** The simulated device (native/cudasim): faults to inject, and its report. Tests that use it are tagged {@code simulated-device}. */
public final class SimulatedDevice {
    /** The tag of such tests: they run in a process of their own. */
    public static final String TAG = "simulated-device";

    private static final int ROOM = 1 << 16;
    private static final String REASON = "the simulated device is not built (no C++ compiler)";

    private SimulatedDevice() {}

    /** Skips a test with a line where the device could not be built. */
    public static void assumeBuilt() {
        assumeTrue(Files.exists(library()), REASON);
    }

    private static Path library() {
        return Path.of(System.getProperty("upscale.cuda", "none")).resolve("libcudasim.so");
    }

    private static MethodHandle function(String name, FunctionDescriptor type) {
        return Linker.nativeLinker().downcallHandle(SymbolLookup.libraryLookup(library(), Arena.global()).findOrThrow(name), type);
    }

    /** Forgets what happened and injects faults from now on, for example {@code alloc:3,launch:10}; {@code capture:1} makes cuDNN refuse to fill graphs. */
    public static void begin(String faults) {
        try (Arena call = Arena.ofConfined()) {
            function("cudasim_begin", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS)).invoke(call.allocateFrom(faults));
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Whether the threads of a block run from the last to the first. */
    public static void backwards(boolean backwards) {
        try {
            function("cudasim_backwards", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT)).invoke(backwards ? 1 : 0);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** The lines of the report that begin with a word: {@code violation}, {@code leak}, {@code failure} or {@code count}. */
    public static List<String> report(String kind) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment text = call.allocate(ROOM);
            long length = (long) function("cudasim_report", FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG))
                    .invoke(text, (long) ROOM);
            assertEquals(true, length < ROOM, "a report that is too long");
            return text.getString(0).lines().filter(line -> line.startsWith(kind + " ")).map(line -> line.substring(kind.length() + 1)).toList();
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * How often something was done since {@link #begin}: {@code launches}, {@code copies}, {@code graphlaunches}, {@code convolutions},
     * {@code products}; {@code rounds}: the nodes on the longest way through the latest graph.
     */
    public static long count(String what) {
        return report("count").stream().filter(line -> line.startsWith(what + " ")).mapToLong(line -> Long.parseLong(line.substring(what.length() + 1)))
                .sum();
    }

    /** Nothing forbidden was done, and nothing is left. */
    public static void assertClean() {
        assertEquals(List.of(), report("violation"));
        assertEquals(List.of(), report("leak"));
    }

    /** Runs step trials on the device: step by step, then twice from the graph, once with threads in the opposite order. */
    public static StepTrial.Platform platform() {
        return new StepTrial.Platform() {
            @Override
            public KernelCatalog.Answer offer(String kernel, Step step) {
                return kernel.equals(MatrixCall.KERNEL) ? MatrixCall.offer(step, Compute.AS_STORED) : CudaKernels.offer(kernel, step);
            }

            @Override
            public String copyKernel() {
                return "cuda.map";
            }

            @Override
            public String target() {
                return "cuda:h100";
            }

            @Override
            public void run(Plan plan, int threads, Map<String, float[]> given, Consumer<Map<String, float[]>> runs) {
                begin("");
                try (Gpu gpu = Gpu.open(0);
                        CudaExecutable executable = CudaExecutable.prepare(plan, gpu);
                        CudaSession session = executable.open(SessionOptions.threads(1))) {
                    runs.accept(session.run(given));
                    runs.accept(session.run(given));
                    backwards(true);
                    runs.accept(session.run(given));
                } finally {
                    backwards(false);
                }
                assertClean();
            }
        };
    }
}
