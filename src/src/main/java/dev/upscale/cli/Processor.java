package dev.upscale.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What the operating system says of the processor; on Linux from {@code /proc/cpuinfo}. */
final class Processor {
    private static final List<String> WORTH_KNOWING =
            List.of("avx2", "fma", "f16c", "avx512f", "avx512vl", "avx512_bf16", "avx512_vnni", "amx_bf16", "asimd", "sve");

    private Processor() {}

    /** The processor's name and the vector instructions that matter here. */
    static Map<String, Object> describe() {
        Map<String, Object> facts = new LinkedHashMap<>();
        try {
            List<String> lines = Files.readAllLines(Path.of("/proc/cpuinfo"));
            facts.put("processor", value(lines, "model name"));
            String flags = value(lines, "flags").isEmpty() ? value(lines, "Features") : value(lines, "flags");
            Set<String> present = Set.of(flags.isEmpty() ? new String[0] : Arrays.stream(flags.split(" ")).distinct().toArray(String[]::new));
            facts.put("vectors", WORTH_KNOWING.stream().filter(present::contains).toList());
        } catch (IOException e) {
            facts.put("processor", System.getProperty("os.arch"));
        }
        return facts;
    }

    private static String value(List<String> lines, String key) {
        return lines.stream().filter(line -> line.startsWith(key)).findFirst()
                .map(line -> line.substring(line.indexOf(':') + 1).strip()).orElse("");
    }
}
