package dev.upscale.cli;

import dev.upscale.channels.Masking;
import dev.upscale.channels.Pattern;
import dev.upscale.compile.RecogniseShuffles;
import dev.upscale.compile.Variant;
import dev.upscale.graph.DoubleTensor;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.Tensor;
import dev.upscale.prune.ConstrainPattern;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The networks that the variants of one comparison are compiled from: the unpruned one, the masked model, and the constrained
 * one, which has a masked model of its own. Each is the truth for its variants.
 */
final class Networks {
    private final Graph unpruned;
    private final Pattern pattern;
    private final Map<String, Tensor> inputs;
    private final Map<Variant, Graph> networks = new EnumMap<>(Variant.class);
    private final Map<Variant, List<DoubleTensor>> truths = new EnumMap<>(Variant.class);

    Networks(Graph unpruned, Pattern pattern, Map<String, Tensor> inputs) {
        this.unpruned = unpruned;
        this.pattern = pattern;
        this.inputs = inputs;
    }

    /** The network that a variant is compiled from. */
    static Graph of(Variant variant, Graph unpruned, Pattern pattern) {
        return switch (variant) {
            case UNPRUNED -> unpruned;
            case CONSTRAINED -> Masking.apply(unpruned, ConstrainPattern.apply(RecogniseShuffles.apply(unpruned), pattern));
            case BASELINE, PAPER, UPSCALE -> Masking.apply(unpruned, pattern);
        };
    }

    Graph of(Variant variant) {
        return networks.computeIfAbsent(representative(variant), network -> of(network, unpruned, pattern));
    }

    /** Of the variants that compute the same, the one that stands for all. */
    private static Variant representative(Variant variant) {
        return variant == Variant.BASELINE || variant == Variant.PAPER ? Variant.UPSCALE : variant;
    }

    Map<String, Tensor> inputs() {
        return inputs;
    }

    /** What the reference engine gives for a variant's network, in the order of the model's outputs. */
    List<DoubleTensor> truth(Variant variant) {
        return truths.computeIfAbsent(representative(variant), network -> List.copyOf(Interpreter.run(of(network), inputs).values()));
    }
}
