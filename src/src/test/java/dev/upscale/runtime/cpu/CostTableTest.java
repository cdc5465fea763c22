package dev.upscale.runtime.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.OptionalDouble;
import java.util.function.DoubleSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CostTableTest {
    private static final DoubleSupplier NEVER = () -> {
        throw new AssertionError("measured again");
    };

    private static final CostKey A_STEP = new CostKey("kernel", 8, 16, "a step");
    private static final CostKey ANOTHER = new CostKey("kernel", 8, 16, "another");
    private static final CostKey FAILS = new CostKey("other kernel", 8, 16, "one that fails");

    @TempDir
    private Path folder;

    @Test
    void tablesThatMeasureAtOnceKeepEachOthersTimes() {
        CostTable one = CostTable.of(folder);
        CostTable other = CostTable.of(folder);
        one.nanos(A_STEP, () -> 1.5);
        other.nanos(ANOTHER, () -> 2e9);
        one.nanos(FAILS, () -> Double.POSITIVE_INFINITY);
        CostTable later = CostTable.of(folder);
        assertEquals(1.5, later.nanos(A_STEP, NEVER));
        assertEquals(2e9, later.nanos(ANOTHER, NEVER));
        assertEquals(Double.POSITIVE_INFINITY, later.nanos(FAILS, NEVER));
        assertEquals(OptionalDouble.empty(), later.known(new CostKey("kernel", 8, 16, "a third")));
    }

    @Test
    void linesCutOffCostThatTimeAlone() throws IOException {
        CostTable.of(folder).nanos(A_STEP, () -> 1.5);
        Path file;
        try (Stream<Path> files = Files.list(folder)) {
            file = files.findFirst().orElseThrow();
        }
        for (String cut : List.of("\n1", "\n12.", "\n12.5", "\n12.5\t", "\n12.5\tkernel\t8", "\nno time\tkernel\t8\t16\tof this")) {
            Files.writeString(file, cut, StandardOpenOption.APPEND);
        }
        CostTable.of(folder).nanos(ANOTHER, () -> 3);
        CostTable later = CostTable.of(folder);
        assertEquals(1.5, later.nanos(A_STEP, NEVER));
        assertEquals(3, later.nanos(ANOTHER, NEVER));
        assertTrue(later.all().size() == 2);
    }

    @Test
    void widthsThatWereMeasuredTellOfThoseBetween() {
        CostTable table = CostTable.of(folder);
        table.nanos(new CostKey("family", 100, 64, "a"), () -> 1000);
        table.nanos(new CostKey("family", 120, 64, "b"), () -> 1200);
        table.nanos(new CostKey("another family", 110, 64, "c"), () -> 9000);
        assertEquals(1100, table.interpolated(new CostKey("family", 110, 64, "d")).orElseThrow(), 20);
        assertEquals(1100 * 80 / 64.0, table.interpolated(new CostKey("family", 110, 65, "d")).orElseThrow(), 30, "a whole vector of outputs more");
        assertEquals(table.interpolated(new CostKey("family", 110, 65, "d")), CostTable.of(folder).interpolated(new CostKey("family", 110, 65, "e")),
                "a table that was read tells the same");
    }

    @Test
    void widthsFarFromAllMeasuredOnesStayUnknown() {
        CostTable table = CostTable.of(folder);
        table.nanos(new CostKey("family", 100, 64, "a"), () -> 1000);
        table.nanos(new CostKey("family", 40, 64, "fails"), () -> Double.POSITIVE_INFINITY);
        assertEquals(OptionalDouble.empty(), table.interpolated(new CostKey("family", 160, 64, "b")));
        assertEquals(OptionalDouble.empty(), table.interpolated(new CostKey("family", 100, 97, "b")));
        assertEquals(OptionalDouble.empty(), table.interpolated(new CostKey("family", 40, 64, "b")));
        assertTrue(table.interpolated(new CostKey("family", 149, 64, "b")).isPresent());
    }

    /** So that a table's errors can be found by leaving one out. */
    @Test
    void aShapeDoesNotAnswerForItself() {
        CostTable table = CostTable.of(folder);
        table.nanos(A_STEP, () -> 1000);
        assertEquals(OptionalDouble.empty(), table.interpolated(A_STEP));
        table.nanos(ANOTHER, () -> 500);
        assertEquals(500, table.interpolated(A_STEP).orElseThrow(), 1e-9);
    }
}
