package dev.upscale.runtime.cpu;

import dev.upscale.runtime.natives.NativeLibraries;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.DoubleSupplier;
import java.util.zip.CRC32;

/**
 * Times that were measured on this machine, by what was measured: a text file in the user's cache directory, one line for
 * each time, named after the processor and the versions of the libraries, so that other ones start afresh. A table that
 * cannot be read or written is only lost time. Thread-safe.
 */
final class CostTable {
    private static final String VERSION = "2";

    private final Path file;
    private final Map<String, Double> nanos = new ConcurrentHashMap<>();

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

    /** What was measured under that name. */
    OptionalDouble known(String name) {
        Double known = nanos.get(name);
        return known == null ? OptionalDouble.empty() : OptionalDouble.of(known);
    }

    /** What was measured under that name, or what the measurement gives now. */
    double nanos(String name, DoubleSupplier measurement) {
        OptionalDouble known = known(name);
        if (known.isPresent()) {
            return known.getAsDouble();
        }
        double measured = measurement.getAsDouble();
        nanos.put(name, measured);
        write();
        return measured;
    }

    private void read() {
        try {
            for (String line : Files.readAllLines(file)) {
                int tab = line.indexOf('\t');
                if (tab > 0) {
                    nanos.put(line.substring(tab + 1), Double.parseDouble(line.substring(0, tab)));
                }
            }
        } catch (IOException | UncheckedIOException | NumberFormatException e) {
            // It is measured again.
        }
    }

    private synchronized void write() {
        try {
            Files.createDirectories(file.getParent());
            Path unfinished = Files.createTempFile(file.getParent(), "costs", ".part");
            StringBuilder lines = new StringBuilder();
            new TreeMap<>(nanos).forEach((name, time) -> lines.append(time).append('\t').append(name).append('\n'));
            Files.writeString(unfinished, lines);
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            // The next compilation measures again.
        }
    }
}
