package dev.upscale.plan;

import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.graph.Window;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Plans as text for people and tests: a header, then one line per step with its kernel, name, operation, shapes, places and
 * multiply-adds.
 *
 * <p>A place is {@code arena}, {@code in:NAME}, {@code out:NAME} or {@code const:NAME}, then {@code @} and the offset in
 * bytes, then {@code :f16} or {@code :bf16} where the elements are not f32, then the layout if it is not channels-last without gaps: {@code /12} for 12 elements from pixel to pixel,
 * {@code rows} for row-major, {@code |s,s,...} for other strides; and {@code [NAME]} if channels are read by that index.
 */
public final class PlanText {
    private PlanText() {}

    /** The plan as a table; each line ends with a line feed. */
    public static String print(Plan plan) {
        List<List<String>> rows = new ArrayList<>();
        for (int i = 0; i < plan.steps().size(); i++) {
            rows.add(row(i, plan.steps().get(i), plan));
        }
        StringBuilder text = new StringBuilder().append(String.format(Locale.ROOT, "plan %s %s for %s: %d steps, %d multiply-adds\n",
                clean(plan.model()), clean(plan.variant()), clean(plan.target()), plan.steps().size(), plan.multiplyAdds()));
        text.append(String.format(Locale.ROOT, "arena %d bytes (at least %d), constants %d bytes\n",
                plan.arenaBytes(), plan.arenaLowerBoundBytes(), plan.weightsBytes()));
        plan.accelerator().flatMap(Accelerator::kernels).ifPresent(kernels -> text.append(String.format(Locale.ROOT, "kernels %s by %s, %d bytes: %s\n",
                clean(kernels.architecture()), clean(kernels.compiler()), plan.constants().get(kernels.code()).bytes(),
                clean(String.join(" ", kernels.functions())))));
        if (plan.microBatches() > 1) {
            text.append("steps run on each of ").append(plan.microBatches()).append(" micro-batches\n");
        }
        plan.inputs().forEach(port -> text.append("in  ").append(clean(port.name())).append(' ').append(shape(port.dims()))
                .append(port.layout().map(layout -> " " + lower(layout).replace('_', '-')).orElse("")).append('\n'));
        plan.outputs().forEach(port -> text.append("out ").append(clean(port.name())).append(' ').append(shape(port.dims())).append('\n'));
        appendTable(rows, text);
        return text.toString();
    }

    /** A name on one line. */
    private static String clean(String name) {
        return name.replaceAll("\\p{Cntrl}", "?");
    }

    private static void appendTable(List<List<String>> rows, StringBuilder text) {
        int columns = rows.stream().mapToInt(List::size).max().orElse(0);
        int[] widths = new int[columns];
        for (List<String> row : rows) {
            for (int column = 0; column < columns; column++) {
                widths[column] = Math.max(widths[column], clean(row.get(column)).length());
            }
        }
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < columns; column++) {
                String cell = clean(row.get(column));
                String padding = " ".repeat(widths[column] - cell.length());
                line.append(column == 0 ? padding + cell : cell + padding).append("  ");
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
    }

    private static List<String> row(int position, Step step, Plan plan) {
        String shapes = step.sources().stream().map(source -> shape(dims(step, source, plan))).collect(Collectors.joining(" "));
        String places = step.sources().stream().map(PlanText::place).collect(Collectors.joining(" "));
        String workspace = step.workspace().map(view -> " work " + view.bytes() + " at " + place(view)).orElse("");
        return List.of(String.valueOf(position), step.kernel(), step.name(), operation(step),
                shapes + " -> " + shape(step.destination().dims()),
                places + " -> " + place(step.destination()) + workspace,
                step.multiplyAdds() == 0 ? "" : String.valueOf(step.multiplyAdds()));
    }

    private static List<Integer> dims(Step step, Operand operand, Plan plan) {
        List<Integer> dims = new ArrayList<>(operand.view().dims());
        if (operand.isIndexed() && plan.constants().containsKey(operand.index())) {
            dims.set(StepShapes.channelAxis(step, operand), plan.constants().get(operand.index()).elements());
        }
        return dims;
    }

    private static String shape(List<Integer> dims) {
        return dims.stream().map(String::valueOf).collect(Collectors.joining(",", "[", "]"));
    }

    /** What a step computes, in a few words, for example {@code conv 3x3 s2 +relu}. */
    public static String operation(Step step) {
        return switch (step) {
            case Step.Convolve convolve -> convolution(convolve);
            case Step.Compute compute -> name(compute.op()) + function(compute.activation());
            case Step.Copy copy -> "copy " + copy.kind().name().toLowerCase(Locale.ROOT);
        };
    }

    private static String convolution(Step.Convolve step) {
        Window window = step.conv().window();
        StringBuilder text = new StringBuilder("conv ").append(window.kernelH()).append('x').append(window.kernelW());
        if (window.strideH() != 1 || window.strideW() != 1) {
            text.append(" s").append(pair(window.strideH(), window.strideW()));
        }
        if (window.dilationH() != 1 || window.dilationW() != 1) {
            text.append(" d").append(pair(window.dilationH(), window.dilationW()));
        }
        if (step.conv().groups() != 1) {
            text.append(" g").append(step.conv().groups());
        }
        return text + (step.addend().isPresent() ? " +add" : "") + function(step.activation());
    }

    private static String pair(int height, int width) {
        return height == width ? String.valueOf(height) : height + "x" + width;
    }

    private static String name(Op op) {
        String kind = switch (op) {
            case Op.Apply apply -> " " + lower(apply.function().kind());
            case Op.Binary binary -> " " + lower(binary.kind());
            case Op.Pool pool -> " " + lower(pool.kind()) + " " + pool.window().kernelH() + "x" + pool.window().kernelW();
            case Op.Reduce reduce -> " " + lower(reduce.kind());
            case Op.Resize resize -> " " + lower(resize.mode());
            default -> "";
        };
        return op.getClass().getSimpleName().toLowerCase(Locale.ROOT) + kind;
    }

    private static String function(Function function) {
        return function.isNone() ? "" : " +" + lower(function.kind());
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private static String place(Operand operand) {
        return place(operand.view()) + (operand.isIndexed() ? "[" + operand.index() + "]" : "");
    }

    private static String place(View view) {
        String place = switch (view.place().kind()) {
            case ARENA -> "arena";
            case INPUT -> "in:" + view.place().name();
            case OUTPUT -> "out:" + view.place().name();
            case CONSTANT -> "const:" + view.place().name();
        };
        return place + "@" + view.offset() + view.halves().map(element -> ":" + element.label()).orElse("") + layout(view);
    }

    private static String layout(View view) {
        if (view.isDenseChannelsLast() || view.rank() < 2 && view.isRowMajor()) {
            return "";
        }
        if (view.pixelStride() > 0) {
            return "/" + view.pixelStride();
        }
        if (view.isRowMajor()) {
            return "rows";
        }
        return view.strides().stream().map(String::valueOf).collect(Collectors.joining(",", "|", ""));
    }
}
