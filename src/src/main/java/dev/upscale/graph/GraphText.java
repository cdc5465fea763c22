package dev.upscale.graph;

import static dev.upscale.graph.TextScanner.quoted;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Graphs as text, printed and parsed: the form in which passes are tested.
 *
 * <pre>{@code
 * graph tiny(x: f32[1,8,4,4]) -> y {
 *   w1: f32[16,8,3,3] = random(1)
 *   a = Conv(x, w1) kernel=3x3 stride=2 pad=1 : f32[1,16,2,2] @conv1
 *   b = Apply(a) clip(0,6)
 *   y = Concat(a, b) axis=1
 * }
 * }</pre>
 *
 * <p>One line per weight and node, weights before their first reader, {@code #} starts a comment. A node's type is
 * optional, and checked if it is there; the name after {@code @} is that of the node where it is not its output's. Names
 * other than letters, digits (not first), {@code _}, {@code .} and {@code /} are in double quotes. Attributes that have
 * their usual value are left out; {@code kernel=3} is {@code 3x3} (height, width), {@code pad=1} is
 * {@code pad=1,1,1,1} (top, left, bottom, right), {@code [0..3]} is {@code [0,1,2,3]}.
 *
 * <p>Contents of weights: up to 16 values are listed in brackets. Otherwise {@code zeros}, {@code ones},
 * {@code fill(value)}, {@code iota} (0, 1, 2, ...), {@code random(seed)} (in [−0.5, 0.5)) and {@code positive(seed)} (in
 * [0.5, 1.5)) are written and read exactly; anything else is printed as {@code data(checksum)}, which reads back as some
 * contents of that type. A part of generated contents is written with the whole's type:
 * {@code random(1, f32[16,8,3,3]).take(1, [0..3,6])}.
 */
public final class GraphText {
    private GraphText() {}

    /** The graph as text, with types. */
    public static String print(Graph graph) {
        StringBuilder text = new StringBuilder("graph ").append(quoted(graph.name()));
        text.append(graph.inputs().stream().map(input -> quoted(input) + ": " + graph.type(input))
                .collect(Collectors.joining(", ", "(", ")")));
        text.append(graph.outputs().stream().map(TextScanner::quoted).collect(Collectors.joining(", ", " -> ", " {\n")));
        Set<String> printed = new HashSet<>();
        for (Node node : graph.nodes()) {
            for (String input : node.inputs()) {
                if (graph.isWeight(input) && printed.add(input)) {
                    weight(graph, input, text);
                }
            }
            text.append("  ").append(quoted(node.output())).append(" = ").append(OpText.name(node.op()));
            text.append(node.inputs().stream().map(TextScanner::quoted).collect(Collectors.joining(", ", "(", ")")));
            text.append(OpText.attributes(node.op())).append(" : ").append(graph.type(node.output()));
            if (!node.name().equals(node.output())) {
                text.append(" @").append(quoted(node.name()));
            }
            text.append('\n');
        }
        graph.weights().keySet().stream().filter(printed::add).forEach(weight -> weight(graph, weight, text));
        return text.append("}\n").toString();
    }

    private static void weight(Graph graph, String weight, StringBuilder text) {
        text.append("  ").append(quoted(weight)).append(": ").append(graph.type(weight))
                .append(" = ").append(WeightText.print(graph.weight(weight))).append('\n');
    }

    /**
     * The graph that a text describes.
     *
     * @throws InvalidInput if the text or the graph has a mistake; the message names line and column
     */
    public static Graph parse(String text) {
        TextScanner scanner = new TextScanner(text);
        scanner.skipLines();
        scanner.expect("graph");
        Graph.Builder graph = Graph.builder(scanner.name("the graph's name"));
        List<String> outputs = signature(scanner, graph);
        scanner.expect("{");
        scanner.skipLines();
        while (!scanner.accept("}")) {
            statement(scanner, graph);
            if (!scanner.atLineEnd() && !scanner.sees("}")) {
                throw scanner.invalid(scanner.position(), "expected the end of the line");
            }
            scanner.skipLines();
        }
        scanner.skipLines();
        if (!scanner.atEnd()) {
            throw scanner.invalid(scanner.position(), "text after the graph's closing brace");
        }
        outputs.forEach(graph::output);
        return graph.build();
    }

    /** Reads {@code (x: f32[1,8], ...) -> y, ...} and gives the outputs. */
    private static List<String> signature(TextScanner scanner, Graph.Builder graph) {
        scanner.expect("(");
        scanner.skipLines();
        while (!scanner.accept(")")) {
            int start = scanner.position();
            String input = scanner.name("an input's name");
            requireNew(scanner, start, input, graph);
            scanner.expect(":");
            graph.input(input, WeightText.type(scanner));
            scanner.skipLines();
            if (!scanner.sees(")")) {
                scanner.expect(",");
                scanner.skipLines();
            }
        }
        scanner.expect("->");
        List<String> outputs = new ArrayList<>();
        while (!scanner.sees("{")) {
            outputs.add(scanner.name("an output's name or '{'"));
            if (!scanner.sees("{")) {
                scanner.expect(",");
            }
        }
        return outputs;
    }

    private static void statement(TextScanner scanner, Graph.Builder graph) {
        int start = scanner.position();
        String tensor = scanner.name("a tensor's name or '}'");
        requireNew(scanner, start, tensor, graph);
        if (scanner.accept(":")) {
            TensorType type = WeightText.type(scanner);
            scanner.expect("=");
            graph.weight(tensor, WeightText.parse(scanner, type));
            return;
        }
        scanner.expect("=");
        scanner.skipSpaces();
        int place = scanner.position();
        String name = scanner.name("an operation");
        List<String> inputs = inputs(scanner);
        Op op;
        try {
            op = OpText.parse(scanner, name, place);
        } catch (IllegalArgumentException e) {
            throw scanner.invalid(place, e.getMessage());
        }
        TensorType expected = scanner.accept(":") ? WeightText.type(scanner) : null;
        String nodeName = scanner.accept("@") ? scanner.name("the node's name") : tensor;
        try {
            graph.node(new Node(nodeName, op, inputs, tensor));
        } catch (InvalidInput e) {
            throw e.in(scanner.place(place));
        }
        if (expected != null && !expected.equals(graph.type(tensor))) {
            throw scanner.invalid(start, tensor + " is " + graph.type(tensor) + ", not " + expected);
        }
    }

    private static List<String> inputs(TextScanner scanner) {
        List<String> inputs = new ArrayList<>();
        scanner.expect("(");
        scanner.skipLines();
        while (!scanner.accept(")")) {
            inputs.add(scanner.name("an input's name or ')'"));
            scanner.skipLines();
            if (!scanner.sees(")")) {
                scanner.expect(",");
                scanner.skipLines();
            }
        }
        return inputs;
    }

    private static void requireNew(TextScanner scanner, int start, String tensor, Graph.Builder graph) {
        if (graph.has(tensor)) {
            throw scanner.invalid(start, "tensor " + tensor + " exists already");
        }
    }
}
