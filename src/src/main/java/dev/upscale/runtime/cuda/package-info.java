/**
 * Runs plans on a CUDA device: our kernels and cuDNN, captured into one CUDA graph that a session replays. Every status is
 * checked; an error that the device reports later names the step that failed.
 */
package dev.upscale.runtime.cuda;
