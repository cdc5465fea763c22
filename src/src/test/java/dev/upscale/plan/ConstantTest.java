package dev.upscale.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ReadOnlyBufferException;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConstantTest {

    @Test
    void valuesComeBack() {
        Constant weights = Constant.f32(List.of(2, 3), 1, 2, 3, 4, 5, Float.NaN);
        Constant index = Constant.i32(7, 0, 3);
        assertEquals("f32[2, 3] 24, i32[3] 12",
                weights + " " + weights.bytes() + ", " + index + " " + index.bytes());
        assertArrayEquals(new float[] {1, 2, 3, 4, 5, Float.NaN}, weights.floats());
        assertArrayEquals(new int[] {7, 0, 3}, index.ints());
    }

    @Test
    void bytesAreLittleEndianWhereverTheyLie() {
        ByteBuffer file = ByteBuffer.allocateDirect(16).order(ByteOrder.BIG_ENDIAN);
        file.put(8, (byte) 7);
        Constant mapped = new Constant(Constant.Type.I32, List.of(2), file.slice(8, 8));
        assertArrayEquals(new int[] {7, 0}, mapped.ints());
        assertEquals(Constant.i32(7, 0), mapped);
        assertEquals(7, mapped.data().getInt());
        assertEquals(7, Constant.i32(7).data().get(0));
    }

    @Test
    void equalityIsOfTypeDimensionsAndBits() {
        assertEquals(Constant.f32(List.of(2), Float.NaN, 0), Constant.f32(List.of(2), Float.NaN, 0));
        assertNotEquals(Constant.f32(List.of(2), 1, 0), Constant.f32(List.of(2), 1, -0f));
        assertNotEquals(Constant.f32(List.of(2), 1, 0), Constant.f32(List.of(1, 2), 1, 0));
        assertNotEquals(Constant.f32(List.of(1), 0), Constant.i32(0));
    }

    @Test
    void readersShareNothing() {
        Constant index = Constant.i32(1, 2);
        index.data().position(4);
        assertEquals(1, index.data().getInt());
        assertThrows(ReadOnlyBufferException.class, () -> index.data().put(0, (byte) 9));
        int[] given = {1, 2};
        Constant copied = Constant.i32(given);
        given[0] = 9;
        assertEquals(index, copied);
    }

    @Test
    void wrongUseIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> Constant.f32(List.of(2, 2), 1, 2, 3));
        assertThrows(IllegalArgumentException.class, () -> Constant.f32(List.of(-1, -1), 1));
        assertThrows(IllegalStateException.class, () -> Constant.i32(1).floats());
        assertThrows(IllegalStateException.class, () -> Constant.f32(List.of(1), 1).ints());
    }
}
