package dev.upscale.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class StepDependenciesTest {
    private static final int BYTES = 16;

    /** The place of that number in the arena. */
    private static View at(int number) {
        return View.rowMajor(View.Place.ARENA, (long) number * BYTES, List.of(1, BYTES / Float.BYTES));
    }

    private static Step step(View source, View destination) {
        return new Step.Copy("s", "cuda.map", Step.Copy.Kind.GATHER, Operand.of(source), destination, "test");
    }

    private static List<List<Integer>> before(Step... steps) {
        return StepDependencies.of(List.of(steps)).before();
    }

    @Test
    void aReadComesAfterTheWrite() {
        assertEquals(List.of(List.of(), List.of(0)), before(step(at(0), at(1)), step(at(1), at(2))));
    }

    @Test
    void aWriteComesAfterTheRead() {
        assertEquals(List.of(List.of(), List.of(0)), before(step(at(0), at(1)), step(at(2), at(0))));
    }

    @Test
    void aWriteComesAfterTheWrite() {
        assertEquals(List.of(List.of(), List.of(0)), before(step(at(0), at(1)), step(at(2), at(1))));
    }

    @Test
    void readsOfTheSameDoNotWait() {
        assertEquals(List.of(List.of(), List.of()), before(step(at(0), at(1)), step(at(0), at(2))));
    }

    @Test
    void workspacesAreWritten() {
        Step softmax = new Step.Compute("w", "cuda.softmax", new Op.Softmax(1), List.of(Operand.of(at(3))), Function.NONE, at(4), Optional.of(at(0)));
        assertEquals(List.of(List.of(), List.of(0), List.of(1)), before(step(at(0), at(1)), softmax, step(at(2), at(0))));
    }

    @Test
    void sharesOfOneConcatAreIndependent() {
        View concat = View.channelsLast(View.Place.ARENA, 1024, List.of(1, 8, 4, 4), 8);
        View image = View.channelsLast(View.Place.ARENA, 0, List.of(1, 4, 4, 4), 4);
        View other = View.channelsLast(View.Place.ARENA, 512, List.of(1, 4, 4, 4), 4);
        assertEquals(List.of(List.of(), List.of(), List.of(1, 0)),
                before(step(image, concat.slice(1, 0, 4)), step(other, concat.slice(1, 4, 4)), step(concat, concat.with(4096, concat.dims(), concat.strides()))));
    }

    @Test
    void whatFollowsFromOthersIsNotNamed() {
        assertEquals(List.of(List.of(), List.of(0), List.of(1)), before(step(at(0), at(1)), step(at(1), at(2)), step(at(2), at(1))));
    }

    @Test
    void twoBranches() {
        StepDependencies two = StepDependencies.of(List.of(step(at(0), at(1)), step(at(1), at(2)), step(at(1), at(3)), step(at(3), at(4)), step(at(4), at(2))));
        assertEquals(List.of(List.of(), List.of(0), List.of(0), List.of(2), List.of(3, 1)), two.before());
        assertEquals(5, two.edges());
        assertEquals(4, two.levels());
        assertArrayEquals(new int[] {0, 0, 1, 1, 0}, two.lanes());
    }

    @Test
    void chains() {
        StepDependencies chain = StepDependencies.chain(3);
        assertEquals(List.of(List.of(), List.of(0), List.of(1)), chain.before());
        assertEquals(3, chain.levels());
        assertArrayEquals(new int[] {0, 0, 0}, chain.lanes());
        assertThrows(IllegalArgumentException.class, () -> new StepDependencies(List.of(List.of(0))));
    }
}
