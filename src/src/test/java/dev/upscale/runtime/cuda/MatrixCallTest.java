package dev.upscale.runtime.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.graph.Window;
import dev.upscale.plan.Element;
import dev.upscale.plan.Operand;
import dev.upscale.runtime.StepTrial;
import dev.upscale.runtime.StepTrial.Lay;
import dev.upscale.runtime.StepTrial.Where;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * cuBLASLt's products against the interpreter, by the simulated device's cuBLASLt: what our descriptors say is what the step means, whatever
 * the strides and offsets.
 */
@Tag(SimulatedDevice.TAG)
class MatrixCallTest {
    private static final int TRIALS = 24;
    private static final Function[] ENDINGS = {Function.NONE, Function.RELU};

    @BeforeAll
    static void simulatedDevice() {
        SimulatedDevice.assumeBuilt();
    }

    private static StepTrial trial(Random random, Element element) {
        return new StepTrial(random).on(SimulatedDevice.platform()).element(element).tolerance(switch (element) {
            case F32 -> 2e-5;
            case F16 -> 2e-2;
            case BF16 -> 0.1;
        });
    }

    /** Pixels at a leading dimension larger than the channels, source and destination at any offset, with and without bias, residual and ReLU. */
    @ParameterizedTest
    @EnumSource(Element.class)
    void convolutionsOfOnePixelOnSlices(Element element) {
        Lay[] lays = {Lay.CHANNELS_LAST, Lay.SLICE};
        for (int seed = 0; seed < TRIALS; seed++) {
            Random random = new Random(seed);
            StepTrial trial = trial(random, element);
            int[] dims = {1 + random.nextInt(2), 1 + random.nextInt(40), 1 + random.nextInt(9), 1 + random.nextInt(9)};
            int outputs = 1 + random.nextInt(40);
            int[] result = {dims[0], outputs, dims[2], dims[3]};
            Operand source = trial.source(lays[random.nextInt(2)], Where.ARENA, dims);
            Operand weights = trial.constant(outputs, dims[1], 1, 1);
            Operand bias = random.nextBoolean() ? trial.constant(outputs) : null;
            Operand addend = random.nextBoolean() ? trial.source(lays[random.nextInt(2)], Where.ARENA, result) : null;
            trial.destination(lays[random.nextInt(2)], Where.ARENA, List.of(dims[0], outputs, dims[2], dims[3]));
            trial.convolve(MatrixCall.KERNEL, new Op.Conv(Window.square(1, 1, 0), 1), source, weights, bias, addend, ENDINGS[random.nextInt(2)]);
            assertEquals(3, SimulatedDevice.count("products"));
        }
    }

    @ParameterizedTest
    @EnumSource(Element.class)
    void linearLayersOverRows(Element element) {
        for (int seed = 0; seed < TRIALS; seed++) {
            Random random = new Random(100 + seed);
            StepTrial trial = trial(random, element);
            int rows = 1 + random.nextInt(20);
            int outputs = 1 + random.nextInt(70);
            Operand source = trial.rows(Lay.SLICE, Where.ARENA, rows, 1 + random.nextInt(70));
            Operand weights = trial.constant(outputs, source.view().dim(1), 1, 1);
            trial.destination(Lay.SLICE, element == Element.F32 || random.nextBoolean() ? Where.ARENA : Where.CALLER, List.of(rows, outputs));
            trial.convolve(MatrixCall.KERNEL, new Op.Conv(Window.square(1, 1, 0), 1), source, weights, random.nextBoolean() ? trial.constant(outputs) : null,
                    null, ENDINGS[random.nextInt(2)]);
        }
    }

    /** Rows or columns side by side, batches at common distances or not, one factor for all batches or one for each. */
    @ParameterizedTest
    @EnumSource(Element.class)
    void productsOfTwoActivations(Element element) {
        int taken = 0;
        for (int seed = 0; seed < 3 * TRIALS; seed++) {
            Random random = new Random(200 + seed);
            StepTrial trial = trial(random, element);
            int depth = 1 + random.nextInt(30);
            int outer = 1 + random.nextInt(3);
            int inner = 1 + random.nextInt(3);
            Operand left = trial.source(lay(random), Where.ARENA, outer, inner, 1 + random.nextInt(12), depth);
            Operand right = trial.source(lay(random), Where.ARENA, random.nextBoolean() ? outer : 1, random.nextBoolean() ? inner : 1, depth,
                    1 + random.nextInt(12));
            Op op = new Op.MatMul();
            trial.destination(lay(random), Where.ARENA, trial.resultOf(op, List.of(left, right)));
            try {
                trial.compute(MatrixCall.KERNEL, op, List.of(left, right), ENDINGS[random.nextInt(2)]);
                taken++;
            } catch (StepTrial.Refused e) {
                assertTrue(e.getMessage().startsWith("cuBLASLt"), e.getMessage());
            }
        }
        assertTrue(taken >= TRIALS, taken + " products were taken");
    }

    private static Lay lay(Random random) {
        return random.nextInt(4) == 0 ? Lay.SCATTERED : random.nextInt(4) == 0 ? Lay.CHANNELS_LAST : Lay.ROW_MAJOR;
    }

    @ParameterizedTest
    @EnumSource(Element.class)
    void constantsAreFactorsToo(Element element) {
        Random random = new Random(1);
        StepTrial trial = trial(random, element);
        Operand left = trial.source(Lay.ROW_MAJOR, Where.ARENA, 2, 3, 5, 17);
        Operand right = trial.constant(17, 9);
        trial.destination(Lay.ROW_MAJOR, Where.ARENA, List.of(2, 3, 5, 9));
        trial.compute(MatrixCall.KERNEL, new Op.MatMul(), List.of(left, right), Function.NONE);
    }
}
