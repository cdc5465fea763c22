package dev.upscale.compress;

import dev.upscale.channels.Masking;
import dev.upscale.channels.Pattern;
import dev.upscale.channels.WeightAxes;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Node;
import dev.upscale.prune.LeastSquares;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Solves for the weights that remain. Layers are taken in topological order; each gets the weights, and a bias, with which its outputs
 * on the inputs that the already compressed network gives it are nearest to the unpruned network's outputs at the same place, in the
 * least-squares sense ({@link LeastSquares}), as in He et al., "Channel Pruning for Accelerating Very Deep Neural Networks", ICCV 2017,
 * section 3.1 (the step that reconstructs), here for each consumer's own set of channels. Inputs need no labels.
 *
 * <p>Convolutions without groups and matrix products are solved for; depthwise, grouped and transposed convolutions, and weights that
 * several nodes read, stay as the masked model has them. Layers whose inputs nothing has changed and that retain everything too. A layer
 * that has fewer than three outputs (pixels of all images) for each of its inputs gets only a gain and a bias for each output channel.
 */
public final class Compensation {
    /** With fewer outputs than this for each unknown, the solution fits the images that were given, and no others. */
    private static final int FEWEST_OUTPUTS_PER_UNKNOWN = 3;
    /** A good choice on all networks that were tried. */
    public static final double USUAL_RIDGE = 1e-3;

    private final Graph unpruned;
    private final Pattern pattern;
    private final double ridge;
    private final Set<String> changed = new HashSet<>();
    private final Map<String, Solution> solutions = new LinkedHashMap<>();

    private Compensation(Graph unpruned, Pattern pattern, double ridge) {
        this.unpruned = unpruned;
        this.pattern = pattern;
        this.ridge = ridge;
    }

    /**
     * How the work is done.
     *
     * @param ridge see {@link LeastSquares}
     * @param threads threads that work at once
     * @param heapBytes activations kept in the heap, for each of the two networks; beyond that they go to a temporary file
     */
    public record Options(double ridge, int threads, long heapBytes) {
        /** With that many threads, and a sixth of the heap for each network's activations. */
        public static Options of(int threads) {
            return new Options(USUAL_RIDGE, threads, Runtime.getRuntime().maxMemory() / 6);
        }

        public Options withRidge(double chosen) {
            return new Options(chosen, threads, heapBytes);
        }
    }

    /**
     * The solved weights of all layers that changed, by weight.
     *
     * @param graph the unpruned network; dimension 0 of its one input is how many images are run at once
     * @param images at least as many as that; what is left over does not count
     * @throws InvalidInput if the pattern does not fit, or there are too few images
     */
    public static Map<String, Solution> solve(Graph graph, Pattern pattern, Images images, Options options, Checkpoint checkpoint, Progress progress) {
        int batch = Inference.requireBatch(graph);
        if (images.count() < batch) {
            throw new InvalidInput(images.count() + " images are fewer than a batch of " + batch + "; give more, or a smaller --batch");
        }
        Compensation compensation = new Compensation(graph, pattern, options.ridge());
        try (Workers workers = new Workers(options.threads());
                StagedRun truth = new StagedRun(graph, images, workers, options.heapBytes());
                StagedRun compressed = new StagedRun(graph, images, workers, options.heapBytes())) {
            compensation.run(truth, compressed, workers, checkpoint, progress);
        }
        return compensation.solutions;
    }

    /** The network with the pattern's channels zeroed and the solved weights in place. */
    public static Graph apply(Graph graph, Pattern pattern, Map<String, Solution> solutions) {
        return Solution.apply(Masking.apply(graph, pattern), solutions);
    }

    private void run(StagedRun truth, StagedRun compressed, Workers workers, Checkpoint checkpoint, Progress progress) {
        Graph current = Masking.apply(unpruned, pattern);
        List<Node> nodes = unpruned.nodes();
        int last = IntStream.range(0, nodes.size()).filter(place -> isLayer(nodes.get(place))).max().orElse(-1);
        for (int place = 0; place <= last; place++) {
            Node node = nodes.get(place);
            if (isLayer(node) && isTouched(node)) {
                String weight = node.input(1);
                Solution solution = checkpoint.read(place, weight).orElse(null);
                if (solution == null) {
                    compressed.advance(current, place);
                    truth.advance(unpruned, place + 1);
                    solution = solve(node, compressed, truth, workers);
                    checkpoint.write(place, solution);
                }
                solutions.put(weight, solution);
                current = Solution.apply(current, Map.of(weight, solution));
            }
            if (node.inputs().stream().anyMatch(changed::contains) || node.inputs().size() > 1 && isMasked(node.input(1)) || isSolved(node)) {
                changed.add(node.output());
            }
            progress.at(place + 1, last + 1, node.name());
        }
    }

    private boolean isSolved(Node node) {
        return node.inputs().size() > 1 && solutions.containsKey(node.input(1));
    }

    private boolean isLayer(Node node) {
        return node.inputs().size() > 1 && Unfolding.fits(unpruned, node) && unpruned.consumers(node.input(1)).size() == 1;
    }

    private boolean isTouched(Node node) {
        return changed.contains(node.input(0)) || isMasked(node.input(1));
    }

    private boolean isMasked(String weight) {
        return pattern.consumers().containsKey(weight) || pattern.producers().containsKey(weight);
    }

    private Solution solve(Node node, StagedRun compressed, StagedRun truth, Workers workers) {
        int channels = WeightAxes.of(unpruned, node).orElseThrow().inputs();
        int[] retained = pattern.consumers().getOrDefault(node.input(1), IntStream.range(0, channels).toArray());
        Unfolding unfolding = new Unfolding(unpruned, node, retained);
        LeastSquares problem = LayerProblem.gather(unfolding, node, compressed, truth, unpruned, ridge, workers);
        double[] masked = unfolding.weights(unpruned, node);
        boolean enough = problem.observations() >= (double) FEWEST_OUTPUTS_PER_UNKNOWN * problem.rows();
        double[] solved = enough ? problem.solve() : problem.scaled();
        int[] outputs = pattern.producers().get(node.input(1));
        if (outputs != null) {
            keepOnly(outputs, solved, masked, problem);
        }
        double variance = Math.max(problem.variance(), Double.MIN_NORMAL);
        return new Solution(node.input(1), unfolding.weight(solved), unfolding.bias(solved), problem.error(masked) / variance,
                problem.error(solved) / variance);
    }

    /** Output channels that the producer does not retain have no weights, and the bias that they had. */
    private static void keepOnly(int[] outputs, double[] solved, double[] masked, LeastSquares problem) {
        for (int target = 0; target < problem.targets(); target++) {
            if (Arrays.binarySearch(outputs, target) < 0) {
                for (int row = 0; row < problem.rows(); row++) {
                    int k = row * problem.targets() + target;
                    solved[k] = row == problem.rows() - 1 ? masked[k] : 0;
                }
            }
        }
    }
}
