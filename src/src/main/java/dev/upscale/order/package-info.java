/**
 * The ordering problem and its solvers: in which order should a producer emit its channels, so that as many consumers as
 * possible find their retained channels side by side and read a view instead of a gathered copy?
 *
 * <p>{@link dev.upscale.order.Orderings#solve} is the entry. {@link dev.upscale.order.OrderingProblem} states a problem,
 * {@link dev.upscale.order.Ordering} answers it with a proven lower bound and a {@link dev.upscale.order.Certificate}.
 * {@link dev.upscale.order.PaperOrdering} is the published heuristic, {@link dev.upscale.order.ExactOrdering} ours.
 * The package depends on the JDK alone, and all of it is deterministic.
 */
package dev.upscale.order;
