/**
 * For tests of your own: assertions on what a network compiles to. They throw {@link java.lang.AssertionError} and need no test framework, so
 * that JUnit, TestNG and any other show them as failures.
 */
package dev.upscale.testing;
