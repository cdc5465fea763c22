package dev.upscale.runtime.cpu;

import dev.upscale.runtime.natives.NativeLibraries;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.DoubleSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;

/**
 * Times that were measured on this machine, by what was measured: a text file in the user's cache directory, one line for
 * each time, named after the processor and the versions of the libraries, so that other ones start afresh. A table that
 * cannot be read or written is only lost time. Thread-safe.
 */
final class CostTable {
    private static final String VERSION = "5";
    private static final Pattern ENTRY = Pattern.compile("(\\d+\\.\\d+(?:E\\d+)?|Infinity)\t(.+)");

    private final Path file;
    private final Map<CostKey, Double> nanos = new ConcurrentHashMap<>();
    private final Map<String, Map<CostKey, Double>> families = new ConcurrentHashMap<>();

    private CostTable(Path file) {
        this.file = file;
        read();
    }

    /** The table in {@code $XDG_CACHE_HOME/upscale/costs}, by default {@code ~/.cache/upscale/costs}. */
    static CostTable ofUser() {
        String configured = System.getenv("XDG_CACHE_HOME");
        Path base = configured != null && !configured.isBlank()
                ? Path.of(configured)
                : Path.of(System.getProperty("user.home", "."), ".cache");
        return of(base.resolve("upscale").resolve("costs"));
    }

    static CostTable of(Path directory) {
        CRC32 machine = new CRC32();
        machine.update((processor() + NativeLibraries.findAll()).getBytes(StandardCharsets.UTF_8));
        return new CostTable(directory.resolve("v" + VERSION + "-" + Long.toHexString(machine.getValue()) + ".txt"));
    }

    private static String processor() {
        try {
            return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                    .filter(line -> line.startsWith("model name") || line.startsWith("cpu family") || line.startsWith("model\t"))
                    .limit(3)
                    .toList()
                    .toString();
        } catch (IOException e) {
            return System.getProperty("os.arch");
        }
    }

    /** What was measured. */
    OptionalDouble known(CostKey key) {
        Double known = nanos.get(key);
        return known == null ? OptionalDouble.empty() : OptionalDouble.of(known);
    }

    /** What measured times of other widths say. */
    OptionalDouble interpolated(CostKey key) {
        return Interpolation.nanos(key, families.getOrDefault(key.family(), Map.of()));
    }

    /** What was measured, or what the measurement gives now. */
    double nanos(CostKey key, DoubleSupplier measurement) {
        OptionalDouble known = known(key);
        if (known.isPresent()) {
            return known.getAsDouble();
        }
        double measured = measurement.getAsDouble();
        put(key, measured);
        append("\n" + measured + "\t" + key);
        return measured;
    }

    /** All times. */
    Map<CostKey, Double> all() {
        return Map.copyOf(nanos);
    }

    private void put(CostKey key, double measured) {
        nanos.put(key, measured);
        families.computeIfAbsent(key.family(), family -> new ConcurrentHashMap<>()).put(key, measured);
    }

    /** Lines that were cut off are passed over. */
    private void read() {
        try {
            for (String line : Files.readAllLines(file)) {
                Matcher entry = ENTRY.matcher(line);
                if (entry.matches()) {
                    CostKey.parse(entry.group(2)).ifPresent(key -> put(key, Double.parseDouble(entry.group(1))));
                }
            }
        } catch (IOException e) {
            // It is measured again.
        }
    }

    /** One write to the end of the file: processes that measure at once keep each other's lines, and a line cut off stays alone. */
    private synchronized void append(String line) {
        try {
            Files.createDirectories(file.getParent());
            Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            // The next compilation measures again.
        }
    }
}
