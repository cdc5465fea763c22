/**
 * Runs execution plans: a plan is loaded into an {@link dev.upscale.runtime.Executable} once, and run in
 * {@link dev.upscale.runtime.Session}s.
 */
package dev.upscale.runtime;
