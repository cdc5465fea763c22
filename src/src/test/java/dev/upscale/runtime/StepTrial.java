package dev.upscale.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.upscale.compile.KernelCatalog;
import dev.upscale.graph.DoubleTensor;
import dev.upscale.graph.Function;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import dev.upscale.plan.Constant;
import dev.upscale.plan.Element;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.plan.View.Place;
import dev.upscale.runtime.cpu.CpuCatalog;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * One step on memory full of NaN: operands get random values at chosen strides, offsets and channel positions, in the arena or in the
 * caller's memory; the result is compared with the interpreter's, and what lies beside the destination must keep its value.
 */
public final class StepTrial {
    /** How an operand lies. */
    public enum Lay { ROW_MAJOR, CHANNELS_LAST, SLICE, INDEXED, SCATTERED }

    /** In whose memory an operand lies. */
    public enum Where { ARENA, CALLER }

    /** Where trials run. */
    public interface Platform {
        /** Whether a kernel takes a step. */
        KernelCatalog.Answer offer(String kernel, Step step);

        /** The kernel that copies anything. */
        String copyKernel();

        /** What plans for it have as their target. */
        String target();

        /** Runs a plan several times on the same inputs and hands over each run's outputs. */
        void run(Plan plan, int threads, Map<String, float[]> given, Consumer<Map<String, float[]>> runs);
    }

    private static final Platform CPU = new Platform() {
        @Override
        public KernelCatalog.Answer offer(String kernel, Step step) {
            return CpuCatalog.ofMachine().offer(kernel, step);
        }

        @Override
        public String copyKernel() {
            return "java.copy";
        }

        @Override
        public String target() {
            return "cpu";
        }

        @Override
        public void run(Plan plan, int threads, Map<String, float[]> given, Consumer<Map<String, float[]>> runs) {
            try (Executable executable = Executable.prepare(plan); Session session = executable.open(threads)) {
                for (int run = 0; run < 2; run++) {
                    runs.accept(session.run(given));
                }
            }
        }
    };

    private static final float BESIDE = -77.5f;
    private static final int ALIGNMENT = 64;
    private static final Place RESULT = new Place(Place.Kind.OUTPUT, "result");

    private final Random random;
    private final List<Plan.Port> inputs = new ArrayList<>();
    private final List<Plan.Port> outputs = new ArrayList<>();
    private final List<Step> steps = new ArrayList<>();
    private final Map<String, Constant> constants = new LinkedHashMap<>();
    private final Map<String, float[]> given = new LinkedHashMap<>();
    private final Map<Operand, DoubleTensor> values = new LinkedHashMap<>();
    private long arenaBytes;
    private Platform platform = CPU;
    private Element element = Element.F32;
    private int threads = 1;
    private double tolerance = 2e-5;
    private final Map<Operand, Region> regions = new LinkedHashMap<>();
    private View destination;
    private Region target;
    private boolean isInPlace;

    /** Memory of the trial: {@code length} floats, given by the input of that name. */
    private record Region(String input, Place place, long offset, int length) {}

    public StepTrial(Random random) {
        this.random = random;
    }

    /** Runs elsewhere than on the CPU. */
    public StepTrial on(Platform chosen) {
        platform = chosen;
        return this;
    }

    /** What lies in the arena from now on; what lies in the caller's memory is f32. */
    public StepTrial element(Element chosen) {
        element = chosen;
        return this;
    }

    public StepTrial threads(int threads) {
        this.threads = threads;
        return this;
    }

    public StepTrial tolerance(double tolerance) {
        this.tolerance = tolerance;
        return this;
    }

    /** A source with random values in [-1, 1). */
    public Operand source(Lay lay, Where where, int... dims) {
        return source(lay, where, Math.min(1, dims.length - 1), dims);
    }

    /** A source of a linear layer: channels are the last axis. */
    public Operand rows(Lay lay, Where where, int... dims) {
        return source(lay, where, dims.length - 1, dims);
    }

    private Operand source(Lay lay, Where where, int channelAxis, int[] dims) {
        String index = "";
        int[] positions = null;
        int[] laid = dims.clone();
        if (lay == Lay.INDEXED) {
            laid[channelAxis] = dims[channelAxis] * 2 + 3;
            positions = subset(dims[channelAxis], laid[channelAxis]);
            index = "index" + constants.size();
            constants.put(index, Constant.i32(positions));
        }
        View shape = lay(lay, laid);
        float[] memory = new float[Math.toIntExact((shape.offset() + shape.extentBytes()) / Float.BYTES) + random.nextInt(20)];
        Arrays.fill(memory, Float.NaN);
        float[] dense = new float[Arrays.stream(dims).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < dense.length; i++) {
            int at = position(shape, dims, i, channelAxis, positions);
            memory[at] = Float.isNaN(memory[at]) ? rounded(random.nextFloat() * 2 - 1) : memory[at];
            dense[i] = memory[at];
        }
        Region region = region(memory, where, false);
        Operand operand = new Operand(inRegion(shape, region), index);
        regions.put(operand, region);
        values.put(operand, DoubleTensor.of(Tensor.f32(dense, dims)));
        return operand;
    }

    private float rounded(float value) {
        return switch (element) {
            case F32 -> value;
            case F16 -> Float.float16ToFloat(Float.floatToFloat16(value));
            case BF16 -> Float.intBitsToFloat(Float.floatToRawIntBits(value) & 0xffff0000);
        };
    }

    /** A constant with random values, as an operand. */
    public Operand constant(int... dims) {
        float[] dense = new float[Arrays.stream(dims).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < dense.length; i++) {
            dense[i] = rounded(random.nextFloat() * 2 - 1);
        }
        return constant(dense, dims);
    }

    /** A constant with the given values, as an operand. */
    public Operand constant(float[] dense, int... dims) {
        String name = "constant" + constants.size();
        List<Integer> shape = Arrays.stream(dims).boxed().toList();
        constants.put(name, Constant.f32(shape, dense));
        Operand operand = Operand.of(View.rowMajor(new Place(Place.Kind.CONSTANT, name), 0, shape));
        values.put(operand, DoubleTensor.of(Tensor.f32(dense, dims)));
        return operand;
    }

    /** Where the result goes. */
    public View destination(Lay lay, Where where, List<Integer> dims) {
        View shape = lay(lay, dims.stream().mapToInt(Integer::intValue).toArray());
        float[] memory = new float[Math.toIntExact((shape.offset() + shape.extentBytes()) / Float.BYTES) + random.nextInt(20)];
        Arrays.fill(memory, BESIDE);
        target = region(memory, Where.ARENA, where == Where.CALLER);
        destination = inRegion(shape, target);
        return destination;
    }

    /** The destination is that source, which lies in the arena. */
    public View inPlace(Operand source) {
        isInPlace = true;
        target = regions.get(source);
        destination = source.view();
        return destination;
    }

    private int[] subset(int size, int of) {
        List<Integer> all = new ArrayList<>(IntStream.range(0, of).boxed().toList());
        Collections.shuffle(all, random);
        return all.stream().limit(size).mapToInt(Integer::intValue).toArray();
    }

    /** Strides and an offset, in no place yet. */
    private View lay(Lay lay, int[] dims) {
        List<Integer> shape = Arrays.stream(dims).boxed().toList();
        long offset = (long) random.nextInt(9) * Float.BYTES;
        boolean isImage = dims.length == 4 || dims.length == 2;
        return switch (lay) {
            case ROW_MAJOR -> View.rowMajor(Place.ARENA, offset, shape);
            case CHANNELS_LAST -> isImage ? View.channelsLast(Place.ARENA, offset, shape, dims[1]) : scattered(shape, offset, 0);
            case SLICE, INDEXED -> isImage ? View.channelsLast(Place.ARENA, offset, shape, dims[1] + random.nextInt(1, 9))
                    : scattered(shape, offset, 0);
            case SCATTERED -> scattered(shape, offset, 3);
        };
    }

    private View scattered(List<Integer> dims, long offset, int gaps) {
        List<Integer> order = new ArrayList<>(IntStream.range(0, dims.size()).boxed().toList());
        Collections.shuffle(order, random);
        Long[] strides = new Long[dims.size()];
        long stride = 1 + random.nextInt(gaps + 1);
        for (int axis : order) {
            strides[axis] = stride;
            stride *= dims.get(axis) + random.nextInt(gaps + 1);
        }
        return new View(Place.ARENA, offset, dims, Arrays.asList(strides));
    }

    private static int position(View view, int[] dims, int element, int channelAxis, int[] positions) {
        long at = view.offset() / view.element().bytes();
        int rest = element;
        for (int axis = dims.length - 1; axis >= 0; axis--) {
            int i = rest % dims[axis];
            at += (axis == channelAxis && positions != null ? positions[i] : i) * view.stride(axis);
            rest /= dims[axis];
        }
        return Math.toIntExact(at);
    }

    /** Memory with that content before the step; in the arena and in the output it gets there by a copy. */
    private Region region(float[] memory, Where where, boolean isOutput) {
        String name = "region" + inputs.size();
        inputs.add(new Plan.Port(name, List.of(memory.length)));
        given.put(name, memory);
        Place input = new Place(Place.Kind.INPUT, name);
        if (where == Where.CALLER) {
            return new Region(name, input, 0, memory.length);
        }
        if (isOutput) {
            outputs.add(new Plan.Port(RESULT.name(), List.of(memory.length)));
        }
        Region region = isOutput ? new Region(name, RESULT, 0, memory.length)
                : new Region(name, Place.ARENA, allocate((long) memory.length * element.bytes()), memory.length);
        steps.add(new Step.Copy("fill " + name, platform.copyKernel(), Step.Copy.Kind.LAYOUT,
                Operand.of(View.rowMajor(input, 0, List.of(memory.length))), whole(region), "to begin with"));
        return region;
    }

    private View whole(Region region) {
        return View.rowMajor(region.place(), region.offset(), List.of(region.length())).of(elementOf(region));
    }

    private long allocate(long bytes) {
        long offset = arenaBytes;
        arenaBytes += Math.ceilDiv(bytes + 1, ALIGNMENT) * ALIGNMENT;
        return offset;
    }

    private Element elementOf(Region region) {
        return region.place().equals(Place.ARENA) ? element : Element.F32;
    }

    private View inRegion(View shape, Region region) {
        long offset = region.offset() + shape.offset() / Float.BYTES * elementOf(region).bytes();
        return new View(region.place(), offset, shape.dims(), shape.strides(),
                elementOf(region) == Element.F32 ? Optional.empty() : Optional.of(element));
    }

    /** The shape of an operation's result on these sources. */
    public List<Integer> resultOf(Op op, List<Operand> sources) {
        return Interpreter.evaluate(op, sources.stream().map(values::get).toList()).type().dims();
    }

    /** Runs an operation with a kernel and compares. */
    public void compute(String kernel, Op op, List<Operand> sources, Function activation) {
        double[] expected = Interpreter.evaluate(op, sources.stream().map(values::get).toList()).values();
        check(kernel, new Step.Compute("trial", kernel, op, sources, activation, destination, Optional.empty()),
                Arrays.stream(expected).map(activation::apply).toArray());
    }

    /** Runs a copy with a kernel and compares. */
    public void copy(String kernel, Operand source) {
        check(kernel, new Step.Copy("trial", kernel, Step.Copy.Kind.GATHER, source, destination, "trial"), values.get(source).values());
    }

    /** Runs a convolution with a kernel and compares. Weights and bias (or null) are constants. */
    public void convolve(String kernel, Op.Conv conv, Operand source, Operand weights, Operand bias, Operand addend,
            Function activation) {
        List<DoubleTensor> operands = new ArrayList<>(List.of(values.get(source), values.get(weights)));
        if (bias != null) {
            operands.add(values.get(bias));
        }
        boolean isImage = source.view().rank() == 4;
        if (!isImage) {
            TensorType type = operands.get(1).type();
            operands.set(1, new DoubleTensor(TensorType.f32(type.dims().subList(0, 2)), operands.get(1).values()));
        }
        double[] expected = Interpreter.evaluate(isImage ? conv : new Op.Linear(), operands).values();
        double[] added = addend == null ? new double[expected.length] : values.get(addend).values();
        for (int i = 0; i < expected.length; i++) {
            expected[i] = activation.apply(expected[i] + added[i]);
        }
        DoubleTensor factors = operands.get(1);
        long multiplyAdds = (long) expected.length * (factors.values().length / factors.type().dim(0));
        check(kernel, new Step.Convolve("trial", kernel, conv, source, weights.view().place().name(),
                bias == null ? "" : bias.view().place().name(), Optional.ofNullable(addend), activation, destination,
                Optional.empty(), multiplyAdds), expected);
    }

    private void check(String kernel, Step step, double[] expected) {
        long workspaceBytes = switch (platform.offer(kernel, step)) {
            case KernelCatalog.Offer offer -> offer.workspaceBytes();
            case KernelCatalog.Refusal(String reason) -> throw new Refused(reason);
        };
        steps.add(withWorkspace(step, workspaceBytes));
        if (target.place().equals(Place.ARENA)) {
            outputs.add(new Plan.Port(RESULT.name(), List.of(target.length())));
            steps.add(new Step.Copy("result", platform.copyKernel(), Step.Copy.Kind.LAYOUT, Operand.of(whole(target)),
                    View.rowMajor(RESULT, 0, List.of(target.length())), "to see it"));
        }
        Plan plan = new Plan("trial", "test", platform.target(), inputs, outputs, steps, constants, arenaBytes, 0, 0);
        platform.run(plan, threads, given, outputs -> compare(outputs.get(RESULT.name()), expected));
    }

    private Step withWorkspace(Step step, long bytes) {
        if (bytes == 0) {
            return step;
        }
        float[] memory = new float[Math.toIntExact(Math.ceilDiv(bytes, Float.BYTES))];
        Arrays.fill(memory, Float.NaN);
        Optional<View> workspace = Optional.of(whole(region(memory, Where.ARENA, false)));
        return switch (step) {
            case Step.Convolve c -> new Step.Convolve(c.name(), c.kernel(), c.conv(), c.source(), c.weights(), c.bias(), c.addend(),
                    c.activation(), c.destination(), workspace, c.multiplyAdds());
            case Step.Compute c -> new Step.Compute(c.name(), c.kernel(), c.op(), c.sources(), c.activation(), c.destination(), workspace);
            case Step.Copy c -> throw new IllegalStateException("a copy wants a workspace");
        };
    }

    private void compare(float[] memory, double[] expected) {
        boolean[] isResult = new boolean[memory.length];
        int[] dims = destination.dims().stream().mapToInt(Integer::intValue).toArray();
        assertEquals(Arrays.stream(dims).reduce(1, (a, b) -> a * b), expected.length);
        for (int i = 0; i < expected.length; i++) {
            int at = Math.toIntExact(position(destination, dims, i, 0, null) - target.offset() / elementOf(target).bytes());
            isResult[at] = true;
            boolean same = (float) expected[i] == memory[at] || Double.isNaN(expected[i]) && Float.isNaN(memory[at]);
            if (!same && !(Math.abs(memory[at] - expected[i]) <= tolerance * Math.max(1, Math.abs(expected[i])))) {
                fail("element " + i + " of " + destination + " is " + memory[at] + ", not " + expected[i]);
            }
        }
        for (int at = 0; at < memory.length && !isInPlace; at++) {
            if (!isResult[at] && memory[at] != BESIDE) {
                fail("wrote " + memory[at] + " beside " + destination + " at " + at);
            }
        }
    }

    /** The kernel does not take the step. */
    public static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Refused(String reason) {
            super(reason);
        }
    }
}
