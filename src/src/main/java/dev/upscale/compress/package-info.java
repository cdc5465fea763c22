/**
 * Compression with a look at what the network computes: weights solved for from unlabelled inputs, channels chosen by the error that
 * is left, and the best pattern for a budget of time. Runs networks on this machine's engines.
 */
package dev.upscale.compress;
