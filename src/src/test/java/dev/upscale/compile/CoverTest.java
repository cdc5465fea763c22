package dev.upscale.compile;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.upscale.compile.Cover.Run;
import dev.upscale.plan.Constant;
import java.util.List;
import org.junit.jupiter.api.Test;

class CoverTest {
    private static final int[] POSITIONS = {1, 2, 5, 9, 10};

    @Test
    void aGapIsClosedWhereZeroWeightsCostNoMoreThanAFurtherRun() {
        assertEquals(List.of(new Run(1, 2), new Run(5, 1), new Run(9, 2)), Cover.cheapest(POSITIONS, 10, 19).runs());
        assertEquals(List.of(new Run(1, 5), new Run(9, 2)), Cover.cheapest(POSITIONS, 10, 20).runs());
        assertEquals(List.of(new Run(1, 10)), Cover.cheapest(POSITIONS, 10, 30).runs());
        assertEquals(5, Cover.cheapest(POSITIONS, 10, 30).added());
        assertEquals(0, Cover.cheapest(POSITIONS, 10, 1).added());
    }

    @Test
    void ordersAndRepetitionsDoNotMatter() {
        assertEquals(List.of(new Run(3, 3)), Cover.cheapest(new int[] {5, 3, 4, 3}, 1, 0).runs());
        assertEquals(0, Cover.cheapest(new int[] {5, 3, 4, 3}, 1, 0).added());
    }

    @Test
    void weightsFindTheirRunAndAddUpWhereAChannelOccursTwice() {
        Constant weights = Constant.f32(List.of(2, 3, 1, 2), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
        Cover cover = Cover.cheapest(new int[] {6, 1, 6}, 10, 1);
        assertEquals(List.of(new Run(1, 1), new Run(6, 1)), cover.runs());
        assertArrayEquals(new float[] {3, 4, 9, 10}, cover.weights(weights, cover.runs().get(0)).floats());
        assertArrayEquals(new float[] {6, 8, 18, 20}, cover.weights(weights, cover.runs().get(1)).floats());
        Cover slice = Cover.cheapest(new int[] {3, 1}, 1, 10);
        assertArrayEquals(new float[] {2, 0, 1}, slice.weights(Constant.f32(List.of(1, 2, 1, 1), 1, 2), slice.runs().getFirst()).floats());
    }
}
