package dev.upscale.compile;

import dev.upscale.channels.ChannelFlow;
import dev.upscale.channels.Liveness;
import dev.upscale.compile.OrderChannels.ChannelOrder;
import dev.upscale.graph.Graph;
import dev.upscale.plan.Plan;
import java.util.Map;

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
        return MicroBatches.fastest(masked, options, (graph, costed) -> compileBatch(graph, costed, catalog));
    }

    private static Plan compileBatch(Graph masked, CompileOptions options, KernelCatalog catalog) {
        Graph folded = fold(masked);
        ChannelFlow flow = ChannelFlow.of(folded);
        int consumers = flow.consumers().size();
        if (options.variant() == Variant.UNPRUNED) {
            return Lowering.lower(folded, catalog, options, consumers, Map.of());
        }
        Liveness liveness = Liveness.of(flow);
        ChannelOrder order = OrderChannels.apply(flow, liveness, method(options));
        Graph pruned = PruneChannels.apply(flow, liveness, order.rank());
        if (!options.gathers() && options.uses(Technique.HOISTING)) {
            pruned = HoistSelections.apply(pruned, KernelChoice.foldsGathers(options));
        }
        if (!options.gathers() && !options.engines().contains("upscale") && !options.target().isGpu() && options.uses(Technique.FOLDING)) {
            pruned = FoldIntoAdditions.apply(pruned, options);
        }
        return Lowering.lower(pruned, catalog, options, consumers, order.obstacles());
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
        ChannelFlow flow = ChannelFlow.of(folded);
        Liveness liveness = Liveness.of(flow);
        return PruneChannels.apply(flow, liveness, OrderChannels.apply(flow, liveness, method(variant)).rank());
    }

    private static OrderChannels.Method method(CompileOptions options) {
        if (options.variant() == Variant.UPSCALE && !options.uses(Technique.ORDER)) {
            return OrderChannels.Method.ORIGINAL;
        }
        return options.variant() == Variant.UPSCALE && !options.uses(Technique.EXACT_ORDER)
                ? OrderChannels.Method.PAPER
                : method(options.variant());
    }

    private static OrderChannels.Method method(Variant variant) {
        return switch (variant) {
            case UNPRUNED, CONSTRAINED, BASELINE -> OrderChannels.Method.ORIGINAL;
            case PAPER -> OrderChannels.Method.PAPER;
            case UPSCALE -> OrderChannels.Method.EXACT;
        };
    }
}
