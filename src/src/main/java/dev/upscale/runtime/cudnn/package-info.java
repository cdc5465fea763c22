/**
 * cuDNN's graph API, typed: operations and tensors are records whose sizes are checked before the library is called, descriptors have
 * one owner each, and every error carries the library's own last words. Execution plans are built for a described device, whether it is
 * in this machine or not.
 */
package dev.upscale.runtime.cudnn;
