package dev.upscale.cli;

import dev.upscale.plan.Accelerator;
import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanSummary;
import dev.upscale.plan.Step;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The fields that every JSON document has for a plan or variant. */
final class PlanFields {
    /** A copy that is left; where there was a choice, what it and the others are estimated to take, in nanoseconds. */
    record Remaining(String name, String kind, long bytes, String reason, Long nanos, List<Step.Copy.Choice> alternatives) {
        static Remaining of(PlanSummary.Remaining copy) {
            List<Step.Copy.Choice> choices = copy.choices();
            return new Remaining(copy.name(), copy.kind().name().toLowerCase(Locale.ROOT), copy.bytes(), copy.reason(),
                    choices.isEmpty() ? null : choices.getFirst().nanos(), choices.isEmpty() ? choices : choices.subList(1, choices.size()));
        }
    }

    /** Several convolutions in one step: what the steps that this changes are estimated to take, and what they would take otherwise, in nanoseconds. */
    record Merged(String name, long nanos, List<Step.Copy.Choice> alternatives) {}

    /** A workspace that holds a tensor. */
    record Hidden(String name, String kernel, long bytes) {}

    private PlanFields() {}

    /** Each step in whose workspace a library moves a tensor. */
    static List<Hidden> hidden(Plan plan) {
        return plan.steps().stream().filter(step -> PlanSummary.hiddenCopyBytes(step) > 0)
                .map(step -> new Hidden(step.name(), step.kernel(), PlanSummary.hiddenCopyBytes(step))).toList();
    }

    /** Each step that is several convolutions of the model. */
    static List<Merged> merged(Plan plan) {
        return plan.steps().stream().filter(step -> step instanceof Step.Convolve convolve && convolve.choices().isPresent())
                .map(step -> {
                    List<Step.Copy.Choice> choices = ((Step.Convolve) step).choices().orElseThrow();
                    return new Merged(step.name(), choices.getFirst().nanos(), choices.subList(1, choices.size()));
                }).toList();
    }

    static Map<String, Object> of(Plan plan) {
        PlanSummary summary = PlanSummary.of(plan);
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("copies", summary.copies());
        fields.put("copyBytes", summary.copyBytes());
        fields.put("hiddenCopyBytes", summary.hiddenCopyBytes());
        fields.put("foldedBytes", summary.foldedBytes());
        fields.put("consumers", summary.consumers());
        fields.put("views", summary.views());
        fields.put("arenaBytes", summary.arenaBytes());
        fields.put("arenaLowerBoundBytes", summary.arenaLowerBoundBytes());
        fields.put("weightsBytes", summary.weightsBytes());
        fields.put("multiplyAdds", plan.multiplyAdds());
        fields.put("microBatches", plan.microBatches());
        fields.put("steps", plan.steps().size());
        return fields;
    }

    /** With what is left, as {@code explain} and {@code compile} show it. */
    static Map<String, Object> explained(Plan plan) {
        Map<String, Object> fields = of(plan);
        fields.put("model", plan.model());
        fields.put("variant", plan.variant());
        fields.put("target", plan.target());
        plan.accelerator().flatMap(Accelerator::kernels).ifPresent(kernels -> fields.put("kernels", kernels));
        fields.put("merged", merged(plan));
        fields.put("hidden", hidden(plan));
        fields.put("remaining", PlanSummary.of(plan).remaining().stream().map(Remaining::of).toList());
        return fields;
    }
}
