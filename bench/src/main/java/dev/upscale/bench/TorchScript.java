package dev.upscale.bench;

import dev.upscale.graph.Function;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.Window;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A graph as a TorchScript program, which PyTorch's C++ library loads without any Python: source text of one class whose
 * {@code forward} calls ATen's operators, and its weights. Operators that this does not know are refused.
 */
final class TorchScript {
    /** How images and the weights of convolutions lie in memory: by planes (NCHW), as PyTorch makes them, or channels last (NHWC). */
    enum Layout { PLANES, CHANNELS_LAST }

    /** PyTorch's number for channels-last memory. */
    private static final String CHANNELS_LAST_FORMAT = "memory_format=2";

    private final Graph graph;
    private final Layout layout;
    private final TorchArchive archive = new TorchArchive();
    private final Map<String, String> names = new HashMap<>();
    private final StringBuilder body = new StringBuilder();
    private int values;

    private TorchScript(Graph graph, Layout layout) {
        this.graph = graph;
        this.layout = layout;
    }

    /** The content of a {@code .pt} file. Inputs and outputs are in the graph's order, whatever the layout. */
    static byte[] of(Graph graph, Layout layout) throws IOException {
        return new TorchScript(graph, layout).write();
    }

    private byte[] write() throws IOException {
        StringBuilder signature = new StringBuilder("  def forward(self: __torch__.Net");
        for (String input : graph.inputs()) {
            names.put(input, "x" + names.size());
            signature.append(",\n    ").append(names.get(input)).append(": Tensor");
        }
        graph.inputs().stream().filter(this::isChannelsLast).forEach(input -> body.append("    ").append(names.get(input)).append(" = ")
                .append(call("contiguous", names.get(input), CHANNELS_LAST_FORMAT)).append('\n'));
        graph.nodes().forEach(this::add);
        List<String> results = graph.outputs().stream().map(output -> isChannelsLast(output) ? call("contiguous", names.get(output)) : names.get(output))
                .toList();
        signature.append(results.size() == 1 ? ") -> Tensor:\n" : ") -> Tuple[" + String.join(", ", results.stream().map(one -> "Tensor").toList()) + "]:\n");
        String end = "    return " + (results.size() == 1 ? results.getFirst() : "(" + String.join(", ", results) + ")") + "\n";
        return archive.write(signature + body.toString() + end);
    }

    private boolean isChannelsLast(String tensor) {
        return layout == Layout.CHANNELS_LAST && graph.type(tensor).rank() == 4;
    }

    private void add(Node node) {
        String name = "t" + values++;
        body.append("    ").append(name).append(" = ").append(expression(node)).append('\n');
        names.put(node.output(), name);
    }

    private String expression(Node node) {
        String x = operand(node.input(0));
        return switch (node.op()) {
            case Op.Conv conv -> convolution(node, x, conv);
            case Op.ConvTranspose conv when isSymmetric(conv.window()) -> call("conv_transpose2d", x, operand(node.input(1)), bias(node),
                    strides(conv.window()), pads(conv.window()), List.of(conv.outputPadH(), conv.outputPadW()), conv.groups(), dilations(conv.window()));
            case Op.Linear linear -> call("linear", x, operand(node.input(1)), bias(node));
            case Op.MatMul product -> call("matmul", x, operand(node.input(1)));
            case Op.ScaleShift scale -> call("add", call("mul", x, channels(node, 1)), channels(node, 2));
            case Op.Apply apply -> function(node, x, apply.function());
            case Op.Binary binary -> call(binary(binary.kind()), x, operand(node.input(1)));
            case Op.Softmax softmax -> call("softmax", x, softmax.axis());
            case Op.Concat concat -> call("cat", node.inputs().stream().map(this::operand).toList(), concat.axis());
            case Op.Slice slice when slice.step() > 0 -> call("slice", x, slice.axis(), slice.start(), slice.start() + (slice.size() - 1) * slice.step() + 1,
                    slice.step());
            case Op.Take take -> call("index_select", x, take.axis(), archive.indices(take.indices()));
            case Op.Pool pool -> pool(node, x, pool);
            case Op.Reduce reduce -> call(reduction(reduce.kind()), x, reduce.axes(), truth(reduce.keepDims()));
            case Op.Reshape reshape -> call("reshape", x, reshape.dims());
            case Op.Transpose transpose -> call("permute", x, transpose.permutation());
            case Op.Expand expand -> call("expand", x, expand.dims());
            default -> throw new InvalidInput("node " + node.name() + ": " + node.op().getClass().getSimpleName() + " is not among what the peer pytorch"
                    + " is given; leave the peer out for this network");
        };
    }

    private String convolution(Node node, String x, Op.Conv conv) {
        Window window = conv.window();
        String source = isSymmetric(window) ? x : padded(x, window, 0);
        return call("conv2d", source, operand(node.input(1)), bias(node), strides(window), isSymmetric(window) ? pads(window) : List.of(0, 0),
                dilations(window), conv.groups());
    }

    private String pool(Node node, String x, Op.Pool pool) {
        Window window = pool.window();
        List<Integer> kernel = List.of(window.kernelH(), window.kernelW());
        if (!isSymmetric(window)) {
            throw new InvalidInput("node " + node.name() + ": a pool with unequal padding is not given to the peer pytorch; leave it out for this network");
        }
        return pool.kind() == Op.Pool.Kind.MAX
                ? call("max_pool2d", x, kernel, strides(window), pads(window), dilations(window), truth(pool.ceil()))
                : call("avg_pool2d", x, kernel, strides(window), pads(window), truth(pool.ceil()), truth(pool.countPadding()));
    }

    private static String function(Node node, String x, Function function) {
        return switch (function.kind()) {
            case RELU -> call("relu", x);
            case CLIP -> call("clamp", x, bound(function.a()), bound(function.b()));
            case SIGMOID -> call("sigmoid", x);
            case SILU -> call("silu", x);
            case HARD_SIGMOID -> call("clamp", call("add", call("mul", x, number(function.a())), number(function.b())), "0.", "1.");
            case HARD_SWISH -> call("hardswish", x);
            case LEAKY_RELU -> call("leaky_relu", x, number(function.a()));
            case TANH -> call("tanh", x);
            case GELU -> call("gelu", x);
            case EXP -> call("exp", x);
            case SQRT -> call("sqrt", x);
            default -> throw new InvalidInput("node " + node.name() + ": " + function.kind() + " is not among what the peer pytorch is given; leave the"
                    + " peer out for this network");
        };
    }

    private static String binary(Op.Binary.Kind kind) {
        return switch (kind) {
            case MIN -> "minimum";
            case MAX -> "maximum";
            default -> kind.name().toLowerCase(Locale.ROOT);
        };
    }

    private static String reduction(Op.Reduce.Kind kind) {
        return switch (kind) {
            case MEAN -> "mean";
            case SUM -> "sum";
            case MAX -> "amax";
            case MIN -> "amin";
        };
    }

    private static String call(String operator, Object... arguments) {
        return Arrays.stream(arguments).map(TorchScript::argument).collect(Collectors.joining(", ", "torch." + operator + "(", ")"));
    }

    private static String argument(Object argument) {
        return argument instanceof List<?> list ? list.stream().map(String::valueOf).collect(Collectors.joining(", ", "[", "]")) : String.valueOf(argument);
    }

    private String operand(String tensor) {
        return names.computeIfAbsent(tensor, weight -> archive.weight(graph.weight(weight), layout));
    }

    private String bias(Node node) {
        return node.inputs().size() > 2 ? operand(node.input(2)) : "None";
    }

    /** A weight [C] in the shape that broadcasts to the source's channels. */
    private String channels(Node node, int input) {
        int rank = graph.type(node.input(0)).rank();
        Tensor weight = graph.weight(node.input(input));
        int[] dims = IntStream.range(0, rank).map(axis -> axis == 1 ? Math.toIntExact(weight.type().elements()) : 1).toArray();
        return archive.weight(weight.reshaped(dims), Layout.PLANES);
    }

    private static String padded(String x, Window window, float value) {
        return call("constant_pad_nd", x, List.of(window.padLeft(), window.padRight(), window.padTop(), window.padBottom()), number(value));
    }

    private static boolean isSymmetric(Window window) {
        return window.padTop() == window.padBottom() && window.padLeft() == window.padRight();
    }

    private static List<Integer> strides(Window window) {
        return List.of(window.strideH(), window.strideW());
    }

    private static List<Integer> pads(Window window) {
        return List.of(window.padTop(), window.padLeft());
    }

    private static List<Integer> dilations(Window window) {
        return List.of(window.dilationH(), window.dilationW());
    }

    private static String bound(float value) {
        return Float.isInfinite(value) ? "None" : number(value);
    }

    private static String number(float value) {
        return Double.toString(value).replace('E', 'e');
    }

    private static String truth(boolean value) {
        return value ? "True" : "False";
    }
}
