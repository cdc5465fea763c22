/**
 * Benchmarks: JMH suites per kernel, per network and of the foreign-function overhead, and the peers that the command
 * {@code bench} compares with. Nothing of this is needed to compile or run a network.
 */
package dev.upscale.bench;
