package dev.upscale.compile;

import dev.upscale.channels.ChannelFlow;
import dev.upscale.channels.Liveness;
import dev.upscale.graph.Graph;
import dev.upscale.plan.Plan;

/** The way from a masked model to a plan, in one chain. Stateless; safe for use by any number of threads. */
public final class Compiler {
    private Compiler() {}

    /**
     * Compiles a network.
     *
     * @param masked the model, with the weights of pruned channels zeroed ({@link dev.upscale.channels.Masking})
     * @param catalog what the machine's kernels can do
     */
    public static Plan compile(Graph masked, CompileOptions options, KernelCatalog catalog) {
        Graph folded = fold(masked);
        ChannelFlow flow = ChannelFlow.of(folded);
        Graph pruned = options.variant() == Variant.UNPRUNED ? folded : prune(flow, options.variant());
        return Lowering.lower(pruned, catalog, options, flow.consumers().size());
    }

    /**
     * The network without what can be computed now, and without detours: scales are folded into weights before channels
     * are flattened, so that the convolution that a flattened matrix product becomes has them; constants are folded last,
     * when every bias is known.
     */
    public static Graph fold(Graph masked) {
        Graph scaled = FoldScales.apply(DropDeadNodes.apply(masked));
        Graph unflattened = FlattenIntoConvolutions.apply(scaled);
        Graph shuffled = RecogniseShuffles.apply(unflattened);
        return FoldConstantChannels.apply(shuffled);
    }

    /** The pruned network, its channels in the variant's order. */
    public static Graph prune(Graph folded, Variant variant) {
        return prune(ChannelFlow.of(folded), variant);
    }

    private static Graph prune(ChannelFlow flow, Variant variant) {
        OrderChannels.Method method = switch (variant) {
            case UNPRUNED, CONSTRAINED, BASELINE -> OrderChannels.Method.ORIGINAL;
            case PAPER -> OrderChannels.Method.PAPER;
            case UPSCALE -> OrderChannels.Method.EXACT;
        };
        Liveness liveness = Liveness.of(flow);
        return PruneChannels.apply(flow, liveness, OrderChannels.apply(flow, liveness, method).rank());
    }
}
