/**
 * cuBLASLt's matrix products, typed: a product is a record whose sizes are checked before the library is called, descriptors have one
 * owner each, and every error carries the library's own words. Descriptors need no device; {@link dev.upscale.runtime.cublaslt.Handle} does.
 */
package dev.upscale.runtime.cublaslt;
