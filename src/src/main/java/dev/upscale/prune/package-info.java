/** Pruning without training: how much each input channel of a consumer matters, and which channels are retained. */
package dev.upscale.prune;
