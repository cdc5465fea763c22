package dev.upscale.compile;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.graph.Window;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Which kernel wins, and which are asked and measured for that. */
class FastestKernelTest {
    private static final View SOURCE = View.channelsLast(View.Place.ARENA, 0, List.of(1, 8, 4, 4), 8);
    private static final View DESTINATION = View.channelsLast(View.Place.ARENA, 512, List.of(1, 8, 4, 4), 8);
    private static final Step.Convolve STEP = new Step.Convolve("conv", "", new Op.Conv(Window.square(1, 1, 0), 1), Operand.of(SOURCE), "w", "",
            Optional.empty(), Function.NONE, DESTINATION, Optional.empty(), 8 * 8 * 16);
    private static final List<String> KERNELS = List.of("upscale.conv", "onednn.conv", "xnnpack.conv");

    private final Map<String, Double> real = new HashMap<>(Map.of("upscale.conv", 100.0, "onednn.conv", 90.0, "xnnpack.conv", 120.0));
    private final Map<String, Double> known = new HashMap<>();
    private final Map<String, KernelCosts.Range> estimates = new HashMap<>();
    private final List<String> asked = new ArrayList<>();
    private final List<String> measured = new ArrayList<>();
    private Set<String> refusing = Set.of();
    private double handover;

    private String fastest() {
        return new FastestKernel(catalog, costs).of(KERNELS, STEP).map(FastestKernel.Found::kernel).orElse("none");
    }

    @Test
    void whatNothingIsKnownOfIsMeasured() {
        assertEquals("onednn.conv", fastest());
        assertEquals(KERNELS, measured);
    }

    @Test
    void theOnlyOfferIsTakenUnmeasured() {
        refusing = Set.of("onednn.conv", "xnnpack.conv");
        assertEquals("upscale.conv", fastest());
        assertEquals(List.of(), measured);
        refusing = Set.copyOf(KERNELS);
        assertEquals("none", fastest());
    }

    @Test
    void noneIsAskedBehindTheFastestKnown() {
        known.putAll(real);
        assertEquals("onednn.conv", fastest());
        assertEquals(List.of("onednn.conv"), asked);
        refusing = Set.of("onednn.conv");
        assertEquals("upscale.conv", fastest());
        assertEquals(List.of(), measured);
    }

    @Test
    void estimatesFarFromEachOtherDecide() {
        estimate("upscale.conv", 100);
        estimate("onednn.conv", 80);
        estimate("xnnpack.conv", 130);
        assertEquals("onednn.conv", fastest());
        assertEquals(List.of("onednn.conv"), asked);
        assertEquals(List.of(), measured);
    }

    @Test
    void estimatesCloseToEachOtherAreMeasured() {
        real.put("upscale.conv", 91.0);
        estimate("upscale.conv", 88);
        estimate("onednn.conv", 91);
        estimate("xnnpack.conv", 130);
        assertEquals("onednn.conv", fastest());
        assertEquals(List.of("upscale.conv", "onednn.conv"), measured);
    }

    @Test
    void anEstimateIsMeasuredOnlyIfItMayBeatWhatIsKnown() {
        known.put("upscale.conv", 100.0);
        estimate("onednn.conv", 98);
        estimate("xnnpack.conv", 120);
        assertEquals("onednn.conv", fastest());
        assertEquals(List.of("onednn.conv"), measured);
        measured.clear();
        estimate("onednn.conv", 110);
        assertEquals("upscale.conv", fastest());
        assertEquals(List.of(), measured);
    }

    @Test
    void aKernelThatFailsIsNotTaken() {
        real.put("onednn.conv", Double.POSITIVE_INFINITY);
        assertEquals("upscale.conv", fastest());
        known.putAll(real);
        refusing = Set.of("upscale.conv", "xnnpack.conv");
        assertEquals("none", fastest());
    }

    /** A library that must save a millisecond cannot where ours takes less. */
    @Test
    void librariesAreNotMeasuredWhereOursTakesLessThanTheHandover() {
        handover = 1000;
        assertEquals("upscale.conv", fastest());
        assertEquals(List.of("upscale.conv"), measured);
        measured.clear();
        real.put("upscale.conv", 2000.0);
        assertEquals("onednn.conv", fastest());
        assertEquals(KERNELS, measured);
    }

    private void estimate(String kernel, double nanos) {
        estimates.put(kernel, new KernelCosts.Range(nanos / 1.025, nanos * 1.025));
    }

    private final KernelCatalog catalog = new KernelCatalog() {
        @Override
        public Set<String> engines() {
            return Set.of("upscale", "onednn", "xnnpack", "java");
        }

        @Override
        public Answer offer(String kernel, Step step) {
            asked.add(kernel);
            return refusing.contains(kernel) ? new Refusal("no") : new Offer(0, "code");
        }
    };

    private final KernelCosts costs = new KernelCosts() {
        @Override
        public double nanos(String kernel, Step.Convolve step) {
            if (!known.containsKey(kernel)) {
                measured.add(kernel);
            }
            return real.get(kernel);
        }

        @Override
        public OptionalDouble known(String kernel, Step.Convolve step) {
            return known.containsKey(kernel) ? OptionalDouble.of(known.get(kernel)) : OptionalDouble.empty();
        }

        @Override
        public Optional<Range> estimate(String kernel, Step.Convolve step) {
            return Optional.ofNullable(estimates.get(kernel));
        }

        @Override
        public double handover() {
            return handover;
        }
    };
}
