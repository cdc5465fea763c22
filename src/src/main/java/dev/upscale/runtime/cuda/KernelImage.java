package dev.upscale.runtime.cuda;

import static dev.upscale.bindings.nvrtc.nvrtc_h.*;

import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Our kernels for one compute capability: the cubin that the build made, or else its PTX, or else what NVRTC makes of the sources.
 *
 * @param origin for reports: {@code cubin sm_90}, {@code PTX}, {@code NVRTC sm_89}
 * @param code with a zero behind it, as the driver wants PTX
 */
record KernelImage(String origin, byte[] code) {
    private static final String FOLDER = "/dev/upscale/cuda/";
    private static final int OLDEST = 80;

    static KernelImage of(int capability) {
        Optional<byte[]> cubin = read("kernels.sm_" + capability + ".cubin");
        if (cubin.isPresent()) {
            return new KernelImage("cubin sm_" + capability, cubin.get());
        }
        Optional<byte[]> ptx = read("kernels.ptx");
        if (ptx.isPresent() && capability >= OLDEST) {
            return new KernelImage("PTX", Arrays.copyOf(ptx.get(), ptx.get().length + 1));
        }
        return new KernelImage("NVRTC sm_" + capability, compile(capability));
    }

    private static Optional<byte[]> read(String name) {
        try (InputStream in = KernelImage.class.getResourceAsStream(FOLDER + name)) {
            return in == null ? Optional.empty() : Optional.of(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String text(String name) {
        return read(name).map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                .orElseThrow(() -> new IllegalStateException("the jar lacks " + FOLDER + name));
    }

    /** Compiles the packaged sources. */
    static byte[] compile(int capability) {
        NativeLibraries.require(NativeLibrary.NVRTC);
        List<String> names = text("sources.txt").lines().filter(name -> !name.equals("kernels.cu")).toList();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment program = call.allocate(ValueLayout.ADDRESS);
            check(nvrtcCreateProgram(program, call.allocateFrom(text("kernels.cu")), call.allocateFrom("kernels.cu"), names.size(),
                    strings(call, names.stream().map(KernelImage::text).toList()), strings(call, names)), "nvrtcCreateProgram", "");
            MemorySegment handle = program.get(ValueLayout.ADDRESS, 0);
            try {
                List<String> options = List.of("--gpu-architecture=sm_" + capability, "--std=c++17");
                int status = nvrtcCompileProgram(handle, options.size(), strings(call, options));
                check(status, "nvrtcCompileProgram", status == NVRTC_SUCCESS() ? "" : log(call, handle));
                MemorySegment size = call.allocate(ValueLayout.JAVA_LONG);
                check(nvrtcGetCUBINSize(handle, size), "nvrtcGetCUBINSize", "");
                MemorySegment code = call.allocate(size.get(ValueLayout.JAVA_LONG, 0));
                check(nvrtcGetCUBIN(handle, code), "nvrtcGetCUBIN", "");
                return code.toArray(ValueLayout.JAVA_BYTE);
            } finally {
                nvrtcDestroyProgram(program);
            }
        }
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
