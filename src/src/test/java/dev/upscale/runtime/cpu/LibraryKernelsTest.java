package dev.upscale.runtime.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.graph.Window;
import dev.upscale.plan.Operand;
import dev.upscale.runtime.StepTrial;
import dev.upscale.runtime.StepTrial.Lay;
import dev.upscale.runtime.StepTrial.Refused;
import dev.upscale.runtime.StepTrial.Where;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The libraries' kernels on random geometry and layouts, against the interpreter. */
class LibraryKernelsTest {
    private static final int TRIALS = 60;

    /** Rounding of both factors, on up to 360 products of numbers below 1; sums that lack a channel are off by more. */
    private static final double BF16 = 0.1;
    private static final Function[] FUSED = {Function.NONE, Function.RELU, new Function(Function.Kind.CLIP, 0, 6),
        Function.of(Function.Kind.SILU), Function.of(Function.Kind.HARD_SWISH), Function.of(Function.Kind.SIGMOID),
        new Function(Function.Kind.LEAKY_RELU, 0.1f, 0), Function.of(Function.Kind.GELU)};

    private Random random = new Random(7);
    private int run;
    private int refused;
    private final Map<String, Integer> reasons = new TreeMap<>();

    private int upTo(int most) {
        return 1 + random.nextInt(most);
    }

    private <T> T any(T[] values) {
        return values[random.nextInt(values.length)];
    }

    private Where where() {
        return any(Where.values());
    }

    private static void assumeEngine(String kernel) {
        String engine = kernel.substring(0, kernel.indexOf('.'));
        assumeTrue(CpuCatalog.ofMachine().engines().contains(engine), engine + " is not here");
    }

    /** Repeats a trial with other random numbers; refusals are counted. */
    private void trials(String kernel, Runnable trial) {
        assumeEngine(kernel);
        for (int seed = 0; seed < TRIALS; seed++) {
            random = new Random(seed);
            try {
                trial.run();
                run++;
            } catch (Refused e) {
                refused++;
                reasons.merge(e.getMessage(), 1, Integer::sum);
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError(kernel + " with seed " + seed + ": " + e.getMessage(), e);
            }
        }
    }

    private void requireRunAtLeast(int least) {
        assertTrue(run > least, run + " run, " + refused + " refused: " + reasons);
    }

    private void requireMostlyRun() {
        requireRunAtLeast(refused);
    }

    private void convolution(String kernel, boolean depthwise, Lay[] read, Lay[] written, boolean addend, int threads) {
        StepTrial trial = new StepTrial(random).threads(threads);
        int groups = depthwise ? upTo(40) : random.nextInt(4) == 0 ? upTo(4) : 1;
        int channels = depthwise ? groups : groups * upTo(40);
        int outputs = groups * upTo(depthwise ? 2 : 40);
        boolean pointwise = kernel.endsWith("matmul") || random.nextInt(3) == 0;
        if (kernel.endsWith("matmul")) {
            outputs = outputs / groups + 1;
            groups = 1;
        }
        boolean winograd = kernel.endsWith("winograd");
        if (winograd) {
            pointwise = false;
            channels /= groups;
            groups = 1;
        }
        int kernelH = winograd ? 3 : upTo(3);
        int kernelW = winograd || random.nextBoolean() ? kernelH : upTo(3);
        Window window = winograd ? new Window(3, 3, 1, 1, 1, 1, random.nextInt(3), random.nextInt(3), random.nextInt(3), random.nextInt(3))
                : pointwise ? Window.square(1, 1, 0) : new Window(kernelH, kernelW, upTo(2), upTo(2), upTo(2), 1,
                random.nextInt(kernelH), random.nextInt(kernelW), random.nextInt(kernelH), random.nextInt(kernelW));
        int height = window.spanH() + random.nextInt(9);
        int width = window.spanW() + random.nextInt(9);
        int batch = upTo(3);
        Operand source = trial.source(any(read), kernel.startsWith("xnnpack") ? Where.ARENA : where(), batch, channels, height, width);
        Operand weights = trial.constant(outputs, channels / groups, window.kernelH(), window.kernelW());
        Operand bias = random.nextBoolean() ? trial.constant(outputs) : null;
        List<Integer> result = List.of(batch, outputs, window.outputH(height), window.outputW(width));
        Operand residual = addend && random.nextBoolean()
                ? trial.source(any(written), Where.ARENA, result.stream().mapToInt(i -> i).toArray()) : null;
        if (residual != null && random.nextBoolean()) {
            trial.inPlace(residual);
        } else {
            trial.destination(any(written), where(), result);
        }
        Function[] functions = kernel.startsWith("xnnpack") ? Arrays.copyOf(FUSED, 3) : FUSED;
        trial.tolerance(kernel.endsWith("bf16") ? BF16 : 1e-4).convolve(kernel, new Op.Conv(window, groups), source, weights, bias, residual, any(functions));
    }

    private static final Lay[] DENSE = {Lay.CHANNELS_LAST};
    private static final Lay[] SLICES = {Lay.CHANNELS_LAST, Lay.SLICE};
    private static final Lay[] PLANES = {Lay.ROW_MAJOR};
    private static final Lay[] ANY_CHANNELS = {Lay.CHANNELS_LAST, Lay.SLICE, Lay.INDEXED, Lay.INDEXED, Lay.ROW_MAJOR};

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void ourConvolutionsReadAnyChannels(int threads) {
        trials("upscale.conv", () -> convolution("upscale.conv", false, ANY_CHANNELS, SLICES, true, threads));
        trials("upscale.conv", () -> convolution("upscale.conv", true, ANY_CHANNELS, SLICES, true, threads));
        requireMostlyRun();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void ourWinogradConvolutionsReadAnyChannelsSideBySide(int threads) {
        Lay[] read = {Lay.CHANNELS_LAST, Lay.SLICE, Lay.INDEXED};
        trials("upscale.winograd", () -> convolution("upscale.winograd", false, read, SLICES, true, threads));
        requireMostlyRun();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void ourConvolutionsWithBf16ReadAnyChannels(int threads) {
        assumeTrue(CpuCatalog.hasBf16(), "this CPU has no AVX-512 BF16");
        trials("upscale.conv.bf16", () -> convolution("upscale.conv.bf16", false, ANY_CHANNELS, SLICES, true, threads));
        requireMostlyRun();
    }

    @Test
    void bf16IsLeftToF32WhereItIsNotFaster() {
        assumeTrue(CpuCatalog.hasBf16(), "this CPU has no AVX-512 BF16");
        trials("upscale.conv.bf16", () -> convolution("upscale.conv.bf16", true, DENSE, DENSE, false, 1));
        assertEquals(Set.of("fewer than 8 input channels, which are not faster in bf16"), reasons.keySet());
        assertEquals(0, run);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void oneDnnConvolvesDenseImages(int threads) {
        trials("onednn.conv", () -> convolution("onednn.conv", false, DENSE, DENSE, true, threads));
        trials("onednn.conv", () -> convolution("onednn.conv", true, DENSE, DENSE, true, threads));
        requireMostlyRun();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void oneDnnConvolvesPlanesWithoutGroups(int threads) {
        trials("onednn.conv", () -> convolution("onednn.conv", false, PLANES, DENSE, true, threads));
        requireMostlyRun();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void oneDnnMultipliesSlices(int threads) {
        trials("onednn.matmul", () -> convolution("onednn.matmul", false, SLICES, SLICES, true, threads));
        requireMostlyRun();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void xnnpackConvolvesSlices(int threads) {
        trials("xnnpack.conv", () -> convolution("xnnpack.conv", false, SLICES, SLICES, false, threads));
        trials("xnnpack.conv", () -> convolution("xnnpack.conv", true, SLICES, SLICES, false, threads));
        requireMostlyRun();
    }

    @ParameterizedTest
    @ValueSource(strings = {"upscale.conv", "onednn.matmul", "xnnpack.conv"})
    void linearLayersRunOnRows(String kernel) {
        trials(kernel, () -> {
            int[] rows = random.nextBoolean() ? new int[] {upTo(20), upTo(70)} : new int[] {upTo(3), upTo(9), upTo(30)};
            int outputs = upTo(50);
            StepTrial trial = new StepTrial(random).tolerance(1e-4);
            Operand source = trial.rows(rows.length == 3 ? Lay.ROW_MAJOR : any(SLICES), Where.ARENA, rows);
            Operand weights = trial.constant(outputs, rows[rows.length - 1], 1, 1);
            Operand bias = trial.constant(outputs);
            int[] result = rows.clone();
            result[rows.length - 1] = outputs;
            trial.destination(rows.length == 3 ? Lay.ROW_MAJOR : any(SLICES), where(), Arrays.stream(result).boxed().toList());
            trial.convolve(kernel, new Op.Conv(Window.square(1, 1, 0), 1), source, weights, bias, null, Function.RELU);
        });
        requireMostlyRun();
    }

    @Test
    void xnnpackTransposesConvolutions() {
        trials("xnnpack.convtranspose", () -> {
            int groups = upTo(2);
            int channels = groups * upTo(9);
            Window window = new Window(2, 3, upTo(3), upTo(2), 1, 1, random.nextInt(2), random.nextInt(2), random.nextInt(2), 0);
            compute("xnnpack.convtranspose", new Op.ConvTranspose(window, window.strideH() - 1, 0, groups), 1, SLICES, Where.ARENA,
                    new Function[] {Function.RELU, Function.NONE}, new int[] {upTo(2), channels, 2 + upTo(6), 2 + upTo(6)},
                    new int[] {channels, upTo(9), 2, 3});
        });
        requireMostlyRun();
    }

    @Test
    void oursTransposeConvolutionsWithoutOverlap() {
        trials("upscale.convtranspose", () -> {
            int groups = upTo(2);
            int channels = groups * upTo(20);
            int kernelH = upTo(3);
            int kernelW = upTo(3);
            compute("upscale.convtranspose", new Op.ConvTranspose(new Window(kernelH, kernelW, kernelH, kernelW, 1, 1, 0, 0, 0, 0), 0, 0,
                    groups), 1, READ, where(), FUSED, new int[] {upTo(3), channels, upTo(6), upTo(6)},
                    new int[] {channels, upTo(9), kernelH, kernelW});
        });
        requireMostlyRun();
    }

    /** Runs an operation whose first sources are computed, the others constants. */
    private void compute(String kernel, Op op, int computed, Lay[] lays, Where where, Function[] activations, int[]... shapes) {
        StepTrial trial = new StepTrial(random).threads(upTo(2));
        List<Operand> sources = new ArrayList<>();
        for (int i = 0; i < shapes.length; i++) {
            sources.add(i < computed ? trial.source(shapes[i].length < 2 ? Lay.ROW_MAJOR : any(lays), where, shapes[i])
                    : trial.constant(shapes[i]));
        }
        trial.destination(any(Arrays.stream(lays).filter(lay -> lay != Lay.INDEXED).toArray(Lay[]::new)), where(),
                trial.resultOf(op, sources));
        trial.tolerance(1e-4).compute(kernel, op, sources, any(activations));
    }

    private static final Function[] NO_FUNCTION = {Function.NONE};
    private static final Lay[] READ = {Lay.CHANNELS_LAST, Lay.SLICE, Lay.INDEXED};

    private int[] image() {
        return new int[] {upTo(3), channels(), upTo(8), upTo(8)};
    }

    /** One, a few vectors, or more than a pass keeps in registers. */
    private int channels() {
        return switch (random.nextInt(4)) {
            case 0 -> 1;
            case 1 -> upTo(150);
            default -> upTo(40);
        };
    }

    @ParameterizedTest
    @EnumSource(Function.Kind.class)
    void pointwiseFunctions(Function.Kind kind) {
        Function function = new Function(kind, kind == Function.Kind.CLIP ? -0.3f : 0.2f, 0.6f);
        trials("upscale.pointwise", () -> compute("upscale.pointwise", new Op.Apply(function), 1,
                new Lay[] {Lay.CHANNELS_LAST, Lay.SLICE, Lay.INDEXED, Lay.ROW_MAJOR}, where(), NO_FUNCTION,
                random.nextBoolean() ? image() : new int[] {upTo(9), upTo(50)}));
        requireRunAtLeast(TRIALS / 4);
    }

    @Test
    void scalesAndShifts() {
        trials("upscale.pointwise", () -> {
            int[] image = image();
            compute("upscale.pointwise", new Op.ScaleShift(), 1, READ, where(), FUSED, image, new int[] {image[1]}, new int[] {image[1]});
        });
        requireMostlyRun();
    }

    @Test
    void combinesTwoOperands() {
        Op.Binary.Kind[] kinds = {Op.Binary.Kind.ADD, Op.Binary.Kind.SUB, Op.Binary.Kind.MUL, Op.Binary.Kind.MIN, Op.Binary.Kind.MAX};
        trials("upscale.binary", () -> {
            int[] image = image();
            int[][] others = {image, {image[1], 1, 1}, {image[0], image[1], 1, 1}, {image[0], 1, image[2], image[3]}, {1}};
            int[] other = any(others);
            boolean scalesFirst = random.nextInt(4) == 0;
            compute("upscale.binary", new Op.Binary(any(kinds)), 2, READ, where(), FUSED, scalesFirst ? other : image,
                    scalesFirst ? image : other);
        });
        requireMostlyRun();
    }

    @Test
    void combinesRowMajorTensors() {
        trials("upscale.binary", () -> {
            int[] image = image();
            int[][] others = {image, {image[1], 1, 1}, {1}, {image[3]}};
            compute("upscale.binary", new Op.Binary(Op.Binary.Kind.ADD), 2, new Lay[] {Lay.ROW_MAJOR}, where(), FUSED, image, any(others));
        });
        requireMostlyRun();
    }

    @Test
    void appliesPRelu() {
        trials("upscale.binary", () -> {
            int[] image = image();
            compute("upscale.binary", new Op.PRelu(), 1, READ, where(), NO_FUNCTION, image, new int[] {image[1], 1, 1});
        });
        requireMostlyRun();
    }

    @ParameterizedTest
    @ValueSource(strings = {"upscale.window", "onednn.pool"})
    void pools(String kernel) {
        trials(kernel, () -> {
            int[] image = {upTo(2), channels(), 5 + upTo(5), 5 + upTo(5)};
            int size = 1 + upTo(2);
            Window window = new Window(size, size, upTo(3), upTo(3), 1, 1, random.nextInt(size), random.nextInt(size),
                    random.nextInt(size), random.nextInt(size));
            compute(kernel, new Op.Pool(any(Op.Pool.Kind.values()), window, random.nextBoolean(), random.nextBoolean()), 1,
                    kernel.startsWith("upscale") ? READ : DENSE, where(), NO_FUNCTION, image);
        });
        requireRunAtLeast(TRIALS / 4);
    }

    @Test
    void reducesImages() {
        trials("upscale.reduce", () -> compute("upscale.reduce", new Op.Reduce(any(new Op.Reduce.Kind[] {Op.Reduce.Kind.MEAN,
            Op.Reduce.Kind.SUM, Op.Reduce.Kind.MAX}), List.of(2, 3), random.nextBoolean()), 1, READ, where(), NO_FUNCTION, image()));
        requireMostlyRun();
    }

    @Test
    void softmaxOverNeighbours() {
        trials("upscale.softmax", () -> compute("upscale.softmax", new Op.Softmax(1), 1, READ, where(), NO_FUNCTION,
                random.nextBoolean() ? image() : new int[] {upTo(5), upTo(100)}));
        trials("upscale.softmax", () -> compute("upscale.softmax", new Op.Softmax(2), 1, new Lay[] {Lay.ROW_MAJOR}, where(), NO_FUNCTION,
                new int[] {upTo(5), upTo(5), upTo(100)}));
        requireMostlyRun();
    }

    @Test
    void resizes() {
        trials("upscale.resize", () -> {
            int[] image = image();
            int height = upTo(12);
            int width = upTo(12);
            compute("upscale.resize", new Op.Resize(any(Op.Resize.Mode.values()), any(Op.Resize.Coordinates.values()),
                    any(Op.Resize.Nearest.values()), height, width, (float) height / image[2], (float) width / image[3]), 1, READ, where(),
                    NO_FUNCTION, image);
        });
        requireMostlyRun();
    }

    @Test
    void padsAndCrops() {
        trials("upscale.pad", () -> compute("upscale.pad", new Op.Pad(Op.Pad.Mode.CONSTANT, List.of(0, 0, random.nextInt(3) - 1, upTo(3)),
                List.of(0, 0, upTo(3), random.nextInt(3) - 1), 0.5f), 1, READ, where(), NO_FUNCTION,
                new int[] {upTo(2), upTo(20), 2 + upTo(5), 2 + upTo(5)}));
        requireMostlyRun();
    }

    @Test
    void gathersChannels() {
        trials("upscale.gather", () -> copy("upscale.gather", any(READ), any(SLICES)));
        trials("upscale.gather", () -> copy("upscale.gather", Lay.ROW_MAJOR, Lay.ROW_MAJOR));
        requireMostlyRun();
    }

    @Test
    void convertsLayouts() {
        trials("upscale.planes", () -> copy("upscale.planes", Lay.ROW_MAJOR, any(SLICES)));
        trials("upscale.planes", () -> copy("upscale.planes", any(READ), Lay.ROW_MAJOR));
        requireMostlyRun();
    }

    private void copy(String kernel, Lay from, Lay to) {
        StepTrial trial = new StepTrial(random).threads(upTo(2));
        int[] image = image();
        Operand source = trial.source(from, where(), image);
        trial.destination(to, where(), Arrays.stream(image).boxed().toList());
        trial.copy(kernel, source);
    }

    @ParameterizedTest
    @ValueSource(strings = {"onednn.conv", "xnnpack.conv", "onednn.matmul"})
    void librariesRefuseIndexLists(String kernel) {
        assumeEngine(kernel);
        StepTrial trial = new StepTrial(random);
        Operand source = trial.source(Lay.INDEXED, Where.ARENA, 1, 8, 5, 5);
        Operand weights = trial.constant(4, 8, 1, 1);
        trial.destination(Lay.CHANNELS_LAST, Where.ARENA, List.of(1, 4, 5, 5));
        Refused refusal = assertThrows(Refused.class, () -> trial.convolve(kernel,
                new Op.Conv(Window.square(1, 1, 0), 1), source, weights, null, null, Function.NONE));
        assertTrue(refusal.getMessage().toLowerCase(Locale.ROOT).contains("index"), refusal.getMessage());
    }
}
