package dev.upscale.bench;

import dev.upscale.compile.KernelCatalog;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.plan.View.Place;
import dev.upscale.runtime.cpu.CpuCatalog;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Steps of a plan that follow each other over large images, each computed by rows, as a plan of their own: what the first reads are its
 * inputs, what the last writes is its output, and each result in between has memory to itself.
 *
 * @param steps in the plan's order
 */
record Bands(Plan plan, List<Step> steps) {
    /** Rows of a band are multiples of what Winograd's largest tile has, save at the image's end. */
    private static final int TILE_ROWS = 4;
    /** As an inverted residual or a bottleneck has; of more, bands write over each other in the cache. */
    static final int MOST_STEPS = 3;
    /** Kernels may read beyond a tensor. */
    private static final long PADDING = 128;
    private static final long ALIGNMENT = 64;

    /** Some rows of one of the steps. */
    private record Band(int of, Step step) {}

    Bands {
        steps = List.copyOf(steps);
    }

    /**
     * All chains of two or three steps of a plan, none in two of them: each reads what one before it in the chain made, and each but the
     * last writes more than so many bytes.
     */
    static List<Bands> in(Plan plan, long bytes) {
        List<Bands> found = new ArrayList<>();
        List<Step> chain = new ArrayList<>();
        for (Step step : plan.steps()) {
            boolean goesOn = StepRows.areIndependent(step) && !chain.isEmpty() && chain.size() < MOST_STEPS && chain.getLast().destination().bytes() > bytes
                    && made(step, chain) && isWholeOf(step, chain);
            if (!goesOn) {
                if (chain.size() > 1) {
                    found.add(new Bands(plan, chain));
                }
                chain.clear();
            }
            if (StepRows.areIndependent(step)) {
                chain.add(step);
            }
        }
        return found;
    }

    private static boolean made(Step step, List<Step> chain) {
        return step.sources().stream().anyMatch(source -> maker(source.view(), chain, chain.size()) >= 0);
    }

    /** Whether what is read of the chain's results is a part of one of them. */
    private static boolean isWholeOf(Step step, List<Step> chain) {
        return step.sources().stream().map(Operand::view).allMatch(view -> {
            int maker = maker(view, chain, chain.size());
            return maker < 0 || contains(chain.get(maker).destination(), view);
        });
    }

    private static boolean contains(View whole, View part) {
        return whole.offset() <= part.offset() && part.offset() + part.extentBytes() <= whole.offset() + whole.extentBytes();
    }

    /** The last of the first steps whose result a view lies in, at least partly; -1 if none. */
    private static int maker(View view, List<Step> chain, int before) {
        return IntStream.iterate(before - 1, step -> step >= 0, step -> step - 1)
                .filter(step -> overlap(chain.get(step).destination(), view)).findFirst().orElse(-1);
    }

    private static boolean overlap(View one, View other) {
        return one.place().equals(other.place()) && one.offset() < other.offset() + other.extentBytes()
                && other.offset() < one.offset() + one.extentBytes();
    }

    /** Bytes that the steps write. */
    long bytes() {
        return steps.stream().mapToLong(step -> step.destination().bytes()).sum();
    }

    /** The rows of the last step's result. */
    int height() {
        return StepRows.height(steps.getLast());
    }

    /** The steps as they are. */
    Plan whole() {
        return placed(IntStream.range(0, steps.size()).mapToObj(step -> new Band(step, steps.get(step))).toList(), Integer.MAX_VALUE);
    }

    /**
     * The steps in so many bands.
     *
     * @param rows of each result between the steps that there is memory for, over and over again; its rows are not kept for those who
     *     read them later, so that what is computed is a matter of time alone unless it is {@link Integer#MAX_VALUE}: all rows
     */
    Plan banded(int bands, int rows) {
        int[] done = new int[steps.size()];
        List<Band> order = new ArrayList<>();
        for (int band = 1; band <= bands; band++) {
            int[] ends = ends(band, bands);
            for (int step = 0; step < done.length; step++) {
                if (ends[step] > done[step]) {
                    order.add(new Band(step, StepRows.of(steps.get(step), done[step], ends[step])));
                    done[step] = ends[step];
                }
            }
        }
        return placed(order, rows);
    }

    /** For each step the row before which it has to be computed when the last one has so many of the bands. */
    private int[] ends(int band, int bands) {
        int[] ends = new int[steps.size()];
        for (int step = ends.length - 1; step >= 0; step--) {
            int height = StepRows.height(steps.get(step));
            int needed = 0;
            for (int reader = step + 1; reader < ends.length; reader++) {
                for (Operand source : steps.get(reader).sources()) {
                    if (maker(source.view(), steps, reader) == step) {
                        needed = Math.max(needed, StepRows.needed(steps.get(reader), source, ends[reader], steps.get(step).destination()));
                    }
                }
            }
            needed = needed > 0 ? needed : Math.ceilDiv(height * band, bands);
            boolean byTiles = steps.get(step).kernel().equals("upscale.winograd");
            ends[step] = band == bands ? height : Math.min(height, byTiles ? Math.ceilDiv(needed, TILE_ROWS) * TILE_ROWS : needed);
        }
        return ends;
    }

    /** The plan of the steps, or of bands of them, with new places for all that they read and write. */
    private Plan placed(List<Band> order, int rows) {
        return new Placing(rows).plan(order);
    }

    private final class Placing {
        private final int rows;
        private final Map<Integer, Long> results = new HashMap<>();
        private final Map<String, Plan.Port> inputs = new TreeMap<>();
        private final Place output = new Place(Place.Kind.OUTPUT, "result");
        private long arena;

        Placing(int rows) {
            this.rows = rows;
        }

        Plan plan(List<Band> order) {
            List<Step> placed = new ArrayList<>();
            order.forEach(band -> placed.add(withWorkspace(placed(band.step, band.of))));
            View last = steps.getLast().destination();
            return new Plan(plan.model(), plan.variant(), plan.target(), List.copyOf(inputs.values()),
                    List.of(new Plan.Port(output.name(), List.of(Math.toIntExact(last.extentBytes() / View.ELEMENT_BYTES)))), placed,
                    plan.constants(), arena, arena, 1);
        }

        private Step placed(Step step, int of) {
            View to = result(of, step.destination());
            return switch (step) {
                case Step.Convolve s -> new Step.Convolve(s.name(), s.kernel(), s.conv(), source(s.source(), of), s.weights(), s.bias(),
                        s.addend().map(addend -> source(addend, of)), s.activation(), to, s.workspace(), s.multiplyAdds());
                case Step.Compute s -> new Step.Compute(s.name(), s.kernel(), s.op(), s.sources().stream().map(read -> source(read, of)).toList(),
                        s.activation(), to, s.workspace());
                case Step.Copy s -> new Step.Copy(s.name(), s.kernel(), s.kind(), source(s.source(), of), to, s.reason(), s.choices());
            };
        }

        private View result(int step, View view) {
            View whole = steps.get(step).destination();
            long row = whole.stride(2) * View.ELEMENT_BYTES;
            if (step == steps.size() - 1) {
                return new View(output, view.offset() - whole.offset(), view.dims(), view.strides());
            }
            long begin = results.computeIfAbsent(step, absent -> take(whole.extentBytes()));
            long first = (view.offset() - whole.offset()) / row;
            long kept = first + view.dim(2) <= rows ? first : Math.min(first % rows, whole.dim(2) - view.dim(2));
            return new View(Place.ARENA, begin + view.offset() - whole.offset() - (first - kept) * row, view.dims(), view.strides());
        }

        private Operand source(Operand operand, int reader) {
            View view = operand.view();
            int maker = maker(view, steps, reader);
            if (maker >= 0) {
                return new Operand(result(maker, view), operand.index());
            }
            if (view.place().kind() == Place.Kind.CONSTANT) {
                return operand;
            }
            View whole = steps.get(reader).sources().stream().map(Operand::view)
                    .filter(candidate -> overlap(candidate, view) && contains(candidate, view)).findFirst().orElseThrow();
            Place place = new Place(Place.Kind.INPUT, whole.place().name() + "+" + whole.offset() + " " + whole.extentBytes());
            inputs.put(place.name(), new Plan.Port(place.name(), List.of(Math.toIntExact(whole.extentBytes() / View.ELEMENT_BYTES))));
            return new Operand(new View(place, view.offset() - whole.offset(), view.dims(), view.strides()), operand.index());
        }

        private Step withWorkspace(Step step) {
            if (!(CpuCatalog.ofMachine().offer(step.kernel(), step) instanceof KernelCatalog.Offer offer)) {
                throw new IllegalStateException(step.kernel() + " does not take " + step.name());
            }
            if (offer.workspaceBytes() == 0) {
                return step;
            }
            View workspace = View.rowMajor(Place.ARENA, take(offer.workspaceBytes()),
                    List.of(Math.toIntExact(Math.ceilDiv(offer.workspaceBytes(), View.ELEMENT_BYTES))));
            Step.Convolve s = (Step.Convolve) step;
            return new Step.Convolve(s.name(), s.kernel(), s.conv(), s.source(), s.weights(), s.bias(), s.addend(), s.activation(),
                    s.destination(), Optional.of(workspace), s.multiplyAdds());
        }

        private long take(long bytes) {
            long begin = arena;
            arena = Math.ceilDiv(begin + bytes + PADDING, ALIGNMENT) * ALIGNMENT;
            return begin;
        }
    }
}
