/**
 * The execution plan: what the compiler makes, the plan file holds and a session runs. Names of kernels, places and byte
 * offsets; no address, no native handle.
 *
 * <p>A plan is a list of {@link dev.upscale.plan.Step}s over {@link dev.upscale.plan.View}s. Every tensor of the network
 * lies in the arena, in the caller's input or output memory, or in the plan's constants.
 */
package dev.upscale.plan;
