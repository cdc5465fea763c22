/**
 * Channel flow: for every tensor of a graph, which producers' channels each of its channels comes from; and patterns,
 * which say what channels each consumer retains.
 *
 * <p>The words are the paper's (Wan et al., "UPSCALE: Unconstrained Channel Pruning", ICML 2023, section 3): a
 * <em>producer</em> makes channels (a convolution's outputs), a <em>consumer</em> reads a chosen subset of them (a
 * convolution's inputs), a <em>segment</em> is what lies between producers and consumers that must agree on an order.
 */
package dev.upscale.channels;
