/**
 * The command line. Each command is a class; it prints a table for people or, with {@code --json}, one JSON document on
 * standard output. Progress goes to standard error. Exit codes: 0 success, 1 a check failed, 2 bad input.
 */
package dev.upscale.cli;
