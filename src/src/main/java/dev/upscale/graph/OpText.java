package dev.upscale.graph;

import static dev.upscale.graph.Attributes.lower;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Operations as text: a name before the inputs, attributes after them. What is left out has its usual value. */
final class OpText {
    private OpText() {}

    static String name(Op op) {
        return op.getClass().getSimpleName();
    }

    /** The attributes, each after a space. */
    static String attributes(Op op) {
        return switch (op) {
            case Op.Conv conv -> window(conv.window()) + unless(1, "groups", conv.groups());
            case Op.ConvTranspose conv -> window(conv.window())
                    + (conv.outputPadH() == 0 && conv.outputPadW() == 0 ? ""
                            : " outputPad=" + conv.outputPadH() + "x" + conv.outputPadW())
                    + unless(1, "groups", conv.groups());
            case Op.Linear linear -> "";
            case Op.MatMul matMul -> "";
            case Op.ScaleShift scaleShift -> "";
            case Op.PRelu prelu -> "";
            case Op.BatchNorm norm -> " epsilon=" + Numbers.print(norm.epsilon());
            case Op.InstanceNorm norm -> " epsilon=" + Numbers.print(norm.epsilon());
            case Op.LayerNorm norm -> " axis=" + norm.axis() + " epsilon=" + Numbers.print(norm.epsilon());
            case Op.Lrn lrn -> " size=" + lrn.size() + " alpha=" + Numbers.print(lrn.alpha())
                    + " beta=" + Numbers.print(lrn.beta()) + " bias=" + Numbers.print(lrn.bias());
            case Op.Apply apply -> " " + function(apply.function());
            case Op.Binary binary -> " " + lower(binary.kind());
            case Op.Softmax softmax -> " axis=" + softmax.axis();
            case Op.Concat concat -> " axis=" + concat.axis();
            case Op.Slice slice -> " axis=" + slice.axis() + " start=" + slice.start() + " size=" + slice.size()
                    + unless(1, "step", slice.step());
            case Op.Take take -> " axis=" + take.axis() + " indices=" + ranges(take.indices());
            case Op.Pool pool -> " " + lower(pool.kind()) + window(pool.window())
                    + (pool.ceil() ? " ceil" : "") + (pool.countPadding() ? " countPadding" : "");
            case Op.Reduce reduce -> " " + lower(reduce.kind()) + " axes=" + list(reduce.axes())
                    + (reduce.keepDims() ? " keepDims" : "");
            case Op.Reshape reshape -> " dims=" + list(reshape.dims());
            case Op.Transpose transpose -> " permutation=" + list(transpose.permutation());
            case Op.Expand expand -> " dims=" + list(expand.dims());
            case Op.Pad pad -> " " + lower(pad.mode()) + " before=" + list(pad.before()) + " after=" + list(pad.after())
                    + (Float.floatToIntBits(pad.value()) == 0 ? "" : " value=" + Numbers.print(pad.value()));
            case Op.Resize resize -> " " + lower(resize.mode()) + " " + lower(resize.coordinates())
                    + " " + lower(resize.nearest()) + " size=" + resize.height() + "x" + resize.width()
                    + " scale=" + Numbers.print(resize.scaleH()) + "x" + Numbers.print(resize.scaleW());
            case Op.DepthToSpace op2 -> " " + lower(op2.mode()) + " block=" + op2.block();
        };
    }

    /** The operation of that name with the attributes that follow at {@code scanner}. */
    static Op parse(TextScanner scanner, String name, int start) {
        Attributes at = new Attributes(scanner, name, start);
        Op op = switch (name) {
            case "Conv" -> new Op.Conv(window(at), at.integer("groups", 1));
            case "ConvTranspose" -> {
                int[] outputPad = at.pair("outputPad", 0);
                yield new Op.ConvTranspose(window(at), outputPad[0], outputPad[1], at.integer("groups", 1));
            }
            case "Linear" -> new Op.Linear();
            case "MatMul" -> new Op.MatMul();
            case "ScaleShift" -> new Op.ScaleShift();
            case "PRelu" -> new Op.PRelu();
            case "BatchNorm" -> new Op.BatchNorm(at.number("epsilon", 1e-5f));
            case "InstanceNorm" -> new Op.InstanceNorm(at.number("epsilon", 1e-5f));
            case "LayerNorm" -> new Op.LayerNorm(at.integer("axis"), at.number("epsilon", 1e-5f));
            case "Lrn" -> new Op.Lrn(at.integer("size"), at.number("alpha", 1e-4f), at.number("beta", 0.75f),
                    at.number("bias", 1));
            case "Apply" -> new Op.Apply(at.function());
            case "Binary" -> new Op.Binary(at.word(Op.Binary.Kind.class));
            case "Softmax" -> new Op.Softmax(at.integer("axis"));
            case "Concat" -> new Op.Concat(at.integer("axis"));
            case "Slice" -> new Op.Slice(at.integer("axis"), at.integer("start"), at.integer("size"), at.integer("step", 1));
            case "Take" -> new Op.Take(at.integer("axis"), at.list("indices", null));
            case "Pool" -> {
                boolean ceil = at.flag("ceil");
                boolean countPadding = at.flag("countPadding");
                yield new Op.Pool(at.word(Op.Pool.Kind.class), window(at), ceil, countPadding);
            }
            case "Reduce" -> {
                boolean keepDims = at.flag("keepDims");
                yield new Op.Reduce(at.word(Op.Reduce.Kind.class), at.list("axes", null), keepDims);
            }
            case "Reshape" -> new Op.Reshape(at.list("dims", null));
            case "Transpose" -> new Op.Transpose(at.list("permutation", null));
            case "Expand" -> new Op.Expand(at.list("dims", null));
            case "Pad" -> new Op.Pad(at.word(Op.Pad.Mode.class), at.list("before", null), at.list("after", null),
                    at.number("value", 0));
            case "Resize" -> {
                int[] size = at.pair("size");
                float[] scale = at.numberPair("scale");
                yield new Op.Resize(at.word(Op.Resize.Mode.class), at.word(Op.Resize.Coordinates.class),
                        at.word(Op.Resize.Nearest.class), size[0], size[1], scale[0], scale[1]);
            }
            case "DepthToSpace" -> new Op.DepthToSpace(at.integer("block"), at.word(Op.DepthToSpace.Mode.class));
            default -> throw scanner.invalid(start, "no operation " + name + "; there are " + names());
        };
        at.finish();
        return op;
    }

    private static String names() {
        List<String> names = new ArrayList<>();
        for (Class<?> op : Op.class.getPermittedSubclasses()) {
            names.add(op.getSimpleName());
        }
        return String.join(", ", names);
    }

    private static String window(Window window) {
        StringBuilder text = new StringBuilder(" kernel=" + window.kernelH() + "x" + window.kernelW());
        text.append(pair("stride", window.strideH(), window.strideW()));
        text.append(pair("dilation", window.dilationH(), window.dilationW()));
        if (window.hasPadding()) {
            text.append(" pad=").append(window.padTop());
            if (window.padLeft() != window.padTop() || window.padBottom() != window.padTop()
                    || window.padRight() != window.padTop()) {
                text.append(',').append(window.padLeft()).append(',').append(window.padBottom())
                        .append(',').append(window.padRight());
            }
        }
        return text.toString();
    }

    private static Window window(Attributes at) {
        int[] kernel = at.pair("kernel");
        int[] stride = at.pair("stride", 1);
        int[] dilation = at.pair("dilation", 1);
        int[] pad = at.sides("pad");
        return new Window(kernel[0], kernel[1], stride[0], stride[1], dilation[0], dilation[1],
                pad[0], pad[1], pad[2], pad[3]);
    }

    private static String function(Function function) {
        boolean a = Float.floatToIntBits(function.a()) != 0;
        boolean b = Float.floatToIntBits(function.b()) != 0;
        return lower(function.kind())
                + (a || b ? "(" + Numbers.print(function.a()) + (b ? "," + Numbers.print(function.b()) : "") + ")" : "");
    }

    private static String unless(int usual, String key, int value) {
        return value == usual ? "" : " " + key + "=" + value;
    }

    private static String pair(String key, int height, int width) {
        return height == 1 && width == 1 ? "" : " " + key + "=" + height + (height == width ? "" : "x" + width);
    }

    private static String list(List<Integer> values) {
        return values.stream().map(String::valueOf).collect(Collectors.joining(",", "[", "]"));
    }

    /** A list in which three or more successive numbers are written as a range: {@code [0..7,9]}. */
    private static String ranges(List<Integer> values) {
        List<String> parts = new ArrayList<>();
        for (int from = 0; from < values.size(); ) {
            int to = from;
            while (to + 1 < values.size() && values.get(to + 1) == values.get(to) + 1) {
                to++;
            }
            if (to - from < 2) {
                to = from;
            }
            parts.add(to == from ? "" + values.get(from) : values.get(from) + ".." + values.get(to));
            from = to + 1;
        }
        return "[" + String.join(",", parts) + "]";
    }

    /** A list of integers and ranges in brackets, which may go over several lines. */
    static List<Integer> integers(TextScanner scanner) {
        List<Integer> values = new ArrayList<>();
        scanner.expect("[");
        scanner.skipLines();
        while (!scanner.accept("]")) {
            int start = scanner.position();
            String text = scanner.run(Numbers::isPart, "an integer");
            String[] bounds = text.split("\\.\\.", 2);
            try {
                int from = Integer.parseInt(bounds[0]);
                int to = Integer.parseInt(bounds[bounds.length - 1]);
                if (to < from || (long) to - from > 1 << 24) {
                    throw scanner.invalid(start, "no range " + text);
                }
                for (int value = from; value <= to; value++) {
                    values.add(value);
                }
            } catch (NumberFormatException e) {
                throw scanner.invalid(start, "'" + text + "' is no integer");
            }
            scanner.skipLines();
            if (!scanner.sees("]")) {
                scanner.expect(",");
                scanner.skipLines();
            }
        }
        return values;
    }
}
