package dev.upscale.runtime.cuda;

import dev.upscale.compile.KernelCatalog;
import dev.upscale.compile.KernelCatalog.Answer;
import dev.upscale.compile.KernelCatalog.Refusal;
import dev.upscale.graph.Op;
import dev.upscale.plan.Element;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import java.util.List;

/** What the kernels of {@code native/cuda} can do; see {@code upscale_cuda.h} for what each computes. */
final class OurKernels {
    /** Loops of {@code up_map}. */
    private static final int MAP_LOOPS = 5;

    /** Loops of the kept and of the reduced dimensions, of rows and of what is in a row. */
    private static final int ROW_LOOPS = 3;

    private OurKernels() {}

    static Answer offer(String kernel, Step step) {
        String refusal = refusal(kernel, step);
        return refusal.isEmpty() ? new KernelCatalog.Offer(0, kernel) : new Refusal(refusal);
    }

    private static String refusal(String kernel, Step step) {
        if (step.destination().element() == Element.BF16 || step.sources().stream().anyMatch(source -> source.view().element() == Element.BF16)) {
            return "has no bf16";
        }
        return switch (kernel) {
            case "cuda.map" -> step.destination().rank() > MAP_LOOPS ? "has " + MAP_LOOPS + " loops, not " + step.destination().rank() : "";
            case "cuda.pool", "cuda.resize", "cuda.pad", "cuda.convolve" -> images(step);
            case "cuda.reduce" -> reduce((Op.Reduce) ((Step.Compute) step).op(), step.sources().getFirst());
            case "cuda.softmax", "cuda.layernorm" -> rows(step);
            case "cuda.matmul" -> step.destination().rank() > 4 ? "has two batch loops" : "";
            default -> "does not exist";
        };
    }

    private static String images(Step step) {
        boolean images = isImage(step.destination()) && step.sources().stream().map(Operand::view)
                .filter(view -> view.place().kind() != View.Place.Kind.CONSTANT).allMatch(OurKernels::isImage);
        return images ? "" : "reads and writes images";
    }

    private static boolean isImage(View view) {
        return view.rank() == 4 || view.rank() == 2;
    }

    private static String reduce(Op.Reduce reduce, Operand source) {
        int kept = source.view().rank() - reduce.axes().size();
        return kept > ROW_LOOPS || reduce.axes().size() > ROW_LOOPS ? "has " + ROW_LOOPS + " loops" : "";
    }

    private static String rows(Step step) {
        List<Operand> sources = step.sources();
        if (sources.getFirst().isIndexed()) {
            return "reads no channels by index";
        }
        return step.destination().rank() > ROW_LOOPS + 1 ? "has " + ROW_LOOPS + " loops" : "";
    }
}
