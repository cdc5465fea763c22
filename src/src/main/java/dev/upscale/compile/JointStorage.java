package dev.upscale.compile;

import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * Memory that concats share which pass channels on to each other (ShuffleNet: half of each concat's channels go into the
 * next one untouched). Every tensor that is computed gets a range of positions in it; a concat is the list of its channels'
 * positions, to be read by index, and nothing is copied.
 */
final class JointStorage {

    /** The image whose pixels the storage has. */
    private final String image;
    /** The tensors that are computed into it, with the first of their positions. */
    private final Map<String, Integer> written = new LinkedHashMap<>();
    /** The concats that are found in it, with their channels' positions. */
    private final Map<String, List<Integer>> concats = new LinkedHashMap<>();
    private int width;

    private JointStorage(String image) {
        this.image = image;
    }

    String image() {
        return image;
    }

    Map<String, Integer> written() {
        return written;
    }

    Map<String, List<Integer>> concats() {
        return concats;
    }

    /** How many channels a pixel has. */
    int width() {
        return width;
    }

    /**
     * The joint storages of a graph.
     *
     * @param isFree whether a tensor is computed by a step and has no place yet
     */
    static List<JointStorage> of(Graph graph, Predicate<String> isFree) {
        Map<String, JointStorage> owners = new LinkedHashMap<>();
        List<JointStorage> storages = new ArrayList<>();
        for (Node node : graph.nodes()) {
            if (isChannelConcat(node) && isFree.test(node.output())) {
                node.inputs().stream()
                        .map(part -> Selection.of(graph, part))
                        .filter(Selection::isSelection)
                        .findFirst()
                        .flatMap(passed -> owner(graph, passed.tensor(), owners, isFree))
                        .filter(storage -> storage.join(graph, node, owners, isFree))
                        .filter(storage -> !storages.contains(storage))
                        .ifPresent(storages::add);
            }
        }
        return storages;
    }

    private static boolean isChannelConcat(Node node) {
        return node.op() instanceof Op.Concat concat && concat.axis() == 1;
    }

    /** The storage that holds a tensor already, or a new one made for it. */
    private static Optional<JointStorage> owner(
            Graph graph, String tensor, Map<String, JointStorage> owners, Predicate<String> isFree) {
        if (owners.containsKey(tensor)) {
            return Optional.of(owners.get(tensor));
        }
        if (graph.type(tensor).rank() != 4 || !isFree.test(tensor)) {
            return Optional.empty();
        }
        JointStorage storage = new JointStorage(tensor);
        Node producer = graph.producer(tensor).orElseThrow();
        if (!isChannelConcat(producer)) {
            storage.write(tensor, graph.type(tensor).dim(1), owners);
            return Optional.of(storage);
        }
        return Optional.of(storage).filter(made -> made.join(graph, producer, owners, isFree));
    }

    /** Takes a concat in, if each part is here already, passed on from here, or free to be computed here. */
    private boolean join(Graph graph, Node concat, Map<String, JointStorage> owners, Predicate<String> isFree) {
        Set<String> added = new HashSet<>();
        for (String part : concat.inputs()) {
            String tensor = Selection.of(graph, part).tensor();
            boolean here = owners.get(tensor) == this;
            boolean computed = tensor.equals(part) && !owners.containsKey(tensor) && isFree.test(tensor)
                    && !isChannelConcat(graph.producer(tensor).orElseThrow()) && added.add(tensor);
            if (!here && !computed) {
                return false;
            }
        }
        List<Integer> positions = new ArrayList<>();
        for (String part : concat.inputs()) {
            Selection selection = Selection.of(graph, part);
            if (!owners.containsKey(selection.tensor())) {
                write(part, graph.type(part).dim(1), owners);
            }
            List<Integer> source = positions(graph, selection.tensor());
            selection.channels().forEach(channel -> positions.add(source.get(channel)));
        }
        concats.put(concat.output(), List.copyOf(positions));
        owners.put(concat.output(), this);
        return true;
    }

    private void write(String tensor, int channels, Map<String, JointStorage> owners) {
        written.put(tensor, width);
        width += channels;
        owners.put(tensor, this);
    }

    private List<Integer> positions(Graph graph, String tensor) {
        if (concats.containsKey(tensor)) {
            return concats.get(tensor);
        }
        int first = written.get(tensor);
        return IntStream.range(first, first + graph.type(tensor).dim(1)).boxed().toList();
    }
}
