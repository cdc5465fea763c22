/**
 * The intermediate representation: an immutable graph of operations on tensors with static shapes.
 *
 * <p>Everything here follows ONNX's conventions: tensors are in row-major order, images are [N, C, H, W], the weight of
 * a convolution is [O, I/groups, H, W]. A graph holds no symbolic dimension and no shape arithmetic: the importer has
 * folded both. How tensors lie in memory is decided later, by the plan.
 */
package dev.upscale.graph;
