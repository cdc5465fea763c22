/**
 * Runs plans on a CUDA device: our kernels, cuDNN and cuBLASLt, captured into one CUDA graph that a session replays. Every status is
 * checked; an error that the device reports later names the step that failed.
 */
package dev.upscale.runtime.cuda;
