package dev.upscale.runtime.cuda;

import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.graph.Window;
import dev.upscale.plan.Element;
import dev.upscale.plan.Operand;
import dev.upscale.runtime.StepTrial;
import dev.upscale.runtime.StepTrial.Lay;
import dev.upscale.runtime.StepTrial.Where;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every kernel of native/cuda against the interpreter, its source compiled for the host and run by the simulated device: random sizes,
 * layouts and offsets, so that ends are odd and addresses unaligned as often as not.
 */
@Tag(SimulatedDevice.TAG)
class CudaKernelsTest {
    private static final Lay[] SOURCES = {Lay.ROW_MAJOR, Lay.CHANNELS_LAST, Lay.SLICE, Lay.INDEXED, Lay.SCATTERED};
    private static final Lay[] TARGETS = {Lay.ROW_MAJOR, Lay.CHANNELS_LAST, Lay.SLICE, Lay.SCATTERED};
    private static final int TRIALS = 16;

    @BeforeAll
    static void simulatedDevice() {
        SimulatedDevice.assumeBuilt();
    }

    /** What one trial works with. */
    private static final class Trial {
        private final Random random;
        private final StepTrial trial;

        Trial(long seed, Element element) {
            random = new Random(seed);
            trial = new StepTrial(random).on(SimulatedDevice.platform()).element(element)
                    .tolerance(switch (element) {
                        case F32 -> 2e-5;
                        case F16 -> 4e-3;
                        case BF16 -> 3e-2;
                    });
        }

        int[] image() {
            int channels = random.nextBoolean() ? 8 * (1 + random.nextInt(6)) : 1 + random.nextInt(40);
            return new int[] {1 + random.nextInt(2), channels, 1 + random.nextInt(9), 1 + random.nextInt(9)};
        }

        Lay source() {
            return SOURCES[random.nextInt(SOURCES.length)];
        }

        Lay target() {
            return TARGETS[random.nextInt(TARGETS.length)];
        }

        void compute(String kernel, Op op, List<Operand> sources, Function activation) {
            trial.destination(target(), Where.ARENA, trial.resultOf(op, sources));
            trial.compute(kernel, op, sources, activation);
        }
    }

    private static Stream<Trial> trials(Element element) {
        return java.util.stream.IntStream.range(0, TRIALS).mapToObj(seed -> new Trial(seed, element));
    }

    @ParameterizedTest
    @EnumSource(Element.class)
    void copiesAndGathers(Element element) {
        trials(element).forEach(t -> {
            Operand source = t.trial.source(t.source(), t.random.nextBoolean() ? Where.ARENA : Where.CALLER, t.image());
            boolean isIndexed = source.isIndexed();
            List<Integer> dims = new ArrayList<>(source.view().dims());
            if (isIndexed) {
                dims.set(1, (dims.get(1) - 3) / 2);
            }
            t.trial.destination(t.target(), t.random.nextBoolean() ? Where.ARENA : Where.CALLER, dims);
            t.trial.copy("cuda.map", source);
        });
    }

    @ParameterizedTest
    @EnumSource(Element.class)
    void appliesFunctions(Element element) {
        for (Function.Kind kind : Function.Kind.values()) {
            if (kind == Function.Kind.LOG || kind == Function.Kind.SQRT || kind == Function.Kind.RECIPROCAL) {
                continue;      // of random values in [-1, 1] they are NaN, or as large as rounding makes them
            }
            Trial t = new Trial(kind.ordinal(), element);
            Function function = new Function(kind, kind == Function.Kind.CLIP ? -0.25f : 0.3f, 0.6f);
            t.compute("cuda.map", new Op.Apply(function), List.of(t.trial.source(t.source(), Where.ARENA, t.image())), Function.RELU);
        }
    }

    @ParameterizedTest
    @EnumSource(Element.class)
    void scalesAndShifts(Element element) {
        trials(element).forEach(t -> {
            int[] dims = t.image();
            t.compute("cuda.map", new Op.ScaleShift(), List.of(t.trial.source(t.source(), Where.ARENA, dims), t.trial.constant(dims[1]),
                    t.trial.constant(dims[1])), Function.of(Function.Kind.SILU));
        });
    }

    @ParameterizedTest
    @EnumSource(Element.class)
    void combinesWithBroadcasting(Element element) {
        trials(element).forEach(t -> {
            int[] dims = t.image();
            int[] other = dims.clone();
            for (int axis = 0; axis < other.length; axis++) {
                other[axis] = t.random.nextInt(3) == 0 ? 1 : other[axis];
            }
            Op.Binary.Kind[] kinds = {Op.Binary.Kind.ADD, Op.Binary.Kind.SUB, Op.Binary.Kind.MUL, Op.Binary.Kind.MIN, Op.Binary.Kind.MAX};
            Operand left = t.trial.source(t.source(), Where.ARENA, dims);
            Operand right = t.random.nextInt(4) == 0 ? t.trial.constant(other[1], 1, 1)
                    : t.trial.source(t.random.nextBoolean() ? Lay.CHANNELS_LAST : Lay.SCATTERED, Where.ARENA, other);
            boolean swapped = t.random.nextBoolean();
            t.compute("cuda.map", new Op.Binary(kinds[t.random.nextInt(kinds.length)]), swapped ? List.of(right, left) : List.of(left, right),
                    Function.NONE);
        });
    }

    @ParameterizedTest
    @EnumSource(Element.class)
    void pools(Element element) {
        trials(element).forEach(t -> {
            int kernel = 1 + t.random.nextInt(3);
            int pad = t.random.nextInt(kernel);
            boolean isMaximum = t.random.nextBoolean();
            Window window = new Window(kernel, kernel, 1 + t.random.nextInt(2), 1 + t.random.nextInt(2), 1, isMaximum ? 1 + t.random.nextInt(2) : 1,
                    pad, pad, pad, pad);
            int[] dims = t.image();
            dims[2] += 5;
            dims[3] += 5;
            Op op = new Op.Pool(isMaximum ? Op.Pool.Kind.MAX : Op.Pool.Kind.AVERAGE, window, t.random.nextBoolean(), t.random.nextBoolean());
            t.compute("cuda.pool", op, List.of(t.trial.source(t.source(), Where.ARENA, dims)), t.random.nextBoolean() ? Function.NONE : Function.RELU);
        });
    }

    @ParameterizedTest
    @EnumSource(Element.class)
    void reduces(Element element) {
        trials(element).forEach(t -> {
            List<List<Integer>> axes = List.of(List.of(2, 3), List.of(3), List.of(2), List.of(0, 2, 3));
            Op op = new Op.Reduce(Op.Reduce.Kind.values()[t.random.nextInt(4)], axes.get(t.random.nextInt(axes.size())), t.random.nextBoolean());
            Operand source = t.trial.source(t.source(), Where.ARENA, t.image());
            if (((Op.Reduce) op).kind() == Op.Reduce.Kind.SUM) {
                t.trial.tolerance(element == Element.F32 ? 2e-5 : 0.1);
            }
            t.compute("cuda.reduce", op, List.of(source), Function.NONE);
        });
    }

    @ParameterizedTest
    @EnumSource(Element.class)
    void softmaxesAndNormalisesRows(Element element) {
        trials(element).forEach(t -> {
            int[] dims = {1 + t.random.nextInt(3), 1 + t.random.nextInt(6), 1 + t.random.nextInt(300)};
            Operand source = t.trial.source(t.random.nextBoolean() ? Lay.ROW_MAJOR : Lay.SCATTERED, Where.ARENA, dims);
            t.compute("cuda.softmax", new Op.Softmax(t.random.nextInt(3)), List.of(source), Function.NONE);
            Trial norm = new Trial(t.random.nextLong(), element);
            norm.trial.tolerance(element == Element.F32 ? 1e-4 : 6e-2);
            int[] long_ = {dims[0], dims[1], 16 + dims[2]};
            List<Operand> operands = new ArrayList<>(List.of(norm.trial.source(Lay.ROW_MAJOR, Where.ARENA, long_), norm.trial.constant(long_[2])));
            if (norm.random.nextBoolean()) {
                operands.add(norm.trial.constant(long_[2]));
            }
            norm.compute("cuda.layernorm", new Op.LayerNorm(2, 1e-5f), operands, Function.NONE);
        });
    }

    @ParameterizedTest
    @EnumSource(Element.class)
    void resizes(Element element) {
        trials(element).forEach(t -> {
            int[] dims = t.image();
            int height = 1 + t.random.nextInt(12);
            int width = 1 + t.random.nextInt(12);
            Op op = new Op.Resize(Op.Resize.Mode.values()[t.random.nextInt(2)], Op.Resize.Coordinates.values()[t.random.nextInt(4)],
                    Op.Resize.Nearest.values()[t.random.nextInt(4)], height, width, (float) ((double) height / dims[2]),
                    (float) ((double) width / dims[3]));
            t.compute("cuda.resize", op, List.of(t.trial.source(t.source(), Where.ARENA, dims)), Function.NONE);
        });
    }

    @ParameterizedTest
    @EnumSource(Element.class)
    void pads(Element element) {
        trials(element).forEach(t -> {
            int[] dims = t.image();
            dims[2] += 3;
            dims[3] += 3;
            List<Integer> before = List.of(0, 0, t.random.nextInt(4) - 1, t.random.nextInt(3));
            List<Integer> after = List.of(0, 0, t.random.nextInt(3), t.random.nextInt(4) - 1);
            Op op = new Op.Pad(Op.Pad.Mode.values()[t.random.nextInt(3)], before, after, 0.5f);
            t.compute("cuda.pad", op, List.of(t.trial.source(t.source(), Where.ARENA, dims)), Function.NONE);
        });
    }

    /** Windows wider than the image's channels among them. */
    @ParameterizedTest
    @EnumSource(Element.class)
    void normalisesResponses(Element element) {
        trials(element).forEach(t -> {
            Op op = new Op.Lrn(1 + t.random.nextInt(t.random.nextBoolean() ? 6 : 60), 4 * t.random.nextFloat(), 2 * t.random.nextFloat(),
                    0.5f + t.random.nextFloat());
            t.compute("cuda.lrn", op, List.of(t.trial.source(t.source(), Where.ARENA, t.image())),
                    t.random.nextBoolean() ? Function.NONE : Function.of(Function.Kind.SILU));
        });
    }

    @ParameterizedTest
    @EnumSource(Element.class)
    void convolves(Element element) {
        trials(element).forEach(t -> {
            t.trial.tolerance(element == Element.F32 ? 1e-4 : 0.2);
            int groups = t.random.nextInt(3) == 0 ? 1 + t.random.nextInt(4) : 1;
            int channels = groups * (1 + t.random.nextInt(6));
            int outputs = groups * (1 + t.random.nextInt(9));
            int kernel = 1 + t.random.nextInt(3);
            Window window = new Window(kernel, kernel, 1 + t.random.nextInt(2), 1, 1, 1 + t.random.nextInt(2), 1, 0, 1, 2);
            int[] dims = {1 + t.random.nextInt(2), channels, kernel + 2 + t.random.nextInt(4), 2 * kernel + t.random.nextInt(4)};
            Operand source = t.trial.source(t.source(), Where.ARENA, dims);
            Operand weights = t.trial.constant(outputs, channels / groups, kernel, kernel);
            Operand bias = t.random.nextBoolean() ? t.trial.constant(outputs) : null;
            List<Integer> result = List.of(dims[0], outputs, window.outputH(dims[2]), window.outputW(dims[3]));
            Operand addend = t.random.nextBoolean() ? t.trial.source(t.source(), Where.ARENA, result.stream().mapToInt(Integer::intValue).toArray())
                    : null;
            t.trial.destination(t.target(), Where.ARENA, result);
            t.trial.convolve("cuda.convolve", new Op.Conv(window, groups), source, weights, bias, addend, Function.RELU);
        });
    }

    @ParameterizedTest
    @EnumSource(Element.class)
    void convolvesTransposed(Element element) {
        trials(element).forEach(t -> {
            t.trial.tolerance(element == Element.F32 ? 1e-4 : 0.2);
            int groups = 1 + t.random.nextInt(2);
            int[] dims = {1 + t.random.nextInt(2), groups * (1 + t.random.nextInt(5)), 2 + t.random.nextInt(4), 2 + t.random.nextInt(4)};
            Window window = new Window(2, 3, 2, 1 + t.random.nextInt(2), 1, 1, t.random.nextInt(2), 1, 0, 0);
            List<Operand> operands = new ArrayList<>(List.of(t.trial.source(t.source(), Where.ARENA, dims),
                    t.trial.constant(dims[1], 1 + t.random.nextInt(5), 2, 3)));
            if (t.random.nextBoolean()) {
                operands.add(t.trial.constant(operands.get(1).view().dim(1) * groups));
            }
            t.compute("cuda.convolve", new Op.ConvTranspose(window, 0, 0, groups), operands, Function.NONE);
        });
    }

    @ParameterizedTest
    @EnumSource(Element.class)
    void multipliesMatrices(Element element) {
        trials(element).forEach(t -> {
            t.trial.tolerance(element == Element.F32 ? 1e-4 : 0.2);
            int depth = 1 + t.random.nextInt(40);
            int batch = 1 + t.random.nextInt(3);
            Operand left = t.trial.source(Lay.SCATTERED, Where.ARENA, batch, 2, 1 + t.random.nextInt(20), depth);
            Operand right = t.trial.source(Lay.ROW_MAJOR, Where.ARENA, t.random.nextBoolean() ? batch : 1, 2, depth, 1 + t.random.nextInt(20));
            t.compute("cuda.matmul", new Op.MatMul(), List.of(left, right), Function.NONE);
        });
    }

    /** More blocks than one in every direction, and widths that are no multiple of anything. */
    @Test
    void copiesLargeImages() {
        for (Lay lay : SOURCES) {
            Trial t = new Trial(lay.ordinal(), Element.F32);
            Operand source = t.trial.source(lay, Where.ARENA, 2, 67, 61, 59);
            t.trial.destination(Lay.CHANNELS_LAST, Where.ARENA, List.of(2, 67, 61, 59));
            t.trial.copy("cuda.map", source);
        }
    }
}
