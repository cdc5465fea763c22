package dev.upscale.graph;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** What a legal graph is, as a table of rules. Passes are tested with it: whatever they build is legal. */
public final class Verifier {
    /** One demand on a graph: the check passes on what violates it. */
    private record Rule(String demand, Check check) {}

    private interface Check {
        void check(Graph graph, Consumer<String> complaints);
    }

    private static final List<Rule> RULES = List.of(
            new Rule("every tensor has one source, and nodes read what is made before them", Verifier::checkOrder),
            new Rule("every tensor has the type that follows from its source", Verifier::checkTypes),
            new Rule("inputs and results of nodes hold f32", Verifier::checkElements),
            new Rule("operands that an operation takes as constants are weights", Verifier::checkConstants),
            new Rule("weights are finite", Verifier::checkFinite),
            new Rule("variances of batch normalisations are not negative", Verifier::checkVariances),
            new Rule("there are outputs, each named once and made by something", Verifier::checkOutputs));

    private Verifier() {}

    /**
     * Checks that a graph is legal.
     *
     * @throws InvalidInput if it is not: the first complaint, and how many more there are
     */
    public static void verify(Graph graph) {
        List<String> violations = violations(graph);
        if (!violations.isEmpty()) {
            throw new InvalidInput("graph " + graph.name() + ": " + violations.getFirst()
                    + (violations.size() > 1 ? " (and " + (violations.size() - 1) + " more complaints)" : ""));
        }
    }

    /** All complaints about a graph, each with the rule that is broken; none for a legal one. */
    public static List<String> violations(Graph graph) {
        List<String> violations = new ArrayList<>();
        for (Rule rule : RULES) {
            rule.check().check(graph, complaint -> violations.add(complaint + "; rule: " + rule.demand()));
        }
        return violations;
    }

    private static void checkOrder(Graph graph, Consumer<String> complaints) {
        Set<String> made = new HashSet<>();
        for (String input : graph.inputs()) {
            if (!made.add(input)) {
                complaints.accept("two inputs are called " + input);
            }
        }
        for (String weight : graph.weights().keySet()) {
            if (!made.add(weight)) {
                complaints.accept("input " + weight + " is a weight too");
            }
        }
        for (Node node : graph.nodes()) {
            for (String input : node.inputs()) {
                if (!made.contains(input)) {
                    complaints.accept("node " + node.name() + " reads " + input + ", which nothing before it makes");
                }
            }
            if (!made.add(node.output())) {
                complaints.accept("node " + node.name() + " makes " + node.output() + ", which exists already");
            }
        }
    }

    private static void checkTypes(Graph graph, Consumer<String> complaints) {
        Map<String, TensorType> expected = new HashMap<>();
        graph.weights().forEach((name, weight) -> expected.put(name, weight.type()));
        for (Node node : graph.nodes()) {
            if (graph.types().keySet().containsAll(node.inputs())) {
                try {
                    expected.put(node.output(), ShapeInference.infer(node, node.inputs().stream().map(graph::type).toList()));
                } catch (InvalidInput e) {
                    complaints.accept(e.getMessage());
                }
            }
        }
        expected.forEach((tensor, type) -> {
            if (!type.equals(graph.types().get(tensor))) {
                complaints.accept("tensor " + tensor + " is called " + graph.types().get(tensor) + ", but is " + type);
            }
        });
    }

    private static void checkElements(Graph graph, Consumer<String> complaints) {
        graph.types().forEach((tensor, type) -> {
            if (!graph.isWeight(tensor) && type.element() != ElementType.F32) {
                complaints.accept("tensor " + tensor + " is " + type + ": cast it to float or fold it into a constant");
            }
        });
    }

    private static void checkConstants(Graph graph, Consumer<String> complaints) {
        for (Node node : graph.nodes()) {
            for (int position = firstConstant(node.op()); position < node.inputs().size(); position++) {
                if (!graph.isWeight(node.input(position))) {
                    complaints.accept("node " + node.name() + " (" + OpText.name(node.op()) + ") needs a constant as input "
                            + position + ", but " + node.input(position) + " is computed");
                }
            }
        }
    }

    /** The position from which on an operation's inputs are constants. */
    private static int firstConstant(Op op) {
        return switch (op) {
            case Op.Conv conv -> 1;
            case Op.ConvTranspose conv -> 1;
            case Op.Linear linear -> 1;
            case Op.BatchNorm norm -> 1;
            case Op.ScaleShift scaleShift -> 1;
            case Op.LayerNorm norm -> 1;
            case Op.InstanceNorm norm -> 1;
            case Op.PRelu prelu -> 1;
            case Op.MatMul matMul -> Integer.MAX_VALUE;
            case Op.Lrn lrn -> Integer.MAX_VALUE;
            case Op.Apply apply -> Integer.MAX_VALUE;
            case Op.Binary binary -> Integer.MAX_VALUE;
            case Op.Softmax softmax -> Integer.MAX_VALUE;
            case Op.Concat concat -> Integer.MAX_VALUE;
            case Op.Slice slice -> Integer.MAX_VALUE;
            case Op.Take take -> Integer.MAX_VALUE;
            case Op.Pool pool -> Integer.MAX_VALUE;
            case Op.Reduce reduce -> Integer.MAX_VALUE;
            case Op.Reshape reshape -> Integer.MAX_VALUE;
            case Op.Transpose transpose -> Integer.MAX_VALUE;
            case Op.Expand expand -> Integer.MAX_VALUE;
            case Op.Pad pad -> Integer.MAX_VALUE;
            case Op.Resize resize -> Integer.MAX_VALUE;
            case Op.DepthToSpace depthToSpace -> Integer.MAX_VALUE;
        };
    }

    private static void checkFinite(Graph graph, Consumer<String> complaints) {
        graph.weights().forEach((name, weight) -> {
            if (weight.type().element() != ElementType.F32) {
                return;
            }
            int bad = 0;
            int first = -1;
            float[] values = weight.floats();
            for (int i = 0; i < values.length; i++) {
                if (!Float.isFinite(values[i])) {
                    first = bad++ == 0 ? i : first;
                }
            }
            if (bad > 0) {
                complaints.accept("weight " + name + " " + weight.type() + " holds " + (Float.isNaN(values[first]) ? "NaN" : "infinity")
                        + " at element " + first + ", and " + (bad - 1) + " more elements that are not finite;"
                        + " export the model again from a sound checkpoint");
            }
        });
    }

    private static void checkVariances(Graph graph, Consumer<String> complaints) {
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.BatchNorm norm && node.inputs().size() == 5 && graph.isWeight(node.input(4))) {
                for (float variance : graph.weight(node.input(4)).floats()) {
                    if (variance < 0 || variance + norm.epsilon() <= 0) {
                        complaints.accept("node " + node.name() + " (BatchNorm) has the variance " + variance + " in "
                                + node.input(4));
                        break;
                    }
                }
            }
        }
    }

    private static void checkOutputs(Graph graph, Consumer<String> complaints) {
        Set<String> seen = new HashSet<>();
        if (graph.outputs().isEmpty()) {
            complaints.accept("it has no output");
        }
        for (String output : graph.outputs()) {
            if (!seen.add(output)) {
                complaints.accept("two outputs are called " + output);
            }
            if (!graph.types().containsKey(output)) {
                complaints.accept("nothing makes output " + output);
            }
        }
    }
}
