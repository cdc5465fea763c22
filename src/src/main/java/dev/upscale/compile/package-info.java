/**
 * From a masked model to an execution plan: passes over the graph, the rewrite by pattern and order, and lowering.
 *
 * <p>The way of a network, as {@link dev.upscale.compile.Compiler} goes it:
 * <ol>
 *   <li>fold: {@link dev.upscale.compile.FoldScales}, {@link dev.upscale.compile.FlattenIntoConvolutions},
 *       {@link dev.upscale.compile.RecogniseShuffles}, {@link dev.upscale.compile.FoldConstantChannels};
 *   <li>order: {@link dev.upscale.compile.OrderChannels} solves one ordering problem for each group of channels;
 *   <li>rewrite: {@link dev.upscale.compile.PruneChannels} drops, permutes and slices channels and weights;
 *   <li>lower: {@link dev.upscale.compile.Lowering} fuses, places tensors and chooses kernels.
 * </ol>
 */
package dev.upscale.compile;
