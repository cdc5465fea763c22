package dev.upscale.plan;

import java.util.List;

/**
 * What a plan for a GPU has beside its steps.
 *
 * @param device the description of the device that it was compiled for, as JSON
 * @param precision in what convolutions multiply: {@code f32}, {@code tf32}, {@code f16} or {@code bf16}
 * @param library the library that made the plans, with its version, e.g. {@code cuDNN 9.24.0}
 * @param libraryPlans the library's own plans that steps name
 */
public record Accelerator(String device, String precision, String library, List<LibraryPlan> libraryPlans) {

    /**
     * A plan in the library's own format, to be loaded by it.
     *
     * @param name what steps call it by
     * @param text for cuDNN: the JSON of an execution plan
     */
    public record LibraryPlan(String name, String text) {}

    public Accelerator {
        libraryPlans = List.copyOf(libraryPlans);
    }
}
