package dev.upscale.runtime.cuda;

import dev.upscale.graph.InvalidInput;
import dev.upscale.plan.Accelerator;
import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import dev.upscale.runtime.natives.LibraryReport;
import dev.upscale.runtime.natives.NativeError;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Those of our kernels that a plan needs: compiled into it where the jar holds no binary for its device, so that loading it compiles
 * nothing. Stateless.
 */
final class PlanKernels {
    private PlanKernels() {}

    /** The functions that the plan's steps launch. */
    static SortedSet<String> functions(Plan plan) {
        PlanMemory nowhere = new PlanMemory(plan, new ConstantArea(plan.constants()));
        SortedSet<String> functions = new TreeSet<>();
        for (Step step : plan.steps()) {
            if (step.kernel().startsWith("cuda.")) {
                functions.add(CudaKernels.launch(step.kernel(), step, nowhere).kernel());
            }
        }
        return functions;
    }

    /** Why kernels cannot be compiled into plans here, or empty if they can: in one sentence that goes on from what the jar lacks. */
    static Optional<String> obstacle() {
        return NativeLibraries.find(NativeLibrary.NVRTC) instanceof LibraryReport.Missing missing
                ? Optional.of("NVRTC, which compiles them, is missing: build where nvcc is, or " + missing.cure())
                : Optional.empty();
    }

    /**
     * Compiles the kernels of a plan for a device; nothing where the plan needs none or the jar holds a binary.
     *
     * @throws InvalidInput if NVRTC would have to compile them and is missing or fails
     */
    static Optional<KernelCompiler.Compiled> compile(Plan plan, DeviceDescription device) {
        int capability = device.capability() / 10;
        SortedSet<String> functions = functions(plan);
        if (functions.isEmpty() || PackagedKernels.runOn(capability)) {
            return Optional.empty();
        }
        String target = "--target cuda:" + device.name() + ": ";
        obstacle().ifPresent(obstacle -> {
            throw new InvalidInput(target + "this build holds no binary of our kernels for compute capability " + capability / 10 + "."
                    + capability % 10 + ", and " + obstacle);
        });
        try {
            return Optional.of(KernelCompiler.compile(functions, capability));
        } catch (NativeError e) {
            throw new InvalidInput(target + e.getMessage() + "; name the folder of another NVRTC with --cuda, or build where nvcc is", e);
        }
    }

    /** The code for a plan on a device: the plan's own, or else the jar's binary, or else what NVRTC makes now. */
    static KernelImage image(Plan plan, SortedSet<String> functions, int capability) {
        return own(plan, functions, capability)
                .or(() -> PackagedKernels.binary(capability))
                .orElseGet(() -> {
                    KernelCompiler.Compiled compiled = KernelCompiler.compile(functions, capability);
                    return new KernelImage(compiled.compiler() + ", " + compiled.architecture(), compiled.code());
                });
    }

    private static Optional<KernelImage> own(Plan plan, SortedSet<String> functions, int capability) {
        return plan.accelerator().flatMap(Accelerator::kernels)
                .filter(kernels -> runsOn(kernels.architecture(), capability) && kernels.functions().containsAll(functions))
                .map(kernels -> new KernelImage("plan, " + kernels.compiler() + ", " + kernels.architecture(),
                        bytes(plan.constants().get(kernels.code()).data())));
    }

    private static byte[] bytes(ByteBuffer data) {
        byte[] bytes = new byte[data.remaining()];
        data.get(bytes);
        return bytes;
    }

    /** Cubins run on later devices of the same generation, PTX on all later ones. */
    static boolean runsOn(String architecture, int capability) {
        String[] parts = architecture.split("_");
        if (parts.length != 2 || !parts[1].matches("[0-9]{2,3}")) {
            return false;
        }
        int compiledFor = Integer.parseInt(parts[1]);
        return switch (parts[0]) {
            case "sm" -> compiledFor / 10 == capability / 10 && compiledFor <= capability;
            case "compute" -> compiledFor <= capability;
            default -> false;
        };
    }
}
