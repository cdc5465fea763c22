package dev.upscale.onnx;

import dev.upscale.graph.Function;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Recognises activations that a model spells out: x·sigmoid(x) (SiLU), x·hardsigmoid(x) and x·clip(x + 3, 0, 6)/6
 * (HardSwish), clip(x + 3, 0, 6)/6 (HardSigmoid), x·tanh(softplus(x)) (Mish), and GELU by erf or by tanh. The last node of
 * the pattern becomes one {@link Op.Apply}; the others are left unread, and only patterns whose inner results nobody else
 * reads are taken.
 */
final class RecognizeActivations {
    private static final float ROOT_HALF = (float) Math.sqrt(0.5);
    private static final float ROOT_TWO_OVER_PI = (float) Math.sqrt(2 / Math.PI);

    private final Graph graph;
    /** Activations recognised so far, by output. */
    private final Map<String, Node> recognised = new HashMap<>();

    private RecognizeActivations(Graph graph) {
        this.graph = graph;
    }

    static Graph run(Graph graph) {
        RecognizeActivations pass = new RecognizeActivations(graph);
        Graph.Builder builder = graph.rebuild();
        for (Node node : graph.nodes()) {
            Node written = pass.recognise(node).orElse(node);
            pass.recognised.put(node.output(), written);
            builder.node(written);
        }
        return builder.build();
    }

    private Optional<Node> recognise(Node node) {
        if (!(node.op() instanceof Op.Binary(var kind))) {
            return Optional.empty();
        }
        return switch (kind) {
            case MUL -> gated(node).or(() -> gelu(node)).or(() -> hardSigmoid(node)).or(() -> hardSwishSpelledOut(node));
            case DIV -> hardSigmoid(node).or(() -> hardSwishSpelledOut(node));
            default -> Optional.empty();
        };
    }

    /** x · f(x). */
    private Optional<Node> gated(Node node) {
        for (int side = 0; side < 2; side++) {
            String source = node.input(side);
            Optional<Function.Kind> kind = inner(node.input(1 - side)).flatMap(gate -> {
                if (!(gate.op() instanceof Op.Apply(var function))) {
                    return Optional.empty();
                }
                boolean sameSource = gate.input(0).equals(source);
                return switch (function.kind()) {
                    case SIGMOID -> sameSource ? Optional.of(Function.Kind.SILU) : Optional.empty();
                    case HARD_SIGMOID -> sameSource && near(function.a(), 1 / 6f) && near(function.b(), 0.5f)
                            ? Optional.of(Function.Kind.HARD_SWISH) : Optional.empty();
                    case TANH -> inner(gate.input(0)).filter(soft -> isApply(soft, Function.Kind.SOFTPLUS))
                            .filter(soft -> soft.input(0).equals(source)).map(soft -> Function.Kind.MISH);
                    default -> Optional.empty();
                };
            });
            if (kind.isPresent()) {
                return apply(node, Function.of(kind.get()), source);
            }
        }
        return Optional.empty();
    }

    /** clip(x + 3, 0, 6) / 6. */
    private Optional<Node> hardSigmoid(Node node) {
        return sixth(node).flatMap(this::relu6OfShifted)
                .flatMap(source -> apply(node, new Function(Function.Kind.HARD_SIGMOID, 1 / 6f, 0.5f), source));
    }

    /** x · clip(x + 3, 0, 6) / 6, divided last. */
    private Optional<Node> hardSwishSpelledOut(Node node) {
        return sixth(node).flatMap(this::inner).filter(product -> isBinary(product, Op.Binary.Kind.MUL)).flatMap(product -> {
            for (int side = 0; side < 2; side++) {
                String source = product.input(side);
                if (relu6OfShifted(product.input(1 - side)).filter(source::equals).isPresent()) {
                    return apply(node, Function.of(Function.Kind.HARD_SWISH), source);
                }
            }
            return Optional.empty();
        });
    }

    /** What is divided by 6, or multiplied with 1/6. */
    private Optional<String> sixth(Node node) {
        return switch (((Op.Binary) node.op()).kind()) {
            case DIV -> isScalar(node.input(1), 6) ? Optional.of(node.input(0)) : Optional.empty();
            case MUL -> otherThan(node, 1 / 6f);
            default -> Optional.empty();
        };
    }

    /** x, if the tensor is clip(x + 3, 0, 6). */
    private Optional<String> relu6OfShifted(String tensor) {
        return inner(tensor)
                .filter(clip -> clip.op() instanceof Op.Apply(var function) && function.kind() == Function.Kind.CLIP
                        && function.a() == 0 && function.b() == 6)
                .flatMap(clip -> inner(clip.input(0)))
                .filter(add -> isBinary(add, Op.Binary.Kind.ADD))
                .flatMap(add -> otherThan(add, 3));
    }

    /**
     * A product of x, 1/2 and 1 + erf(x / √2), or of x, 1/2 and 1 + tanh(√(2/π) · (x + 0.044715 · x³)), in any order.
     */
    private Optional<Node> gelu(Node node) {
        for (int side = 0; side < 2; side++) {
            String left = node.input(side);
            String right = node.input(1 - side);
            // (x · (1 + f)) · 1/2
            if (isScalar(right, 0.5f)) {
                Optional<Node> whole = inner(left).filter(product -> isBinary(product, Op.Binary.Kind.MUL))
                        .flatMap(product -> geluOf(node, product.input(0), product.input(1))
                                .or(() -> geluOf(node, product.input(1), product.input(0))));
                if (whole.isPresent()) {
                    return whole;
                }
            }
            // x · ((1 + f) · 1/2)
            Optional<Node> halfGate = inner(right).filter(half -> isBinary(half, Op.Binary.Kind.MUL))
                    .flatMap(half -> otherThan(half, 0.5f)).flatMap(gate -> geluOf(node, left, gate));
            // (x · 1/2) · (1 + f)
            Optional<Node> whole = halfGate.or(() -> inner(left).filter(half -> isBinary(half, Op.Binary.Kind.MUL))
                    .flatMap(half -> otherThan(half, 0.5f)).flatMap(source -> geluOf(node, source, right)));
            if (whole.isPresent()) {
                return whole;
            }
        }
        return Optional.empty();
    }

    /** GELU of {@code source}, if {@code gate} is 1 + erf(...) or 1 + tanh(...) of it. */
    private Optional<Node> geluOf(Node node, String source, String gate) {
        return inner(gate).filter(add -> isBinary(add, Op.Binary.Kind.ADD)).flatMap(add -> otherThan(add, 1))
                .flatMap(this::inner)
                .flatMap(bend -> {
                    if (isApply(bend, Function.Kind.ERF)
                            && scaled(bend.input(0), ROOT_HALF).filter(source::equals).isPresent()) {
                        return apply(node, Function.of(Function.Kind.GELU), source);
                    }
                    if (isApply(bend, Function.Kind.TANH)
                            && scaled(bend.input(0), ROOT_TWO_OVER_PI).filter(sum -> isCubic(sum, source)).isPresent()) {
                        return apply(node, Function.of(Function.Kind.GELU_TANH), source);
                    }
                    return Optional.empty();
                });
    }

    /** What is multiplied with {@code factor}, or divided by its inverse. */
    private Optional<String> scaled(String tensor, float factor) {
        return inner(tensor).flatMap(node -> {
            if (isBinary(node, Op.Binary.Kind.MUL)) {
                return otherThan(node, factor);
            }
            return isBinary(node, Op.Binary.Kind.DIV) && isScalar(node.input(1), 1 / factor)
                    ? Optional.of(node.input(0)) : Optional.empty();
        });
    }

    /** Whether the tensor is x + 0.044715 · x³. */
    private boolean isCubic(String tensor, String source) {
        return inner(tensor).filter(add -> isBinary(add, Op.Binary.Kind.ADD))
                .map(add -> add.input(0).equals(source) ? add.input(1) : add.input(1).equals(source) ? add.input(0) : null)
                .flatMap(this::inner).filter(term -> isBinary(term, Op.Binary.Kind.MUL))
                .flatMap(term -> otherThan(term, 0.044715f)).flatMap(this::inner)
                .filter(cube -> isBinary(cube, Op.Binary.Kind.POW) && cube.input(0).equals(source)
                        && isScalar(cube.input(1), 3))
                .isPresent();
    }

    /** The node that makes a tensor which only one node reads. */
    private Optional<Node> inner(String tensor) {
        boolean shared = graph.outputs().contains(tensor) || graph.consumers(tensor).size() != 1;
        return shared ? Optional.empty() : Optional.ofNullable(recognised.get(tensor));
    }

    /** The operand of a binary node whose other operand is the scalar. */
    private Optional<String> otherThan(Node node, float scalar) {
        return isScalar(node.input(1), scalar) ? Optional.of(node.input(0))
                : isScalar(node.input(0), scalar) ? Optional.of(node.input(1)) : Optional.empty();
    }

    private boolean isScalar(String tensor, float value) {
        Tensor weight = graph.weights().get(tensor);
        return weight != null && weight.type().elements() == 1 && near(weight.floats()[0], value);
    }

    private static boolean near(float left, float right) {
        return Math.abs(left - right) <= 1e-5f * Math.abs(right);
    }

    private static boolean isBinary(Node node, Op.Binary.Kind kind) {
        return node.op() instanceof Op.Binary(var own) && own == kind;
    }

    private static boolean isApply(Node node, Function.Kind kind) {
        return node.op() instanceof Op.Apply(var function) && function.kind() == kind;
    }

    /** The activation in the node's place, if the pattern's constants did not give the result another shape. */
    private Optional<Node> apply(Node node, Function function, String source) {
        return graph.type(source).equals(graph.type(node.output()))
                ? Optional.of(new Node(node.name(), new Op.Apply(function), java.util.List.of(source), node.output()))
                : Optional.empty();
    }
}
