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

    @TempDir
    private Path folder;

    @Test
    void tablesThatMeasureAtOnceKeepEachOthersTimes() {
        CostTable one = CostTable.of(folder);
        CostTable other = CostTable.of(folder);
        one.nanos("a step", () -> 1.5);
        other.nanos("another", () -> 2e9);
        one.nanos("one that fails", () -> Double.POSITIVE_INFINITY);
        CostTable later = CostTable.of(folder);
        assertEquals(1.5, later.nanos("a step", NEVER));
        assertEquals(2e9, later.nanos("another", NEVER));
        assertEquals(Double.POSITIVE_INFINITY, later.nanos("one that fails", NEVER));
        assertEquals(OptionalDouble.empty(), later.known("a third"));
    }

    @Test
    void linesCutOffCostThatTimeAlone() throws IOException {
        CostTable.of(folder).nanos("a step", () -> 1.5);
        Path file;
        try (Stream<Path> files = Files.list(folder)) {
            file = files.findFirst().orElseThrow();
        }
        for (String cut : List.of("\n1", "\n12.", "\n12.5", "\n12.5\t", "\nno time\tof this")) {
            Files.writeString(file, cut, StandardOpenOption.APPEND);
        }
        CostTable.of(folder).nanos("another", () -> 3);
        CostTable later = CostTable.of(folder);
        assertEquals(1.5, later.nanos("a step", NEVER));
        assertEquals(3, later.nanos("another", NEVER));
        assertTrue(later.known("of this").isEmpty());
    }
}
