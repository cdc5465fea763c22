package dev.upscale.runtime.cuda;

import static dev.upscale.bindings.nvrtc.nvrtc_h.*;

import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** NVRTC on our kernels' sources: compiles those that are asked for, and no others. Needs no GPU. Stateless. */
final class KernelCompiler {
    private static final String MAIN = "kernels.cu";

    private KernelCompiler() {}

    /**
     * What came out.
     *
     * @param architecture {@code sm_89}: a cubin; {@code compute_89}: PTX with a zero behind it
     * @param compiler NVRTC and its version
     * @param functions the kernels in it
     */
    record Compiled(String architecture, String compiler, SortedSet<String> functions, byte[] code) {}

    /**
     * Compiles kernels for a compute capability: to a cubin, or to the newest PTX that NVRTC makes where the device is newer than it.
     *
     * @param functions names such as {@code up_map_f16_f32}
     * @throws dev.upscale.runtime.natives.NativeLibraryMissing if NVRTC is in none of the places
     * @throws NativeError if NVRTC fails; with its log
     */
    static Compiled compile(SortedSet<String> functions, int capability) {
        NativeLibraries.require(NativeLibrary.NVRTC);
        List<String> headers = PackagedKernels.sources();
        try (Arena call = Arena.ofConfined()) {
            String architecture = architecture(call, capability);
            MemorySegment program = call.allocate(ValueLayout.ADDRESS);
            check(nvrtcCreateProgram(program, call.allocateFrom(program(functions)), call.allocateFrom("plan.cu"), headers.size(),
                    strings(call, headers.stream().map(PackagedKernels::source).toList()), strings(call, headers)), "nvrtcCreateProgram", "");
            MemorySegment handle = program.get(ValueLayout.ADDRESS, 0);
            try {
                List<String> options = List.of("--gpu-architecture=" + architecture, "--std=c++17");
                int status = nvrtcCompileProgram(handle, options.size(), strings(call, options));
                check(status, "nvrtcCompileProgram", status == NVRTC_SUCCESS() ? "" : log(call, handle));
                return new Compiled(architecture, "NVRTC " + CudaVersions.of(NativeLibrary.NVRTC), functions, code(call, handle, architecture));
            } finally {
                nvrtcDestroyProgram(program);
            }
        }
    }

    /** The sources, without the instances that each would make of its kernels, and then the wanted ones: UP_MAP(f16, f32) makes up_map_f16_f32. */
    private static String program(SortedSet<String> functions) {
        return functions.stream().map(KernelCompiler::instance).collect(Collectors.joining("\n", """
                #include "portable.h"
                #undef UP_EACH_TYPE
                #define UP_EACH_TYPE(kernel)
                #include "%s"
                """.formatted(MAIN), "\n"));
    }

    private static String instance(String function) {
        String[] parts = function.split("_");
        if (parts.length != 4 || !parts[0].equals("up")) {
            throw new IllegalArgumentException(function + " is no kernel's name: up_KERNEL_SOURCE_DESTINATION");
        }
        return "UP_%s(%s, %s)".formatted(parts[1].toUpperCase(Locale.ROOT), parts[2], parts[3]);
    }

    private static String architecture(Arena call, int capability) {
        MemorySegment count = call.allocate(ValueLayout.JAVA_INT);
        check(nvrtcGetNumSupportedArchs(count), "nvrtcGetNumSupportedArchs", "");
        int[] known = new int[count.get(ValueLayout.JAVA_INT, 0)];
        MemorySegment list = call.allocate(ValueLayout.JAVA_INT, Math.max(1, known.length));
        check(nvrtcGetSupportedArchs(list), "nvrtcGetSupportedArchs", "");
        MemorySegment.copy(list, ValueLayout.JAVA_INT, 0, known, 0, known.length);
        return architecture(known, capability);
    }

    /** The device's own architecture if NVRTC knows it, else the newest one before it, virtual. */
    static String architecture(int[] known, int capability) {
        if (IntStream.of(known).anyMatch(other -> other == capability)) {
            return "sm_" + capability;
        }
        return "compute_" + IntStream.of(known).filter(other -> other < capability).max().orElseThrow(() -> new NativeError("nvrtcGetSupportedArchs",
                "knows no architecture as old as " + capability, "the CUDA kernels"));
    }

    private static byte[] code(Arena call, MemorySegment program, String architecture) {
        MemorySegment size = call.allocate(ValueLayout.JAVA_LONG);
        boolean isPtx = architecture.startsWith("compute");
        check(isPtx ? nvrtcGetPTXSize(program, size) : nvrtcGetCUBINSize(program, size), "size of the code", "");
        MemorySegment code = call.allocate(size.get(ValueLayout.JAVA_LONG, 0));
        check(isPtx ? nvrtcGetPTX(program, code) : nvrtcGetCUBIN(program, code), isPtx ? "nvrtcGetPTX" : "nvrtcGetCUBIN", "");
        return code.toArray(ValueLayout.JAVA_BYTE);
    }

    private static MemorySegment strings(Arena arena, List<String> texts) {
        List<MemorySegment> made = new ArrayList<>();
        texts.forEach(text -> made.add(arena.allocateFrom(text)));
        MemorySegment array = arena.allocate(ValueLayout.ADDRESS, Math.max(1, made.size()));
        for (int i = 0; i < made.size(); i++) {
            array.setAtIndex(ValueLayout.ADDRESS, i, made.get(i));
        }
        return array;
    }

    private static String log(Arena call, MemorySegment program) {
        MemorySegment size = call.allocate(ValueLayout.JAVA_LONG);
        nvrtcGetProgramLogSize(program, size);
        MemorySegment text = call.allocate(Math.max(1, size.get(ValueLayout.JAVA_LONG, 0)));
        nvrtcGetProgramLog(program, text);
        return text.getString(0).strip().replaceAll("\\s*\\R\\s*", " | ");
    }

    private static void check(int status, String function, String log) {
        if (status != NVRTC_SUCCESS()) {
            String name = nvrtcGetErrorString(status).reinterpret(Long.MAX_VALUE).getString(0);
            throw new NativeError(function, log.isEmpty() ? name : name + " (" + log + ")", "the CUDA kernels");
        }
    }
}
