package dev.upscale.onnx;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a model's file calls the nodes that became part of another when it was read: the Sigmoid of a SiLU, say. An export that spells that
 * out again gives them back. Hands each node out once.
 */
final class SourceNames {
    private final Map<String, OnnxModel.Node> producers = new HashMap<>();
    private final Set<OnnxModel.Node> given = new HashSet<>();

    private SourceNames(List<OnnxModel.Node> nodes) {
        nodes.forEach(node -> node.outputs().forEach(output -> producers.put(output, node)));
    }

    /** Knows no names: what is spelled out is named by what it makes. */
    static SourceNames none() {
        return new SourceNames(List.of());
    }

    static SourceNames of(OnnxModel source) {
        return new SourceNames(source.graph().nodes());
    }

    /**
     * The node of a type that a tensor was computed by, nearest first.
     *
     * @param others the tensors that the exported graph has: what lies behind them belongs to other nodes
     */
    Optional<OnnxModel.Node> take(String tensor, String opType, Set<String> others) {
        Deque<OnnxModel.Node> open = new ArrayDeque<>();
        Set<OnnxModel.Node> met = new HashSet<>();
        Optional.ofNullable(producers.get(tensor)).ifPresent(open::add);
        while (!open.isEmpty()) {
            OnnxModel.Node node = open.remove();
            boolean inner = !node.outputs().contains(tensor);
            if (inner && node.opType().equals(opType) && node.outputs().size() == 1 && given.add(node)) {
                return Optional.of(node);
            }
            node.inputs().stream().filter(input -> !others.contains(input)).map(producers::get)
                    .filter(before -> before != null && met.add(before)).forEach(open::add);
        }
        return Optional.empty();
    }
}
