package dev.upscale.runtime.cpu;

import dev.upscale.compile.KernelCatalog;
import dev.upscale.plan.Step;
import dev.upscale.runtime.kernel.Engine;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.KernelFailure;
import dev.upscale.runtime.kernel.Preparation;
import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import dev.upscale.runtime.portable.PortableEngine;
import dev.upscale.runtime.upscale.CpuKernels;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * All kernels of the CPU. Libraries are looked for and loaded when the catalog is first asked; one that is missing has no kernels.
 * Thread-safe.
 */
public final class CpuCatalog implements KernelCatalog {
    private final Map<String, Engine> engines;

    private CpuCatalog(Map<String, Engine> engines) {
        this.engines = engines;
    }

    /** The engines of this machine. */
    public static CpuCatalog ofMachine() {
        return Machine.CATALOG;
    }

    /** Whether kernels {@code .bf16} can be had on this machine. */
    public static boolean hasBf16() {
        return ofMachine().engines().contains("upscale") && CpuKernels.load().hasBf16();
    }

    /** Libraries that are there and refuse to work, with their words. */
    public static Map<NativeLibrary, String> refusals() {
        ofMachine();
        return Collections.unmodifiableMap(Machine.REFUSALS);
    }

    private static final class Machine {
        private static final Map<NativeLibrary, String> REFUSALS = new EnumMap<>(NativeLibrary.class);
        private static final CpuCatalog CATALOG = new CpuCatalog(available());

        private static Map<String, Engine> available() {
            Map<String, Engine> engines = new LinkedHashMap<>();
            add(engines, NativeLibrary.UPSCALE_CPU, UpscaleEngine::new);
            add(engines, NativeLibrary.ONEDNN, OneDnnEngine::new);
            add(engines, NativeLibrary.XNNPACK, XnnpackEngine::new);
            Engine java = new PortableEngine();
            engines.put(java.name(), java);
            return engines;
        }

        /** A library that does not serve this CPU is as good as missing. */
        private static void add(Map<String, Engine> engines, NativeLibrary library, Supplier<Engine> maker) {
            if (NativeLibraries.isAvailable(library)) {
                try {
                    Engine engine = maker.get();
                    engines.put(engine.name(), engine);
                } catch (NativeError e) {
                    REFUSALS.put(library, e.getMessage());
                }
            }
        }
    }

    @Override
    public Set<String> engines() {
        return Collections.unmodifiableSet(engines.keySet());
    }

    @Override
    public Answer offer(String kernel, Step step) {
        Engine engine = engines.get(engineOf(kernel));
        return engine == null ? new Refusal("no engine " + engineOf(kernel) + " here") : engine.offer(kernel, step);
    }

    /**
     * Prepares the kernel that a step names.
     *
     * @throws KernelFailure if its engine is not here or refuses; the message names step and kernel and says why
     */
    public Kernel prepare(Step step, Preparation preparation) {
        Engine engine = engines.get(engineOf(step.kernel()));
        try {
            if (engine == null) {
                throw new IllegalArgumentException("no engine " + engineOf(step.kernel()) + " here, only "
                        + String.join(", ", engines.keySet()) + "; compile with --engines of these, or bring its library (doctor says from where)");
            }
            return engine.prepare(step, preparation);
        } catch (RuntimeException e) {
            throw new KernelFailure(step.name(), step.kernel(), e);
        }
    }

    private static String engineOf(String kernel) {
        int dot = kernel.indexOf('.');
        return dot < 0 ? kernel : kernel.substring(0, dot);
    }
}
