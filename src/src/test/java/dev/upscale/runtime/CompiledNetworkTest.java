package dev.upscale.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.Compiler;
import dev.upscale.compile.KernelCosts;
import dev.upscale.compile.RandomNetwork;
import dev.upscale.compile.Technique;
import dev.upscale.compile.Variant;
import dev.upscale.graph.DoubleTensor;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.Tensor;
import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import dev.upscale.runtime.cpu.CpuCatalog;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

/** Random networks, compiled for every variant and choice of engines, against the masked model, in a poisoned arena. */
class CompiledNetworkTest {
    private static final List<List<String>> ENGINES =
            List.of(List.of(), List.of("onednn", "xnnpack"), CompileOptions.ALL_ENGINES);

    /** By which micro-batches of one image are the fastest. */
    private static final KernelCosts SMALL_IS_FAST = new KernelCosts() {
        @Override
        public double nanos(String kernel, Step.Convolve step) {
            return Math.pow(step.multiplyAdds(), 2);
        }

        @Override
        public OptionalDouble known(String kernel, Step.Convolve step) {
            return OptionalDouble.of(nanos(kernel, step));
        }
    };

    @Property(tries = 100)
    void plansComputeWhatTheMaskedModelComputes(@ForAll @LongRange(min = 0, max = 1_000_000_000) long seed) {
        Graph masked = RandomNetwork.masked(seed);
        Map<String, Tensor> inputs = RandomNetwork.inputs(masked, seed);
        Map<String, DoubleTensor> expected = Interpreter.run(masked, inputs);
        for (List<String> engines : ENGINES) {
            for (Variant variant : Variant.values()) {
                String what = "seed " + seed + ", " + variant.label() + " on " + engines;
                Plan plan = compile(masked, options(variant, engines, seed), what);
                compare(plan, inputs, expected, 1 + (int) (seed % 2), what);
            }
        }
    }

    /** The property meets them now and then; these for certain. */
    @Test
    void mergedSiblingsComputeWhatTheMaskedModelComputes() {
        for (List<String> engines : ENGINES) {
            int merged = 0;
            for (long seed = 0; seed < 80; seed++) {
                Graph masked = RandomNetwork.masked(seed);
                String what = "seed " + seed + " on " + engines;
                Plan plan = compile(masked, new CompileOptions(Variant.UPSCALE, engines), what);
                if (plan.steps().stream().anyMatch(step -> step instanceof Step.Convolve convolve && convolve.choices().isPresent())) {
                    Map<String, Tensor> inputs = RandomNetwork.inputs(masked, seed);
                    compare(plan, inputs, Interpreter.run(masked, inputs), 1, what);
                    merged++;
                }
            }
            assertTrue(merged > 2, merged + " on " + engines);
        }
    }

    /** Small networks alone would never make it worth a second call, or an addition a second time. */
    private static CompileOptions options(Variant variant, List<String> engines, long seed) {
        CompileOptions options = new CompileOptions(variant, engines);
        CompileOptions costed = seed % 2 == 0 ? options.withCosts(SMALL_IS_FAST) : options;
        CompileOptions laidOut = seed % 3 == 0 ? costed.withChannelsLastInputs() : costed;
        return switch ((int) (seed / 3 % 5)) {
            case 0 -> laidOut.without(Technique.SUPERSETS);
            case 1 -> laidOut.without(Technique.SUMS);
            case 2 -> laidOut.without(Technique.SUMS).without(Technique.SUPERSETS);
            case 3 -> laidOut.weighingGathers();
            default -> laidOut;
        };
    }

    private static Plan compile(Graph masked, CompileOptions options, String what) {
        try {
            return Compiler.compile(masked, options, CpuCatalog.ofMachine());
        } catch (RuntimeException e) {
            throw new AssertionError(what, e);
        }
    }

    private static void compare(
            Plan plan, Map<String, Tensor> inputs, Map<String, DoubleTensor> expected, int threads, String what) {
        try (Arena arena = Arena.ofConfined();
                Executable executable = Executable.prepare(plan);
                Session session = executable.open(SessionOptions.threads(threads).withPoison())) {
            MemorySegment[] sources = plan.inputs().stream()
                    .map(port -> arena.allocateFrom(ValueLayout.JAVA_FLOAT, port.inMemoryOrder(inputs.get(port.name()).floats())))
                    .toArray(MemorySegment[]::new);
            MemorySegment[] results = plan.outputs().stream()
                    .map(port -> arena.allocate(port.bytes(), 64))
                    .toArray(MemorySegment[]::new);
            session.run(sources, results);
            for (int k = 0; k < results.length; k++) {
                DoubleTensor wanted = expected.get(plan.outputs().get(k).name());
                float[] actual = results[k].toArray(ValueLayout.JAVA_FLOAT);
                assertEquals(wanted.values().length, actual.length, what);
                double norm = 0;
                double difference = 0;
                for (int i = 0; i < actual.length; i++) {
                    norm += wanted.values()[i] * wanted.values()[i];
                    difference += Math.pow(wanted.values()[i] - actual[i], 2);
                }
                assertTrue(Math.sqrt(difference) <= 2e-5 * Math.sqrt(norm) + 1e-9,
                        what + ": difference " + Math.sqrt(difference) + " of " + Math.sqrt(norm) + "\n" + plan.steps());
            }
        } catch (RuntimeException e) {
            throw new AssertionError(what + "\n" + plan.steps(), e);
        }
    }
}
