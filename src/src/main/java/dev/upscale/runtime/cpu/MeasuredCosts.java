package dev.upscale.runtime.cpu;

import dev.upscale.compile.KernelCatalog;
import dev.upscale.compile.KernelCosts;
import dev.upscale.plan.Constant;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.runtime.Executable;
import dev.upscale.runtime.Session;
import dev.upscale.runtime.SessionOptions;
import dev.upscale.runtime.kernel.KernelFailure;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Times of convolutions, measured on this machine: each kernel runs the very step, alone, on memory just written, and the fastest of
 * some runs counts, since whatever disturbs a run makes it slower. What was measured is kept in a {@link CostTable}, so that
 * a second compilation asks no kernel again. Thread-safe; measures one step at a time.
 */
public final class MeasuredCosts implements KernelCosts {
    private static final int WARM_UPS = 1;
    private static final int FEWEST_RUNS = 4;
    private static final int MOST_RUNS = 30;
    private static final int RUNS_OF_PLAN = 3;
    private static final long ENOUGH_NANOS = 3_000_000;
    /**
     * Waking threads takes 50 to 100 microseconds on a virtual machine, and those of XNNPACK spin for milliseconds after a step, on a
     * core that ours need then: three such steps in ResNet-50, each 0.1 ms faster than ours, made it 1.5 ms slower.
     */
    private static final double HANDOVER_NANOS = 1_000_000;
    /** Two estimates are taken to be in the right order if they differ by more than the square of this. */
    private static final double UNSURE = 1.025;
    private static final MemorySegment[] NOTHING = {};

    private final CpuCatalog catalog;
    private final CostTable table;
    private final int threads;
    private final AtomicInteger measured;
    private final Set<CostKey> estimated;

    MeasuredCosts(CpuCatalog catalog, CostTable table, int threads) {
        this(catalog, table, threads, new AtomicInteger(), ConcurrentHashMap.newKeySet());
    }

    private MeasuredCosts(CpuCatalog catalog, CostTable table, int threads, AtomicInteger measured, Set<CostKey> estimated) {
        this.catalog = catalog;
        this.table = table;
        this.threads = threads;
        this.measured = measured;
        this.estimated = estimated;
    }

    /** The costs on this machine's kernels with that many threads; those measured before are in the user's cache. */
    public static MeasuredCosts ofMachine(int threads) {
        return new MeasuredCosts(CpuCatalog.ofMachine(), CostTable.ofUser(), threads);
    }

    @Override
    public double nanos(String kernel, Step.Convolve step) {
        CostKey key = key(kernel, step);
        return table.nanos(key, () -> {
            measured.incrementAndGet();
            estimated.remove(key);
            return measure(kernel, step);
        });
    }

    /** Runs it: the times of its steps alone tell nothing of weights that must be read again for each micro-batch, nor of what stays in a cache. */
    @Override
    public double nanos(Plan plan) {
        return table.nanos(CostKey.of(plan, threads), () -> measure(plan));
    }

    private synchronized double measure(Plan plan) {
        try (Executable executable = Executable.prepare(plan);
                Session session = executable.open(SessionOptions.threads(threads));
                Arena memory = Arena.ofConfined()) {
            MemorySegment[] inputs = plan.inputs().stream().map(port -> values(memory, port)).toArray(MemorySegment[]::new);
            MemorySegment[] outputs = plan.outputs().stream().map(port -> memory.allocate(port.bytes(), 64)).toArray(MemorySegment[]::new);
            long least = Long.MAX_VALUE;
            for (int run = 0; run < WARM_UPS + RUNS_OF_PLAN; run++) {
                long begun = System.nanoTime();
                session.run(inputs, outputs);
                least = Math.min(least, System.nanoTime() - begun);
            }
            return least;
        } catch (KernelFailure e) {
            return Double.POSITIVE_INFINITY;
        }
    }

    @Override
    public OptionalDouble known(String kernel, Step.Convolve step) {
        return table.known(key(kernel, step));
    }

    /** On one thread and in one group alone: with several, times grow in other ways, and differ more from run to run. */
    @Override
    public Optional<Range> estimate(String kernel, Step.Convolve step) {
        if (threads > 1 || step.conv().groups() > 1) {
            return Optional.empty();
        }
        CostKey key = key(kernel, step);
        OptionalDouble nanos = table.interpolated(key);
        if (nanos.isEmpty()) {
            return Optional.empty();
        }
        estimated.add(key);
        return Optional.of(new Range(nanos.getAsDouble() / UNSURE, nanos.getAsDouble() * UNSURE));
    }

    @Override
    public Origins origins() {
        return new Origins(measured.get(), estimated.size());
    }

    @Override
    public int threads() {
        return threads;
    }

    @Override
    public KernelCosts onThreads(int others) {
        return new MeasuredCosts(catalog, table, others, measured, estimated);
    }

    @Override
    public double handover() {
        return threads == 1 ? 0 : HANDOVER_NANOS;
    }

    private CostKey key(String kernel, Step.Convolve step) {
        View source = step.source().view();
        String layout = step.source().isIndexed() ? "index" : source.pixelStride() < 0 ? "planes" : "pixels";
        String function = switch (step.activation().kind()) {
            case NONE, RELU, CLIP -> "clamp";
            default -> step.activation().kind().toString();
        };
        String family = String.join(" ", kernel, "t" + threads, "g" + step.conv().groups(), step.conv().window().toString(),
                source.dim(0) + "x" + source.dims().subList(2, source.dims().size()), layout, step.addend().isPresent() ? "sum" : "-", function);
        String rest = String.join(" ", shape(step.source()), shape(Operand.of(step.destination())),
                step.addend().map(MeasuredCosts::shape).orElse("-"), step.activation().kind().toString());
        return new CostKey(family, channels(step), step.destination().dim(1), rest);
    }

    private static String shape(Operand operand) {
        return operand.view().dims() + "/" + operand.view().strides() + (operand.isIndexed() ? "*" : "");
    }

    /** The channels that one output reads, of its group. */
    private static int channels(Step.Convolve step) {
        int taps = step.conv().window().kernelH() * step.conv().window().kernelW();
        return Math.toIntExact(step.multiplyAdds() / step.destination().elements() / taps);
    }

    private synchronized double measure(String kernel, Step.Convolve step) {
        Step.Convolve placed = placed(kernel, step);
        long arenaBytes = end(placed);
        if (!(catalog.offer(kernel, placed) instanceof KernelCatalog.Offer offer)) {
            return Double.POSITIVE_INFINITY;
        }
        if (offer.workspaceBytes() > 0) {
            View workspace = View.rowMajor(View.Place.ARENA, aligned(arenaBytes),
                    List.of(Math.toIntExact(Math.ceilDiv(offer.workspaceBytes(), View.ELEMENT_BYTES))));
            placed = new Step.Convolve(placed.name(), kernel, placed.conv(), placed.source(), placed.weights(), placed.bias(),
                    placed.addend(), placed.activation(), placed.destination(), Optional.of(workspace), placed.multiplyAdds());
            arenaBytes = aligned(arenaBytes) + workspace.extentBytes();
        }
        List<Plan.Port> inputs = new ArrayList<>();
        List<Step> steps = new ArrayList<>();
        for (Operand operand : placed.sources()) {
            String input = "input" + inputs.size();
            List<Integer> dims = operand.view().dims();
            inputs.add(new Plan.Port(input, dims));
            View values = View.rowMajor(new View.Place(View.Place.Kind.INPUT, input), 0, dims);
            steps.add(fill(input, values, operand.view()));
        }
        steps.add(placed);
        Plan plan = new Plan("cost", "cost", "cpu", inputs, List.of(), steps, constants(step), arenaBytes, arenaBytes, 1);
        try (Executable executable = Executable.prepare(plan);
                Session session = executable.open(SessionOptions.threads(threads).withProfile(MOST_RUNS));
                Arena memory = Arena.ofConfined()) {
            return fastest(session, inputs.stream().map(port -> values(memory, port)).toArray(MemorySegment[]::new));
        } catch (KernelFailure e) {
            return Double.POSITIVE_INFINITY;
        }
    }

    /** A copy by the fastest kernel there is: it runs as often as what is measured. */
    private Step fill(String input, View values, View source) {
        Step.Copy copy = new Step.Copy(input, "upscale.planes", Step.Copy.Kind.LAYOUT, Operand.of(values), source, "values");
        return catalog.offer(copy.kernel(), copy) instanceof KernelCatalog.Offer offer && offer.workspaceBytes() == 0
                ? copy
                : new Step.Copy(input, KernelCatalog.fallback(copy), copy.kind(), copy.source(), source, copy.reason());
    }

    private static MemorySegment values(Arena memory, Plan.Port port) {
        MemorySegment values = memory.allocate(port.bytes(), 64);
        for (int k = 0; k < port.bytes() / View.ELEMENT_BYTES; k++) {
            values.setAtIndex(ValueLayout.JAVA_FLOAT, k, value(k));
        }
        return values;
    }

    /** Between -0.5 and 0.5, scattered: what values there are does not change a kernel's time, but their making takes some. */
    private static float value(int position) {
        return (position * 0x9E3779B1 >> 8) * 0x1p-24f;
    }

    /**
     * The fastest of some runs of the last step, each on memory that was just written. With several threads the latest ones of all that fit into the
     * time: a pool's threads may take a millisecond to begin, in which one computes alone.
     */
    private double fastest(Session session, MemorySegment[] inputs) {
        int most = threads == 1 ? MOST_RUNS : Integer.MAX_VALUE;
        long begun = System.nanoTime();
        for (int run = 0; run < WARM_UPS + FEWEST_RUNS || run < most && System.nanoTime() - begun < ENOUGH_NANOS; run++) {
            session.run(inputs, NOTHING);
        }
        long[][] times = session.profile().ns();
        return Arrays.stream(times[times.length - 1]).min().orElseThrow();
    }

    /** The step with each of its memories in an arena of its own, at the same place within a cache line. */
    private static Step.Convolve placed(String kernel, Step.Convolve step) {
        long[] next = {0};
        Map<View, View> views = new HashMap<>();
        Operand source = new Operand(placed(step.source().view(), views, next), step.source().index());
        View destination = placed(step.destination(), views, next);
        Optional<Operand> addend = step.addend().map(operand -> Operand.of(placed(operand.view(), views, next)));
        return new Step.Convolve(step.name(), kernel, step.conv(), source, step.weights(), step.bias(), addend,
                step.activation(), destination, Optional.empty(), step.multiplyAdds());
    }

    private static View placed(View view, Map<View, View> views, long[] next) {
        return views.computeIfAbsent(view, key -> {
            long offset = aligned(next[0]) + view.offset() % 64;
            next[0] = offset + view.extentBytes() + 128;
            return new View(View.Place.ARENA, offset, view.dims(), view.strides());
        });
    }

    private static long end(Step.Convolve step) {
        long end = step.destination().offset() + step.destination().extentBytes();
        for (Operand operand : step.sources()) {
            end = Math.max(end, operand.view().offset() + operand.view().extentBytes());
        }
        return aligned(end) + 128;
    }

    private static long aligned(long bytes) {
        return Math.ceilDiv(bytes, 64L) * 64;
    }

    /** Scattered weights; channels spread evenly over the source where they are read by index. */
    private static Map<String, Constant> constants(Step.Convolve step) {
        Map<String, Constant> constants = new HashMap<>();
        int outputs = step.destination().dim(1);
        int inputs = channels(step);
        List<Integer> dims = List.of(outputs, inputs, step.conv().window().kernelH(), step.conv().window().kernelW());
        float[] weights = new float[outputs * inputs * dims.get(2) * dims.get(3)];
        for (int k = 0; k < weights.length; k++) {
            weights[k] = value(k);
        }
        constants.put(step.weights(), Constant.f32(dims, weights));
        if (!step.bias().isEmpty()) {
            constants.put(step.bias(), Constant.f32(List.of(outputs), new float[outputs]));
        }
        if (step.source().isIndexed()) {
            int[] index = new int[inputs * step.conv().groups()];
            int width = step.source().view().dim(1);
            Arrays.setAll(index, k -> (int) ((long) k * width / index.length));
            constants.put(step.source().index(), Constant.i32(index));
        }
        return constants;
    }
}
