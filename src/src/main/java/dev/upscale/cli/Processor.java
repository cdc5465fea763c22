package dev.upscale.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What the operating system says of the processor; on Linux from {@code /proc/cpuinfo} and {@code /sys}. */
final class Processor {
    private static final List<String> WORTH_KNOWING =
            List.of("avx2", "fma", "f16c", "avx512f", "avx512vl", "avx512_bf16", "avx512_vnni", "amx_bf16", "asimd", "sve");

    /** Models of an AMD family that share a microarchitecture; the ranges are those by which Linux tells them apart (arch/x86/kernel/cpu/amd.c). */
    private record Models(int family, int first, int last, String microarchitecture) {}

    private static final List<Models> OF_AMD = List.of(
            new Models(0x17, 0x00, 0x2f, "Zen"), new Models(0x17, 0x50, 0x5f, "Zen"),
            new Models(0x17, 0x30, 0x4f, "Zen 2"), new Models(0x17, 0x60, 0x7f, "Zen 2"), new Models(0x17, 0x90, 0x91, "Zen 2"),
            new Models(0x17, 0xa0, 0xaf, "Zen 2"),
            new Models(0x19, 0x00, 0x0f, "Zen 3"), new Models(0x19, 0x20, 0x5f, "Zen 3"),
            new Models(0x19, 0x10, 0x1f, "Zen 4"), new Models(0x19, 0x60, 0xaf, "Zen 4"),
            new Models(0x1a, 0x00, 0x2f, "Zen 5"), new Models(0x1a, 0x40, 0x4f, "Zen 5"), new Models(0x1a, 0x60, 0x7f, "Zen 5"),
            new Models(0x1a, 0x50, 0x5f, "Zen 6"), new Models(0x1a, 0x80, 0xaf, "Zen 6"), new Models(0x1a, 0xc0, 0xcf, "Zen 6"));

    private Processor() {}

    /** The processor's name with its microarchitecture, the vector instructions that matter here, and the sizes of its data caches, the first one first. */
    static Map<String, Object> describe() {
        return describe(Path.of("/proc/cpuinfo"), Path.of("/sys/devices/system/cpu/cpu0/cache"));
    }

    static Map<String, Object> describe(Path cpuinfo, Path caches) {
        Map<String, Object> facts = new LinkedHashMap<>();
        try {
            List<String> lines = Files.readAllLines(cpuinfo);
            facts.put("processor", name(lines));
            String flags = value(lines, "flags").isEmpty() ? value(lines, "Features") : value(lines, "flags");
            Set<String> present = Set.of(flags.isEmpty() ? new String[0] : Arrays.stream(flags.split(" ")).distinct().toArray(String[]::new));
            facts.put("vectors", WORTH_KNOWING.stream().filter(present::contains).toList());
        } catch (IOException e) {
            facts.put("processor", System.getProperty("os.arch"));
        }
        List<String> sizes = sizes(caches);
        if (!sizes.isEmpty()) {
            facts.put("caches", sizes);
        }
        return facts;
    }

    /** Virtual machines often hide the model: all EPYC are {@code AMD EPYC}. So AMD's microarchitecture, or the numbers behind a name without any. */
    private static String name(List<String> lines) {
        String name = value(lines, "model name");
        String family = value(lines, "cpu family");
        String model = value(lines, "model");
        if (!family.matches("\\d{1,9}") || !model.matches("\\d{1,9}")) {
            return name;
        }
        if (value(lines, "vendor_id").equals("AuthenticAMD")) {
            int familyNumber = Integer.parseInt(family);
            int modelNumber = Integer.parseInt(model);
            for (Models models : OF_AMD) {
                if (models.family == familyNumber && models.first <= modelNumber && modelNumber <= models.last) {
                    return name + " (" + models.microarchitecture + ")";
                }
            }
        }
        return name.matches(".*\\d.*") ? name : name + " (family " + family + ", model " + model + ")";
    }

    private static String value(List<String> lines, String key) {
        return lines.stream().filter(line -> line.substring(0, Math.max(line.indexOf(':'), 0)).strip().equals(key)).findFirst()
                .map(line -> line.substring(line.indexOf(':') + 1).strip()).orElse("");
    }

    /** Of the caches that hold data, by level; none where the system does not say all of them. */
    private static List<String> sizes(Path caches) {
        Map<String, String> byLevel = new TreeMap<>();
        try (Stream<Path> indices = Files.list(caches)) {
            for (Path index : indices.filter(path -> path.getFileName().toString().startsWith("index")).toList()) {
                if (!Files.readString(index.resolve("type")).strip().equals("Instruction")) {
                    byLevel.put(Files.readString(index.resolve("level")).strip(), inWords(Files.readString(index.resolve("size")).strip()));
                }
            }
        } catch (IOException e) {
            return List.of();
        }
        return List.copyOf(byLevel.values());
    }

    /** For example {@code 1 MB} of {@code 1024K}. */
    private static String inWords(String size) {
        Matcher kilobytes = Pattern.compile("(\\d{1,9})K").matcher(size);
        if (!kilobytes.matches()) {
            return size;
        }
        int number = Integer.parseInt(kilobytes.group(1));
        return number % 1024 == 0 ? number / 1024 + " MB" : number + " kB";
    }
}
