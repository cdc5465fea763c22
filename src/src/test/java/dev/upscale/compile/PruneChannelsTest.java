package dev.upscale.compile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.channels.Masking;
import dev.upscale.channels.Pattern;
import dev.upscale.graph.DoubleTensor;
import dev.upscale.graph.Graph;
import dev.upscale.graph.GraphText;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.Verifier;
import java.util.Map;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;

class PruneChannelsTest {

    @Test
    void readsContiguousChannelsByASliceAndOthersByATake() {
        String network = """
                graph net(x: f32[1,2,4,4]) -> y {
                  w0: f32[6,2,1,1] = random(1)
                  a = Conv(x, w0) kernel=1x1
                  w1: f32[3,6,1,1] = random(2)
                  b = Conv(a, w1) kernel=1x1
                  w2: f32[3,6,1,1] = random(3)
                  c = Conv(a, w2) kernel=1x1
                  y = Binary(b, c) add
                }
                """;
        Pattern pattern = new Pattern("", Map.of("w1", new int[] {0, 2, 4}, "w2", new int[] {1, 2, 3}), Map.of());
        assertEquals("""
                graph net(x: f32[1,2,4,4]) -> y {
                  a = Conv(x, w0.pruned) kernel=1x1 : f32[1,5,4,4]
                  a.channels = Take(a) axis=1 indices=[0,2,4] : f32[1,3,4,4]
                  b = Conv(a.channels, w1.pruned) kernel=1x1 : f32[1,3,4,4]
                  a.channels.1 = Slice(a) axis=1 start=1 size=3 : f32[1,3,4,4]
                  c = Conv(a.channels.1, w2.pruned) kernel=1x1 : f32[1,3,4,4]
                  y = Binary(b, c) add : f32[1,3,4,4]
                }
                """, pruned(network, pattern, Variant.BASELINE));
        assertEquals("""
                graph net(x: f32[1,2,4,4]) -> y {
                  a = Conv(x, w0.pruned) kernel=1x1 : f32[1,5,4,4]
                  a.channels = Slice(a) axis=1 start=0 size=3 : f32[1,3,4,4]
                  b = Conv(a.channels, w1.pruned) kernel=1x1 : f32[1,3,4,4]
                  a.channels.1 = Slice(a) axis=1 start=2 size=3 : f32[1,3,4,4]
                  c = Conv(a.channels.1, w2.pruned) kernel=1x1 : f32[1,3,4,4]
                  y = Binary(b, c) add : f32[1,3,4,4]
                }
                """, pruned(network, pattern, Variant.UPSCALE));
    }

    @Test
    void dropsProducersThatOnlyFeedDroppedChannels() {
        assertEquals("""
                graph net(x: f32[1,2,4,4]) -> y {
                  a = Conv(x, w0.pruned) kernel=1x1 : f32[1,1,4,4]
                  b = Conv(a, w1.pruned) kernel=1x1 : f32[1,1,4,4]
                  y = Conv(b, w2.pruned) kernel=1x1 : f32[1,2,4,4]
                }
                """, pruned("""
                graph net(x: f32[1,2,4,4]) -> y {
                  w0: f32[2,2,1,1] = random(1)
                  a = Conv(x, w0) kernel=1x1
                  w1: f32[2,2,1,1] = [1, 0, 0, 1]
                  b = Conv(a, w1) kernel=1x1
                  w2: f32[2,2,1,1] = random(3)
                  y = Conv(b, w2) kernel=1x1
                }
                """, new Pattern("", Map.of("w2", new int[] {1}), Map.of()), Variant.UPSCALE));
    }

    @Test
    void aConsumerThatRetainsNothingGivesItsBias() {
        assertEquals("""
                graph net(x: f32[1,2,4,4]) -> y {
                  y = Expand(a.constant) dims=[1,3,4,4] : f32[1,3,4,4] @y
                }
                """.replace("a.constant", "y.constant"), pruned("""
                graph net(x: f32[1,2,4,4]) -> y {
                  w0: f32[3,2,1,1] = random(1)
                  b0: f32[3] = [1, 2, 3]
                  y = Conv(x, w0, b0) kernel=1x1
                }
                """, new Pattern("", Map.of("w0", new int[0]), Map.of()), Variant.UPSCALE).replace("4,4]\n}", "4,4] @y\n}"));
    }

    @Test
    void aShuffleAndASplitMoveNothing() {
        assertEquals("""
                graph net(x: f32[1,2,4,4]) -> y, z {
                  a = Conv(x, w0) kernel=1x1 : f32[1,4,4,4]
                  a.channels = Take(a) axis=1 indices=[0,2] : f32[1,2,4,4]
                  y = Conv(a.channels, w1) kernel=1x1 : f32[1,3,4,4]
                  a.channels.1 = Take(a) axis=1 indices=[1,3] : f32[1,2,4,4]
                  z = Conv(a.channels.1, w2) kernel=1x1 : f32[1,3,4,4]
                }
                """, pruned("""
                graph net(x: f32[1,2,4,4]) -> y, z {
                  w0: f32[4,2,1,1] = random(1)
                  a = Conv(x, w0) kernel=1x1
                  r = Reshape(a) dims=[1,2,2,4,4]
                  t = Transpose(r) permutation=[0,2,1,3,4]
                  s = Reshape(t) dims=[1,4,4,4]
                  first = Slice(s) axis=1 start=0 size=2
                  second = Slice(s) axis=1 start=2 size=2
                  w1: f32[3,2,1,1] = random(2)
                  y = Conv(first, w1) kernel=1x1
                  w2: f32[3,2,1,1] = random(3)
                  z = Conv(second, w2) kernel=1x1
                }
                """, Pattern.WHOLE, Variant.BASELINE).replace("[0,1]", "[0,2]"));
    }

    /** The pruned graph as text, without the lines of its weights. */
    private static String pruned(String network, Pattern pattern, Variant variant) {
        Graph masked = Masking.apply(GraphText.parse(network), pattern);
        Graph pruned = Compiler.prune(Compiler.fold(masked), variant);
        Verifier.verify(pruned);
        return pruned.toString().lines()
                .filter(line -> !line.matches("  \\S+: f32.*"))
                .collect(Collectors.joining("\n", "", "\n"));
    }

    @Property(tries = 400)
    void computesWhatTheMaskedModelComputes(@ForAll @LongRange(min = 0, max = 1_000_000_000) long seed) {
        Graph masked = RandomNetwork.masked(seed);
        Map<String, Tensor> inputs = RandomNetwork.inputs(masked, seed);
        Map<String, DoubleTensor> expected = Interpreter.run(masked, inputs);
        Graph folded = Compiler.fold(masked);
        Verifier.verify(folded);
        assertClose(expected, Interpreter.run(folded, inputs), "folded");
        for (Variant variant : Variant.values()) {
            Graph pruned = Compiler.prune(folded, variant);
            Verifier.verify(pruned);
            assertClose(expected, Interpreter.run(pruned, inputs), variant.label());
        }
    }

    static void assertClose(Map<String, DoubleTensor> expected, Map<String, DoubleTensor> actual, String what) {
        expected.forEach((output, tensor) -> {
            assertEquals(tensor.type(), actual.get(output).type(), what);
            double norm = 0;
            double difference = 0;
            for (int k = 0; k < tensor.values().length; k++) {
                norm += tensor.values()[k] * tensor.values()[k];
                difference += Math.pow(tensor.values()[k] - actual.get(output).values()[k], 2);
            }
            assertTrue(Math.sqrt(difference) <= 2e-5 * Math.sqrt(norm) + 1e-12,
                    what + ", output " + output + ": " + Math.sqrt(difference) + " of " + Math.sqrt(norm));
        });
    }
}
