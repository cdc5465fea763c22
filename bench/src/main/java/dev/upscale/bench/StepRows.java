package dev.upscale.bench;

import dev.upscale.graph.Op;
import dev.upscale.graph.Window;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import java.util.List;

/** Steps that compute each row of one image from some rows of their sources; and the steps that compute a few rows of it. */
final class StepRows {
    private static final int ROWS = 2;

    private StepRows() {}

    /** Whether each row is computed by itself. */
    static boolean areIndependent(Step step) {
        View destination = step.destination();
        if (destination.rank() != 4 || destination.dim(0) != 1 || height(step) < 2) {
            return false;
        }
        return switch (step) {
            case Step.Convolve convolve -> convolve.source().view().rank() == 4 && overlapsImage(convolve.conv().window());
            case Step.Copy copy -> copy.source().view().rank() == 4;
            case Step.Compute compute -> switch (compute.op()) {
                case Op.Pool pool -> (!pool.ceil() || !pool.countPadding()) && overlapsImage(pool.window());
                case Op.Apply _, Op.ScaleShift _, Op.Binary _, Op.PRelu _ ->
                        compute.sources().stream().allMatch(source -> isWhole(source.view(), height(step)) || source.view().rank() == 4);
                default -> false;
            };
        };
    }

    /** Whether every window has a row of the image. */
    private static boolean overlapsImage(Window window) {
        return Math.max(window.padTop(), window.padBottom()) < window.spanH();
    }

    static int height(Step step) {
        return step.destination().dim(ROWS);
    }

    /** The same step for some rows of its result. */
    static Step of(Step step, int from, int to) {
        View destination = step.destination().slice(ROWS, from, to - from);
        String name = step.name() + " rows " + from + " to " + (to - 1);
        return switch (step) {
            case Step.Convolve s -> {
                Part part = part(s.conv().window(), s.source().view(), from, to);
                yield new Step.Convolve(name, s.kernel(), new Op.Conv(part.window, s.conv().groups()), new Operand(part.source, s.source().index()),
                        s.weights(), s.bias(), s.addend().map(addend -> rows(addend, from, to)), s.activation(), destination, s.workspace(),
                        s.multiplyAdds() / height(step) * (to - from));
            }
            case Step.Compute s when s.op() instanceof Op.Pool pool -> {
                Part part = part(pool.window(), s.sources().getFirst().view(), from, to);
                yield new Step.Compute(name, s.kernel(), new Op.Pool(pool.kind(), part.window, pool.ceil(), pool.countPadding()),
                        List.of(new Operand(part.source, s.sources().getFirst().index())), s.activation(), destination, s.workspace());
            }
            case Step.Compute s -> new Step.Compute(name, s.kernel(), s.op(), s.sources().stream()
                    .map(source -> isWhole(source.view(), height(step)) ? source : rows(source, from, to)).toList(),
                    s.activation(), destination, s.workspace());
            case Step.Copy s -> new Step.Copy(name, s.kernel(), s.kind(), rows(s.source(), from, to), destination, s.reason(), s.choices());
        };
    }

    /**
     * How many rows of a tensor have to be there before a step computes its first rows.
     *
     * @param source of the step, in the tensor's memory
     * @param rows of the step's result
     */
    static int needed(Step step, Operand source, int rows, View tensor) {
        if (!rowsMatch(source.view(), tensor)) {
            return tensor.dim(ROWS);
        }
        return source == windowed(step) ? needed(window(step), rows, tensor.dim(ROWS)) : rows;
    }

    private static int needed(Window window, int rows, int height) {
        return Math.clamp((rows - 1L) * window.strideH() - window.padTop() + window.spanH(), 1, height);
    }

    private static boolean rowsMatch(View one, View other) {
        return one.rank() == 4 && one.dim(ROWS) == other.dim(ROWS) && one.stride(ROWS) == other.stride(ROWS)
                && Math.abs(one.offset() - other.offset()) < one.stride(ROWS) * View.ELEMENT_BYTES;
    }

    private static Window window(Step step) {
        return step instanceof Step.Convolve convolve ? convolve.conv().window() : ((Op.Pool) ((Step.Compute) step).op()).window();
    }

    /** The source that a window slides over, or null. */
    private static Operand windowed(Step step) {
        return switch (step) {
            case Step.Convolve convolve -> convolve.source();
            case Step.Compute compute when compute.op() instanceof Op.Pool -> compute.sources().getFirst();
            default -> null;
        };
    }

    private record Part(Window window, View source) {}

    private static Part part(Window window, View source, int from, int to) {
        int height = source.dim(ROWS);
        int first = from * window.strideH() - window.padTop();
        int end = (to - 1) * window.strideH() - window.padTop() + window.spanH();
        int low = Math.clamp(first, 0, height - 1);
        int high = Math.clamp(end, low + 1, height);
        return new Part(new Window(window.kernelH(), window.kernelW(), window.strideH(), window.strideW(), window.dilationH(), window.dilationW(),
                low - first, window.padLeft(), end - high, window.padRight()), source.slice(ROWS, low, high - low));
    }

    private static Operand rows(Operand operand, int from, int to) {
        return new Operand(operand.view().slice(ROWS, from, to - from), operand.index());
    }

    /** Whether an operand has the same values for every row. */
    private static boolean isWhole(View view, int height) {
        return view.rank() < 2 || view.dim(view.rank() - 2) != height;
    }
}
