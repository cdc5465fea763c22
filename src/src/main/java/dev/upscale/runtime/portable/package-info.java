/**
 * Kernels in pure Java for every operation on any layout: the default that always works, and what runs the operations that no
 * library takes. They read a row of elements into an array, compute on arrays, and write a row back.
 */
package dev.upscale.runtime.portable;
