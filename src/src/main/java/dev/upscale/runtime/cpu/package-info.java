/** The CPU's kernels: the native libraries' as kernels of plan steps, and the catalog of all that there are. */
package dev.upscale.runtime.cpu;
