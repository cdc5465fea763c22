/**
 * What an engine gives to the runtime: kernels prepared once per plan, and invocations of them bound to one session's memory.
 * Addresses are checked when they are bound, so that a run checks nothing.
 */
package dev.upscale.runtime.kernel;
