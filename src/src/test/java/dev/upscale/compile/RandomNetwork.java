package dev.upscale.compile;

import dev.upscale.channels.Masking;
import dev.upscale.channels.Pattern;
import dev.upscale.graph.Function;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import dev.upscale.graph.Window;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Small networks with everything that channel flow must follow or stop at, and patterns for them: branches, additions,
 * concats (also of a tensor with itself), groups, depthwise convolutions, shuffles, slices, squeeze-and-excitation, shared
 * weights, convolutions that could be one, transposed convolutions, flattening into a linear layer, softmax over channels, consumers that retain nothing.
 */
public final class RandomNetwork {
    private final Random random;
    private final Graph.Builder builder;
    private final List<String> images = new ArrayList<>();
    private int count;

    private RandomNetwork(long seed) {
        random = new Random(seed);
        builder = Graph.builder("random" + seed);
    }

    public static Graph graph(long seed) {
        return new RandomNetwork(seed).build();
    }

    /** A pattern of both sides with an amount for each weight, sometimes everything. */
    public static Pattern pattern(Graph graph, long seed) {
        Random random = new Random(seed);
        Map<String, int[]> consumers = new HashMap<>();
        Map<String, int[]> producers = new HashMap<>();
        for (Node node : graph.nodes()) {
            int groups = node.op() instanceof Op.Conv conv ? conv.groups() : 1;
            if (!(node.op() instanceof Op.Conv || node.op() instanceof Op.Linear || node.op() instanceof Op.ConvTranspose)
                    || groups != 1) {
                continue;
            }
            TensorType weight = graph.type(node.input(1));
            boolean transposed = node.op() instanceof Op.ConvTranspose;
            if (random.nextInt(4) != 0) {
                double amount = random.nextInt(12) == 0 ? 1 : random.nextDouble();
                consumers.put(node.input(1), retained(random, weight.dim(transposed ? 0 : 1), amount));
            }
            if (random.nextInt(5) == 0) {
                producers.put(node.input(1), retained(random, weight.dim(transposed ? 1 : 0), random.nextDouble()));
            }
        }
        return new Pattern("", consumers, producers);
    }

    public static Graph masked(long seed) {
        Graph graph = graph(seed);
        return Masking.apply(graph, pattern(graph, seed));
    }

    public static Map<String, Tensor> inputs(Graph graph, long seed) {
        Map<String, Tensor> inputs = new HashMap<>();
        graph.inputs().forEach(input -> inputs.put(input, Tensor.random(graph.type(input), (int) seed)));
        return inputs;
    }

    private static int[] retained(Random random, int channels, double amount) {
        return IntStream.range(0, channels).filter(channel -> random.nextDouble() >= amount).toArray();
    }

    private Graph build() {
        int size = 4 + random.nextInt(4);
        builder.input("x", TensorType.f32(1 + random.nextInt(2), 1 + random.nextInt(4), size, size));
        images.add("x");
        images.add(conv("x", 1, 1));
        int steps = 4 + random.nextInt(12);
        for (int step = 0; step < steps; step++) {
            images.add(step(images.get(Math.max(0, images.size() - 1 - random.nextInt(4)))));
        }
        String last = images.getLast();
        switch (random.nextInt(4)) {
            case 0 -> builder.output(linear(add(new Op.Reshape(List.of(batch(last), (int) (type(last).elements() / batch(last)))), last)));
            case 1 -> {
                String mean = add(new Op.Reduce(Op.Reduce.Kind.MEAN, List.of(2, 3), false), last);
                builder.output(add(new Op.Softmax(1), linear(mean)));
            }
            case 2 -> {
                builder.output(last);
                builder.output(conv(last, 1, 1));
            }
            default -> builder.output(last);
        }
        return builder.build();
    }

    private String step(String source) {
        TensorType type = type(source);
        int channels = type.dim(1);
        return switch (random.nextInt(25)) {
            case 0, 1, 2 -> conv(source, random.nextBoolean() ? 3 : 1, 1);
            case 3 -> conv(source, 3, 2);
            case 4 -> add(new Op.Apply(activation()), source);
            case 5 -> batchNorm(source);
            case 6 -> {
                String other = conv(source, 1, 1, channels);
                yield add(new Op.Apply(Function.RELU), add(new Op.Binary(Op.Binary.Kind.ADD), source, other));
            }
            case 7 -> {
                List<String> same = images.stream().filter(image -> type(image).equals(type)).toList();
                yield add(new Op.Binary(random.nextBoolean() ? Op.Binary.Kind.ADD : Op.Binary.Kind.MUL),
                        source, same.get(random.nextInt(same.size())));
            }
            case 8, 9 -> {
                List<String> parts = new ArrayList<>(List.of(source));
                for (String image : images) {
                    boolean sameSize = type(image).withDim(1, channels).equals(type);
                    if (sameSize && random.nextInt(3) == 0) {
                        parts.add(image);
                    }
                }
                parts.add(conv(source, 1, 1));
                yield add(new Op.Concat(1), parts.toArray(String[]::new));
            }
            case 10 -> depthwise(source, 1);
            case 11 -> depthwise(source, 2);
            case 12 -> channels % 2 == 0 ? grouped(source) : conv(source, 1, 1);
            case 13 -> channels % 2 == 0 ? shuffle(source, 2) : source;
            case 14 -> {
                int start = random.nextInt(channels);
                yield add(new Op.Slice(1, start, 1 + random.nextInt(channels - start), 1), source);
            }
            case 15 -> add(new Op.Slice(1, channels - 1, channels, -1), source);
            case 16 -> squeezeAndExcite(source);
            case 17 -> add(new Op.Pool(random.nextBoolean() ? Op.Pool.Kind.MAX : Op.Pool.Kind.AVERAGE,
                    Window.square(3, 1, 1), false, random.nextBoolean()), source);
            case 18 -> add(new Op.Softmax(1), source);
            case 19 -> transposed(source);
            case 20 -> twice(source);
            case 21, 22, 23 -> siblings(source);
            default -> add(new Op.Pad(Op.Pad.Mode.CONSTANT, List.of(0, 0, 1, 0), List.of(0, 0, 0, 1), 0.5f), source);
        };
    }

    private TensorType type(String tensor) {
        return builder.type(tensor);
    }

    private int batch(String tensor) {
        return type(tensor).dim(0);
    }

    private String add(Op op, String... inputs) {
        String output = "t" + count++;
        builder.node(output, op, inputs);
        return output;
    }

    private String weight(int... dims) {
        String name = "w" + count++;
        builder.weight(name, Tensor.random(TensorType.f32(dims), random.nextInt(1 << 20)));
        return name;
    }

    private String conv(String source, int kernel, int stride) {
        return conv(source, kernel, stride, 1 + random.nextInt(8));
    }

    private String conv(String source, int kernel, int stride, int outputs) {
        Window window = Window.square(kernel, stride, kernel / 2);
        String weight = weight(outputs, type(source).dim(1), kernel, kernel);
        return random.nextBoolean()
                ? add(new Op.Conv(window, 1), source, weight, weight(outputs))
                : add(new Op.Conv(window, 1), source, weight);
    }

    /** One weight, read by two convolutions. */
    private String twice(String source) {
        int channels = type(source).dim(1);
        String weight = weight(channels, channels, 1, 1);
        Op conv = new Op.Conv(Window.square(1, 1, 0), 1);
        return add(conv, add(new Op.Apply(Function.RELU), add(conv, source, weight)), weight);
    }

    /** 1×1 convolutions of one tensor with one function behind them, each read by another convolution; now and then a concat takes one too. */
    private String siblings(String source) {
        Function function = activation();
        boolean activated = random.nextBoolean();
        List<String> read = new ArrayList<>();
        for (int number = 2 + random.nextInt(3); number > 0; number--) {
            String sibling = conv(source, 1, 1);
            String result = activated ? add(new Op.Apply(function), sibling) : sibling;
            read.add(conv(result, random.nextBoolean() ? 3 : 1, 1));
            if (random.nextInt(6) == 0) {
                read.add(result);
            }
        }
        return add(new Op.Concat(1), read.toArray(String[]::new));
    }

    private String depthwise(String source, int multiplier) {
        int channels = type(source).dim(1);
        return add(new Op.Conv(Window.square(3, 1, 1), channels), source, weight(channels * multiplier, 1, 3, 3));
    }

    private String grouped(String source) {
        return add(new Op.Conv(Window.square(1, 1, 0), 2), source, weight(6, type(source).dim(1) / 2, 1, 1));
    }

    private String transposed(String source) {
        if (type(source).dim(2) > 12) {
            return source;
        }
        return add(new Op.ConvTranspose(Window.square(2, 2, 0), 0, 0, 1), source, weight(type(source).dim(1), 3, 2, 2));
    }

    private String shuffle(String source, int groups) {
        TensorType type = type(source);
        int width = type.dim(1) / groups;
        String split = add(new Op.Reshape(List.of(type.dim(0), groups, width, type.dim(2), type.dim(3))), source);
        return add(new Op.Reshape(type.dims()), add(new Op.Transpose(List.of(0, 2, 1, 3, 4)), split));
    }

    private String squeezeAndExcite(String source) {
        String mean = add(new Op.Reduce(Op.Reduce.Kind.MEAN, List.of(2, 3), true), source);
        String small = add(new Op.Apply(Function.RELU), conv(mean, 1, 1));
        String gate = add(new Op.Apply(Function.of(Function.Kind.SIGMOID)), conv(small, 1, 1, type(source).dim(1)));
        return add(new Op.Binary(Op.Binary.Kind.MUL), source, gate);
    }

    private String batchNorm(String source) {
        int channels = type(source).dim(1);
        String variance = "v" + count++;
        float[] ones = new float[channels];
        java.util.Arrays.fill(ones, 0.8f);
        builder.weight(variance, Tensor.f32(ones, channels));
        return add(new Op.BatchNorm(1e-5f), source, weight(channels), weight(channels), weight(channels), variance);
    }

    private String linear(String source) {
        return add(new Op.Linear(), source, weight(5, type(source).dim(1)), weight(5));
    }

    private Function activation() {
        return switch (random.nextInt(4)) {
            case 0 -> Function.RELU;
            case 1 -> Function.of(Function.Kind.SILU);
            case 2 -> new Function(Function.Kind.CLIP, -0.5f, 0.5f);
            default -> Function.of(Function.Kind.HARD_SWISH);
        };
    }
}
