package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What becomes of {@code /proc/cpuinfo}. */
class ProcessorTest {
    private static final String CPUINFO = """
            processor	: 0
            vendor_id	: VENDOR
            cpu family	: FAMILY
            model		: MODEL
            model name	: NAME
            stepping	: 1
            flags		: fpu sse2 fma avx f16c avx2 avx512f avx512vl avx512_bf16
            power management:

            processor	: 1
            vendor_id	: VENDOR
            """;

    @TempDir
    private Path folder;

    private Map<String, Object> describe(String cpuinfo) throws IOException {
        return Processor.describe(Files.writeString(folder.resolve("cpuinfo"), cpuinfo), folder.resolve("cache"));
    }

    private static String cpuinfo(String vendor, int family, int model, String name) {
        return CPUINFO.replace("VENDOR", vendor).replace("FAMILY", String.valueOf(family)).replace("MODEL", String.valueOf(model)).replace("NAME", name);
    }

    @ParameterizedTest
    @CsvSource({
        "AuthenticAMD, 25, 17, AMD EPYC, AMD EPYC (Zen 4)",
        "AuthenticAMD, 26, 2, AMD EPYC, AMD EPYC (Zen 5)",
        "AuthenticAMD, 26, 80, AMD EPYC, AMD EPYC (Zen 6)",
        "AuthenticAMD, 25, 1, AMD EPYC 7763 64-Core Processor, AMD EPYC 7763 64-Core Processor (Zen 3)",
        "AuthenticAMD, 25, 160, AMD EPYC 9754 128-Core Processor, AMD EPYC 9754 128-Core Processor (Zen 4)",
        "AuthenticAMD, 23, 49, AMD EPYC 7742 64-Core Processor, AMD EPYC 7742 64-Core Processor (Zen 2)",
        "AuthenticAMD, 23, 1, AMD EPYC 7601 32-Core Processor, AMD EPYC 7601 32-Core Processor (Zen)",
        "AuthenticAMD, 27, 2, AMD EPYC, 'AMD EPYC (family 27, model 2)'",
        "AuthenticAMD, 27, 2, AMD EPYC 9999, AMD EPYC 9999",
        "GenuineIntel, 25, 17, Intel(R) Xeon(R) Platinum 8480C, Intel(R) Xeon(R) Platinum 8480C",
        "GenuineIntel, 6, 143, Intel Xeon Processor, 'Intel Xeon Processor (family 6, model 143)'",
    })
    void theMicroarchitectureIsToldWhereTheNameIsABrand(String vendor, int family, int model, String name, String told) throws IOException {
        assertEquals(told, describe(cpuinfo(vendor, family, model, name)).get("processor"));
    }

    @Test
    void onlyInstructionsThatMatterAreListed() throws IOException {
        assertEquals(List.of("avx2", "fma", "f16c", "avx512f", "avx512vl", "avx512_bf16"), describe(cpuinfo("AuthenticAMD", 25, 17, "AMD EPYC")).get("vectors"));
    }

    @Test
    void anArmHasFeaturesAndNoName() throws IOException {
        Map<String, Object> facts = describe("processor	: 0\nFeatures	: fp asimd sve\nCPU implementer	: 0x41\n");
        assertEquals(List.of("asimd", "sve"), facts.get("vectors"));
        assertEquals("", facts.get("processor"));
    }

    @Test
    void cachesOfDataAreListedByLevel() throws IOException {
        cache("index3", "3", "Unified", "32768K");
        cache("index0", "1", "Data", "48K");
        cache("index1", "1", "Instruction", "32K");
        cache("index2", "2", "Unified", "1024K");
        assertEquals(List.of("48 kB", "1 MB", "32 MB"), describe(cpuinfo("AuthenticAMD", 26, 2, "AMD EPYC")).get("caches"));
    }

    @Test
    void whatTheSystemDoesNotSayIsLeftOut() throws IOException {
        assertFalse(describe(cpuinfo("AuthenticAMD", 26, 2, "AMD EPYC")).containsKey("caches"));
        Map<String, Object> facts = Processor.describe(folder.resolve("none"), folder.resolve("none"));
        assertEquals(Map.of("processor", System.getProperty("os.arch")), facts);
    }

    private void cache(String index, String level, String type, String size) throws IOException {
        Path cache = Files.createDirectories(folder.resolve("cache").resolve(index));
        Files.writeString(cache.resolve("level"), level + "\n");
        Files.writeString(cache.resolve("type"), type + "\n");
        Files.writeString(cache.resolve("size"), size + "\n");
    }
}
