package dev.upscale.runtime.upscale;

import static dev.upscale.bindings.upscale.upscale_cpu_h.*;

import dev.upscale.runtime.natives.LibraryReport;
import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import dev.upscale.runtime.natives.NativeLibraryMissing;
import java.lang.foreign.MemorySegment;

/** Our own CPU kernels (native/cpu): what the library says about itself, and how its refusals become exceptions. Thread-safe. */
public final class CpuKernels {
    private static final CpuKernels LOADED = new CpuKernels();

    private CpuKernels() {}

    /**
     * The library, loaded.
     *
     * @throws NativeLibraryMissing if it is in none of the places
     */
    public static CpuKernels load() {
        NativeLibraries.require(NativeLibrary.UPSCALE_CPU);
        return LOADED;
    }

    /** Where the library was found. */
    public LibraryReport.Loaded report() {
        return NativeLibraries.require(NativeLibrary.UPSCALE_CPU);
    }

    /** The instruction set in use: {@code generic}, {@code avx2}, {@code avx512}. */
    public String instructionSet() {
        return text(up_isa_name(up_get_isa()));
    }

    /** The best instruction set that this CPU and the build have. */
    public String bestInstructionSet() {
        return text(up_isa_name(up_best_isa()));
    }

    /** Whether the instruction set in use has products of bf16. */
    public boolean hasBf16() {
        return up_conv_bf16_available() != 0;
    }

    /**
     * Forces an instruction set for the whole process: for convolutions packed from now on, and for all other kernels at once.
     *
     * @param name {@code generic}, {@code avx2} or {@code avx512}
     * @throws NativeError if the CPU or the build lacks it
     */
    public void useInstructionSet(String name) {
        int isa = switch (name) {
            case "generic" -> UP_ISA_GENERIC();
            case "avx2" -> UP_ISA_AVX2();
            case "avx512" -> UP_ISA_AVX512();
            default -> throw new IllegalArgumentException("instruction set " + name + ": known are generic, avx2, avx512");
        };
        check(up_set_isa(isa), "up_set_isa", "instruction set " + name);
    }

    static void check(int status, String function, String subject) {
        if (status != 0) {
            throw failure(status, function, subject);
        }
    }

    /** The library says in words what was wrong in this thread's latest call. */
    static NativeError failure(int status, String function, String subject) {
        String words = text(up_last_error());
        return new NativeError(function, text(up_status_text(status)) + (words.isEmpty() ? "" : " (" + words + ")"), subject);
    }

    private static String text(MemorySegment constant) {
        return constant.reinterpret(Long.MAX_VALUE).getString(0);
    }
}
