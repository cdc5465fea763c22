package dev.upscale.prune;

import dev.upscale.channels.ChannelFlow.Consumer;
import dev.upscale.graph.Node;

/** How much each channel matters, for a {@link Pruner}: only comparisons count. */
public interface Ratings {

    /** One number for each input channel of a consumer. */
    double[] inputs(Consumer consumer);

    /** One number for each output channel of a convolution or matrix product. */
    double[] outputs(Node producer);
}
