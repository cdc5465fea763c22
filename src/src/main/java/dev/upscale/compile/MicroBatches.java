package dev.upscale.compile;

import dev.upscale.graph.Graph;
import dev.upscale.plan.Plan;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.stream.IntStream;

/**
 * Divides a batch into micro-batches that run from the first step to the last one after the other: their activations stay in the cache,
 * where a layer of a whole batch would leave it before the next reads it, and threads compute one each and need not wait for each other
 * at every step. Too small ones read the weights too often, and fill the kernels' tiles less well.
 */
final class MicroBatches {
    /** Larger micro-batches are not tried: activations of four images fill the cache as the whole batch does. */
    private static final int MOST_IMAGES = 4;
    /** What a smaller micro-batch, whose arena is smaller, may cost more. */
    private static final double TIE = 1.02;

    private static final double MULTIPLY_ADDS_PER_NANO = 75;
    private static final double WEIGHT_BYTES_PER_NANO = 20;
    /** Of the time of the arithmetic: what reading the weights may take. */
    private static final double READING = 0.1;

    private MicroBatches() {}

    /**
     * The plan that takes the least time, by the options' costs where they have some.
     *
     * @param compiler compiles a network for a batch in one
     */
    static Plan fastest(Graph network, CompileOptions options, BiFunction<Graph, CompileOptions, Plan> compiler) {
        int batch = options.uses(Technique.MICRO_BATCHES) && !options.target().isGpu() ? BatchSize.of(network) : 1;
        if (batch == 1) {
            return compiler.apply(network, options);
        }
        return options.costs().isPresent() ? byCosts(network, batch, options, compiler) : byWeights(network, batch, options, compiler);
    }

    private static Plan byCosts(Graph network, int batch, CompileOptions options, BiFunction<Graph, CompileOptions, Plan> compiler) {
        KernelCosts costs = options.costs().get();
        Plan fastest = null;
        double least = Double.POSITIVE_INFINITY;
        for (int images : IntStream.rangeClosed(1, batch).filter(size -> batch % size == 0 && (size <= MOST_IMAGES || size == batch)).toArray()) {
            Optional<Graph> part = BatchSize.resize(network, images);
            if (part.isPresent()) {
                int times = batch / images;
                KernelCosts each = costs.onThreads(costs.threads() / Math.min(costs.threads(), times));
                Plan plan = compiler.apply(part.get(), options.withCosts(each)).repeated(times);
                double nanos = costs.nanos(plan);
                if (fastest == null || nanos * TIE < least) {
                    fastest = plan;
                    least = nanos;
                }
            }
        }
        return fastest;
    }

    /** The fewest images, but at least two, whose arithmetic takes ten times as long as reading the weights. */
    private static Plan byWeights(Graph network, int batch, CompileOptions options, BiFunction<Graph, CompileOptions, Plan> compiler) {
        for (int images = 2; images <= batch / 2; images++) {
            Optional<Graph> part = batch % images == 0 ? BatchSize.resize(network, images) : Optional.empty();
            if (part.isPresent()) {
                Plan plan = compiler.apply(part.get(), options);
                double reading = plan.weightsBytes() / WEIGHT_BYTES_PER_NANO;
                if (reading <= READING * plan.multiplyAdds() / MULTIPLY_ADDS_PER_NANO) {
                    return plan.repeated(batch / images);
                }
            }
        }
        return compiler.apply(network, options);
    }
}
