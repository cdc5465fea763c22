package dev.upscale.plan;

import java.util.List;
import java.util.Optional;

/**
 * What a plan for a GPU has beside its steps.
 *
 * @param device the description of the device that it was compiled for, as JSON
 * @param precision in what convolutions multiply: {@code f32}, {@code tf32}, {@code f16} or {@code bf16}
 * @param library the library that made the plans, with its version, e.g. {@code cuDNN 9.24.0}
 * @param libraryPlans the library's own plans that steps name
 * @param kernels code of our kernels; absent where the runtime brings a binary for the device
 */
public record Accelerator(String device, String precision, String library, List<LibraryPlan> libraryPlans, Optional<KernelCode> kernels) {

    /**
     * A plan in the library's own format, to be loaded by it.
     *
     * @param name what steps call it by
     * @param text for cuDNN: the JSON of an execution plan
     */
    public record LibraryPlan(String name, String text) {}

    /**
     * Those of our kernels that the steps need, compiled.
     *
     * @param architecture {@code sm_89}: a cubin for compute capability 8.9 and later ones of 8; {@code compute_89}: PTX, for 8.9 and all later ones
     * @param compiler what made it, with its version, e.g. {@code NVRTC 13.0}
     * @param functions the names of the kernels in it, sorted
     * @param code the name of the constant of type {@link Constant.Type#I8} that holds it, as the driver's {@code cuModuleLoadData} takes it
     */
    public record KernelCode(String architecture, String compiler, List<String> functions, String code) {
        public KernelCode {
            functions = List.copyOf(functions);
        }
    }

    public Accelerator {
        libraryPlans = List.copyOf(libraryPlans);
    }
}
