package dev.upscale.runtime.cuda;

import dev.upscale.plan.Element;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.runtime.cudnn.Handle;
import dev.upscale.runtime.cudnn.LoadedPlan;
import java.util.LinkedHashMap;
import java.util.Map;

/** {@code cudnn.conv} and {@code cudnn.fused}: a plan that cuDNN made for a convolution, on a session's memory. */
final class ConvolutionCall {
    private ConvolutionCall() {}

    /** Where the tensors of {@link ConvolutionGraph} lie. */
    static Map<Long, Long> addresses(Step.Convolve step, PlanMemory memory) {
        Element element = step.destination().element();
        Map<Long, Long> addresses = new LinkedHashMap<>();
        addresses.put(ConvolutionGraph.X, memory.of(step.source().view(), element));
        addresses.put(ConvolutionGraph.W, memory.filter(step.weights(), element));
        addresses.put(ConvolutionGraph.Y, memory.of(step.destination(), element));
        if (!step.bias().isEmpty()) {
            addresses.put(ConvolutionGraph.BIAS, memory.constant(step.bias(), element));
        }
        step.addend().map(Operand::view).ifPresent(addend -> addresses.put(ConvolutionGraph.ADDEND, memory.of(addend, element)));
        return addresses;
    }

    static LoadedPlan load(Step.Convolve step, String json, Handle handle, PlanMemory memory) {
        long workspace = step.workspace().map(view -> memory.of(view, view.element())).orElse(0L);
        long bytes = step.workspace().map(View::bytes).orElse(0L);
        return LoadedPlan.load(handle, step.name(), json, addresses(step, memory), workspace, bytes);
    }
}
