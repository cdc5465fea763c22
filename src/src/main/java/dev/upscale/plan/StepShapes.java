package dev.upscale.plan;

import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.ShapeInference;
import dev.upscale.graph.TensorType;
import dev.upscale.graph.Window;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** Whether the operation, sources, weights and destination of a step fit each other: the graph's shape inference decides. */
final class StepShapes {
    /** Windows and images larger than this are refused, so that no arithmetic on them overflows. */
    private static final int LARGEST_WINDOW = 1 << 15;
    private static final int LARGEST_IMAGE_SIDE = 1 << 24;

    private StepShapes() {}

    /** The axis that an index list of an operand chooses from: 1, but the last of a linear layer's. */
    static int channelAxis(Step step, Operand operand) {
        return step instanceof Step.Convolve && operand.view().rank() != 4 ? operand.view().rank() - 1 : 1;
    }

    /** Whether the operation's destination may be one of its sources: each element is read once, before it is written. */
    static boolean mayWorkInPlace(Op op) {
        return switch (op) {
            case Op.Apply apply -> true;
            case Op.Binary binary -> true;
            case Op.PRelu prelu -> true;
            case Op.ScaleShift scale -> true;
            case Op.BatchNorm norm -> true;
            case Op.Softmax softmax -> true;
            default -> false;
        };
    }

    /**
     * Checks a step whose operands and index lists are known to exist.
     *
     * @throws InvalidInput if shapes do not fit
     */
    static void verify(Step step, Plan plan) {
        List<Integer> result = switch (step) {
            case Step.Convolve convolve -> convolved(convolve, plan);
            case Step.Compute compute -> computed(compute, plan);
            case Step.Copy copy -> dims(copy, copy.source(), plan);
        };
        require(result.equals(step.destination().dims()),
                () -> "its result has the shape " + result + ", its destination " + step.destination().dims());
    }

    private static List<Integer> convolved(Step.Convolve step, Plan plan) {
        List<Integer> source = dims(step, step.source(), plan);
        List<Integer> weights = weights(step.weights(), plan);
        Op op = step.conv();
        if (source.size() == 4) {
            requireSensible(step.conv().window(), source);
        } else {
            require(step.conv().window().isPointwise() && step.conv().groups() == 1,
                    () -> "a convolution over " + source + ", which is no image");
            op = new Op.Linear();
            weights = withoutPixel(weights);
        }
        List<List<Integer>> inputs = new ArrayList<>(List.of(source, weights));
        if (!step.bias().isEmpty()) {
            inputs.add(weights(step.bias(), plan));
        }
        List<Integer> result = infer(step, op, inputs);
        step.addend().ifPresent(addend -> require(dims(step, addend, plan).equals(result),
                () -> "its addend has the shape " + dims(step, addend, plan) + ", its result " + result));
        return result;
    }

    private static List<Integer> withoutPixel(List<Integer> dims) {
        return dims.size() == 4 && dims.get(2) == 1 && dims.get(3) == 1 ? dims.subList(0, 2) : dims;
    }

    private static List<Integer> computed(Step.Compute step, Plan plan) {
        List<List<Integer>> inputs = step.sources().stream().map(source -> dims(step, source, plan)).toList();
        require(!inputs.isEmpty(), () -> "it has no source");
        switch (step.op()) {
            case Op.Conv conv -> requireSensible(conv.window(), inputs.getFirst());
            case Op.ConvTranspose conv -> requireSensible(conv.window(), inputs.getFirst());
            case Op.Pool pool -> requireSensible(pool.window(), inputs.getFirst());
            default -> { }
        }
        return infer(step, step.op(), inputs);
    }

    private static List<Integer> infer(Step step, Op op, List<List<Integer>> inputs) {
        List<String> names = IntStream.range(0, inputs.size()).mapToObj(i -> "source " + i).toList();
        return ShapeInference.infer(new Node(step.name(), op, names, step.name()),
                inputs.stream().map(TensorType::f32).toList()).dims();
    }

    private static void requireSensible(Window window, List<Integer> image) {
        boolean small = IntStream.of(window.kernelH(), window.kernelW(), window.strideH(), window.strideW(),
                        window.dilationH(), window.dilationW(), window.padTop(), window.padLeft(), window.padBottom(),
                        window.padRight())
                .allMatch(size -> size >= 0 && size <= LARGEST_WINDOW);
        require(small, () -> "its window is out of all bounds: " + window);
        require(image.size() != 4 || Math.max(image.get(2), image.get(3)) <= LARGEST_IMAGE_SIDE,
                () -> "its image is out of all bounds: " + image);
    }

    private static List<Integer> weights(String name, Plan plan) {
        Constant constant = plan.constants().get(name);
        require(constant != null, () -> "its constant " + name + " is missing");
        require(constant.type() == Constant.Type.F32, () -> "its constant " + name + " holds no f32");
        return constant.dims();
    }

    /** The shape of what a step reads through an operand. */
    private static List<Integer> dims(Step step, Operand operand, Plan plan) {
        if (!operand.isIndexed()) {
            return operand.view().dims();
        }
        List<Integer> dims = new ArrayList<>(operand.view().dims());
        dims.set(channelAxis(step, operand), plan.constants().get(operand.index()).elements());
        return List.copyOf(dims);
    }

    private static void require(boolean holds, Supplier<String> complaint) {
        if (!holds) {
            throw new InvalidInput(complaint.get());
        }
    }
}
