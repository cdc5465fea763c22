package dev.upscale.runtime.portable;

import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.graph.Window;
import dev.upscale.plan.Operand;
import dev.upscale.runtime.StepTrial;
import dev.upscale.runtime.StepTrial.Lay;
import dev.upscale.runtime.StepTrial.Where;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every operation, on random layouts, against the interpreter. */
class PortableKernelsTest {
    private static final Lay[] LAYS = Lay.values();

    private Random random = new Random(1);

    private Lay lay() {
        return LAYS[random.nextInt(LAYS.length)];
    }

    private Lay written() {
        Lay lay = lay();
        return lay == Lay.INDEXED ? Lay.SLICE : lay;
    }

    private Where where() {
        return random.nextBoolean() ? Where.ARENA : Where.CALLER;
    }

    private int upTo(int most) {
        return 1 + random.nextInt(most);
    }

    /** Runs an operation on sources of the given shapes; those after the first {@code computed} are constants. */
    private void trial(Op op, int computed, int[]... shapes) {
        trial(op, computed, Function.NONE, shapes);
    }

    private void trial(Op op, int computed, Function activation, int[]... shapes) {
        StepTrial trial = new StepTrial(random);
        List<Operand> sources = new ArrayList<>();
        for (int i = 0; i < shapes.length; i++) {
            sources.add(i < computed ? trial.source(shapes[i].length < 2 ? Lay.ROW_MAJOR : lay(), where(), shapes[i])
                    : trial.constant(shapes[i]));
        }
        trial.destination(written(), where(), trial.resultOf(op, sources));
        trial.compute("java." + op.getClass().getSimpleName().toLowerCase(), op, sources, activation);
    }

    private int[] image() {
        return new int[] {upTo(3), upTo(9), upTo(8), upTo(8)};
    }

    @RepeatedTest(60)
    void convolves(RepetitionInfo repetition) {
        random = new Random(repetition.getCurrentRepetition());
        int groups = random.nextInt(3) == 0 ? upTo(4) : 1;
        int channels = groups * upTo(5);
        int outputs = groups * upTo(5);
        Window window = new Window(upTo(3), upTo(3), upTo(2), upTo(2), upTo(2), upTo(2), upTo(3) - 1, upTo(3) - 1, upTo(3) - 1, upTo(3) - 1);
        int height = window.spanH() + random.nextInt(6);
        int width = window.spanW() + random.nextInt(6);
        int batch = upTo(2);
        StepTrial trial = new StepTrial(random);
        Operand source = trial.source(lay(), where(), batch, channels, height, width);
        Operand weights = trial.constant(outputs, channels / groups, window.kernelH(), window.kernelW());
        Operand bias = random.nextBoolean() ? trial.constant(outputs) : null;
        List<Integer> result = List.of(batch, outputs, window.outputH(height), window.outputW(width));
        Operand addend = random.nextBoolean() ? trial.source(written(), Where.ARENA, result.stream().mapToInt(i -> i).toArray()) : null;
        if (addend != null && random.nextBoolean()) {
            trial.inPlace(addend);
        } else {
            trial.destination(written(), where(), result);
        }
        Function activation = random.nextBoolean() ? Function.RELU : Function.of(Function.Kind.SILU);
        trial.convolve("java.conv", new Op.Conv(window, groups), source, weights, bias, addend, activation);
    }

    @RepeatedTest(12)
    void convolvesRows(RepetitionInfo repetition) {
        random = new Random(repetition.getCurrentRepetition());
        int[] dims = IntStream.range(0, upTo(3)).map(axis -> upTo(7)).toArray();
        int outputs = upTo(9);
        StepTrial trial = new StepTrial(random);
        Operand source = trial.rows(lay(), where(), dims);
        Operand weights = trial.constant(outputs, dims[dims.length - 1], 1, 1);
        int[] result = dims.clone();
        result[dims.length - 1] = outputs;
        trial.destination(written(), where(), Arrays.stream(result).boxed().toList());
        trial.convolve("java.conv", new Op.Conv(Window.square(1, 1, 0), 1), source, weights, null, null, Function.NONE);
    }

    @RepeatedTest(10)
    void normalises(RepetitionInfo repetition) {
        random = new Random(repetition.getCurrentRepetition());
        int[] image = image();
        int[] channels = {image[1]};
        trial(new Op.ScaleShift(), 1, Function.RELU, image, channels, channels);
        trial(new Op.InstanceNorm(1e-3f), 1, image, channels, channels);
        trial(new Op.LayerNorm(2, 1e-3f), 1, image, new int[] {image[2], image[3]}, new int[] {image[3]});
        trial(new Op.LayerNorm(3, 1e-3f), 1, image, new int[] {image[3]});
        trial(new Op.Lrn(upTo(5), 0.3f, 0.75f, 2f), 1, image);
        for (int axis = 0; axis < 4; axis++) {
            trial(new Op.Softmax(axis), 1, image);
        }
    }

    @Test
    void normalisesBatches() {
        StepTrial trial = new StepTrial(random);
        Operand source = trial.source(Lay.SLICE, Where.ARENA, 2, 3, 4, 5);
        Op norm = new Op.BatchNorm(1e-3f);
        List<Operand> sources = List.of(source, trial.constant(3), trial.constant(3), trial.constant(3),
                trial.constant(new float[] {0.5f, 1, 2}, 3));
        trial.destination(Lay.ROW_MAJOR, Where.CALLER, trial.resultOf(norm, sources));
        trial.compute("java.batchnorm", norm, sources, Function.RELU);
    }

    @ParameterizedTest
    @EnumSource(Function.Kind.class)
    void applies(Function.Kind kind) {
        Function function = new Function(kind, kind == Function.Kind.CLIP ? -0.3f : 0.2f, 0.6f);
        trial(new Op.Apply(function), 1, image());
        trial(new Op.Apply(Function.RELU), 1, function, image());
        trial(new Op.Apply(function), 1, new int[] {1, 70, 8, 9});
    }

    @ParameterizedTest
    @EnumSource(Op.Binary.Kind.class)
    void combines(Op.Binary.Kind kind) {
        if (kind == Op.Binary.Kind.POW || kind == Op.Binary.Kind.DIV) {
            StepTrial trial = new StepTrial(random);
            List<Operand> sources = List.of(trial.source(Lay.SLICE, Where.ARENA, 2, 5, 3, 3), trial.constant(new float[] {2}, 1));
            trial.destination(Lay.SCATTERED, Where.CALLER, List.of(2, 5, 3, 3));
            trial.compute("java.binary", new Op.Binary(kind), sources, Function.NONE);
            return;
        }
        int[] image = image();
        int[][] others = {image, {image[1], 1, 1}, {image[0], image[1], 1, 1}, {image[0], 1, image[2], image[3]}, {1}, {image[3]}};
        for (int[] other : others) {
            trial(new Op.Binary(kind), 2, image, other);
            trial(new Op.Binary(kind), 1, image, other);
            trial(new Op.Binary(kind), 2, Function.RELU, other, image);
        }
        trial(new Op.PRelu(), 1, image, new int[] {image[1], 1, 1});
    }

    @RepeatedTest(10)
    void worksInPlace(RepetitionInfo repetition) {
        random = new Random(repetition.getCurrentRepetition());
        StepTrial trial = new StepTrial(random);
        Operand source = trial.source(written(), Where.ARENA, image());
        trial.inPlace(source);
        Op op = random.nextBoolean() ? new Op.Apply(Function.of(Function.Kind.TANH)) : new Op.Softmax(1);
        trial.compute("java." + op.getClass().getSimpleName().toLowerCase(), op, List.of(source), Function.NONE);
    }

    @RepeatedTest(20)
    void movesElements(RepetitionInfo repetition) {
        random = new Random(repetition.getCurrentRepetition());
        int[] image = image();
        trial(new Op.Concat(1), 3, image, new int[] {image[0], upTo(5), image[2], image[3]}, image);
        trial(new Op.Concat(3), 2, image, image);
        trial(new Op.Slice(2, image[2] - 1, upTo(image[2]), -1), 1, image);
        trial(new Op.Slice(1, 0, (image[1] + 1) / 2, 2), 1, image);
        trial(new Op.Take(1, List.of(0, image[1] - 1, 0)), 1, image);
        trial(new Op.Take(3, List.of(image[3] - 1, 0)), 1, image);
        trial(new Op.Transpose(List.of(0, 2, 3, 1)), 1, image);
        trial(new Op.Transpose(List.of(3, 1, 0, 2)), 1, image);
        trial(new Op.Expand(List.of(image[0], image[1], image[2], 5)), 1, new int[] {image[1], image[2], 1});
        trial(new Op.Reshape(List.of(image[0], image[1] * image[2] * image[3])), 1, image);
        trial(new Op.Reshape(List.of(image[3], image[2], image[0] * image[1], 1)), 1, image);
        trial(new Op.Reshape(List.of(2, 3, image[2], image[3])), 1, new int[] {1, 6, image[2], image[3]});
        trial(new Op.Pad(Op.Pad.Mode.CONSTANT, List.of(0, 2, 1, 0), List.of(1, 0, 0, 3), 1.5f), 1, image);
        trial(new Op.Pad(Op.Pad.Mode.EDGE, List.of(0, 0, 2, 1), List.of(0, 0, 1, 3), 0), 1, image);
        trial(new Op.Pad(Op.Pad.Mode.REFLECT, List.of(0, 0, 1, 2), List.of(0, 0, 3, 1), 0), 1, new int[] {1, 3, 4, 5});
        trial(new Op.Pad(Op.Pad.Mode.CONSTANT, List.of(0, 0, -1, -1), List.of(0, 0, 0, 2), 0), 1, new int[] {1, 3, 4, 5});
        trial(new Op.DepthToSpace(2, Op.DepthToSpace.Mode.DCR), 1, new int[] {2, 8, 3, 2});
        trial(new Op.DepthToSpace(2, Op.DepthToSpace.Mode.CRD), 1, new int[] {2, 12, 2, 3});
    }

    @RepeatedTest(10)
    void copies(RepetitionInfo repetition) {
        random = new Random(repetition.getCurrentRepetition());
        StepTrial trial = new StepTrial(random);
        int[] image = image();
        Operand source = trial.source(lay(), where(), image);
        trial.destination(written(), where(), Arrays.stream(image).boxed().toList());
        trial.copy("java.copy", source);
    }

    @Test
    void copiesRowsLongerThanAPiece() {
        StepTrial trial = new StepTrial(random);
        Operand source = trial.source(Lay.ROW_MAJOR, Where.CALLER, 1, 3, 50, 61);
        trial.destination(Lay.ROW_MAJOR, Where.CALLER, List.of(1, 3, 50, 61));
        trial.copy("java.copy", source);
    }

    @RepeatedTest(20)
    void poolsAndReduces(RepetitionInfo repetition) {
        random = new Random(repetition.getCurrentRepetition());
        int[] image = {upTo(2), upTo(9), 5 + upTo(5), 5 + upTo(5)};
        Window window = new Window(upTo(3), upTo(3), upTo(3), upTo(3), upTo(2), 1, random.nextInt(2), random.nextInt(2), random.nextInt(2),
                random.nextInt(2));
        trial(new Op.Pool(Op.Pool.Kind.MAX, Window.square(3, 2, 1), random.nextBoolean(), false), 1, image);
        trial(new Op.Pool(Op.Pool.Kind.AVERAGE, window.padTop() < window.kernelH() && window.padLeft() < window.kernelW()
                && window.padBottom() < window.kernelH() && window.padRight() < window.kernelW() ? window : Window.square(2, 1, 0),
                random.nextBoolean(), random.nextBoolean()), 1, image);
        for (Op.Reduce.Kind kind : Op.Reduce.Kind.values()) {
            trial(new Op.Reduce(kind, List.of(2, 3), random.nextBoolean()), 1, image);
            trial(new Op.Reduce(kind, List.of(1), random.nextBoolean()), 1, image);
            trial(new Op.Reduce(kind, List.of(0, 3), random.nextBoolean()), 1, image);
        }
        trial(new Op.Reduce(Op.Reduce.Kind.SUM, List.of(0, 1, 2, 3), false), 1, image);
    }

    @RepeatedTest(20)
    void resizes(RepetitionInfo repetition) {
        random = new Random(repetition.getCurrentRepetition());
        int[] image = image();
        int height = upTo(12);
        int width = upTo(12);
        for (Op.Resize.Mode mode : Op.Resize.Mode.values()) {
            for (Op.Resize.Coordinates coordinates : Op.Resize.Coordinates.values()) {
                Op.Resize.Nearest nearest = Op.Resize.Nearest.values()[random.nextInt(4)];
                trial(new Op.Resize(mode, coordinates, nearest, height, width, (float) height / image[2], (float) width / image[3]), 1, image);
            }
        }
    }

    @RepeatedTest(20)
    void multiplies(RepetitionInfo repetition) {
        random = new Random(repetition.getCurrentRepetition());
        int k = upTo(9);
        int m = upTo(5);
        int n = upTo(9);
        int b = upTo(3);
        trial(new Op.MatMul(), 2, new int[] {b, m, k}, new int[] {b, k, n});
        trial(new Op.MatMul(), 2, new int[] {b, 2, m, k}, new int[] {2, k, n});
        trial(new Op.MatMul(), 1, Function.RELU, new int[] {b, m, k}, new int[] {k, n});
        trial(new Op.Linear(), 1, Function.RELU, new int[] {m, k}, new int[] {n, k}, new int[] {n});
        trial(new Op.Linear(), 1, new int[] {b, m, 2, k}, new int[] {n, k});
        int groups = upTo(2);
        int channels = groups * upTo(3);
        Window window = new Window(2, 3, upTo(3), upTo(2), upTo(2), 1, random.nextInt(2), random.nextInt(2), random.nextInt(2), 0);
        trial(new Op.ConvTranspose(window, window.strideH() - 1, 0, groups), 1, new int[] {b, channels, 4, 3},
                new int[] {channels, upTo(3), 2, 3});
        trial(new Op.Conv(Window.square(3, 1, 1), groups), 1, new int[] {b, channels, 4, 3}, new int[] {groups * 2, channels / groups, 3, 3},
                new int[] {groups * 2});
    }

    @Test
    void refusesWhatItsNameDoesNotSay() {
        StepTrial trial = new StepTrial(random);
        Operand source = trial.source(Lay.ROW_MAJOR, Where.CALLER, 1, 2, 3, 4);
        trial.destination(Lay.ROW_MAJOR, Where.CALLER, List.of(1, 2, 3, 4));
        assertThrows(StepTrial.Refused.class,
                () -> trial.compute("java.conv", new Op.Softmax(1), List.of(source), Function.NONE));
    }
}
