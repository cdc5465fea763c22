/**
 * The public API: read a network and a pattern, compile them to a plan, save and load it, and run it.
 *
 * <pre>{@code
 * Graph network = Upscale.read(Path.of("resnet.onnx"));
 * Plan plan = Upscale.compile(Upscale.prune(network, Path.of("pattern.json")));
 * try (Executable executable = Upscale.prepare(plan); Session session = executable.open(1)) {
 *     session.run(new MemorySegment[] {image}, new MemorySegment[] {scores});
 * }
 * }</pre>
 */
package dev.upscale;
