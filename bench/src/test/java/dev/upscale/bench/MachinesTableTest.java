package dev.upscale.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The headline figures of two machines side by side. */
class MachinesTableTest {
    private static final String TIMES = "\"p25Ns\": 1, \"p75Ns\": 1, \"relL2\": 1e-7";

    private static final String NETWORK = """
            {"network": "NETWORK", "pattern": "PATTERN", "date": "2026-01-02", "commit": "abc1234",
             "machine": {"processor": "PROCESSOR", "vectors": [], "cores": 4, "system": "Linux amd64"}, "versions": {"upscale": "9.9"},
             "bench": {"batch": 1, "threads": 2, "variants": {
                 "unpruned": {PLAN, "medianNs": 80, "ratioToUnpruned": 1, TIMES}, "upscale": {PLAN, "medianNs": 40, "ratioToUnpruned": PRUNED, TIMES}},
               "peers": {"onnxruntime": {"unpruned": {"medianNs": 100, "ratioToUnpruned": PEER, TIMES}}}}}"""
            .replace("PLAN", "\"copies\": 0, \"copyBytes\": 0, \"hiddenCopyBytes\": 0, \"foldedBytes\": 0, \"multiplyAdds\": 1000").replace("TIMES", TIMES);

    private static final String KERNELS = """
            {"isa": "avx512", "threads": 1, "machine": {"processor": "PROCESSOR", "vectors": [], "cores": 4, "system": "Linux amd64"}, "versions": {},
             "rows": [ROW, ROWX, ROWXX]}"""
            .replace("ROWXX", row("linear 8->8", 1.25, 1.5)).replace("ROWX", row("7x7 8->8 1x1", 0.8, 1.0)).replace("ROW", row("7x7 8->8 3x3", 2, 1.2));

    @TempDir
    private Path folder;

    private static String row(String shape, double library, double index) {
        return """
                {"shape": "%s", "date": "2026-01-02", "commit": "abc1234", "kernels": {"upscale-dense": {"medianNs": 1, "ratioToDense": 1},
                 "onednn-dense": {"medianNs": 1, "ratioToDense": %s}, "upscale-index": {"medianNs": 1, "ratioToDense": %s}}}""".formatted(shape, library, index);
    }

    private static void network(Path folder, String processor, String network, String pattern, String pruned, String peer) throws IOException {
        Files.writeString(Files.createDirectories(folder).resolve(network + "." + pattern + ".batch1.threads2.json"), NETWORK.replace("NETWORK", network)
                .replace("PATTERN", pattern).replace("PROCESSOR", processor).replace("PRUNED", pruned).replace("PEER", peer));
    }

    private Path measured(String processor, String name) throws IOException {
        Path results = folder.resolve(name);
        network(results, processor, "first", "l2_0.5", "0.4", "2");
        network(results, processor, "second", "l2_0.5", "0.9", "0.5");
        return results;
    }

    @Test
    void eachMachineHasItsFigures() throws IOException {
        Path now = measured("New CPU", "now");
        Files.writeString(now.resolve("kernels.avx512.threads1.json"), KERNELS.replace("PROCESSOR", "New CPU"));
        Path before = folder.resolve("before");
        network(before, "Old CPU", "first", "l2_0.5", "0.5", "1.25");
        network(before, "Old CPU", "first", "l2_0.25", "0.7", "1.25");
        assertEquals("""
                | geometric means | New CPU | Old CPU |
                | --- | ---: | ---: |
                | Batch 1, 2 threads: ours over ONNX Runtime, unpruned | 1.00 | 0.80 |
                | Batch 1, 2 threads: `upscale` over unpruned | 0.60 | 0.50 |
                | Batch 1, 2 threads, mask l2_0.25: ours over ONNX Runtime, unpruned | – | 0.80 |
                | Batch 1, 2 threads, mask l2_0.25: `upscale` over unpruned | – | 0.70 |
                | AVX-512, one thread: our kernels over the best library | 0.79, worst 1.25 | – |
                | AVX-512, one thread: by index over dense, median | 1.20, worst 1.50 | – |
                """, MachinesTable.of(List.of(now, before)));
    }

    @Test
    void whatTheFirstFolderHoldsOfAProcessorCounts() throws IOException {
        Path now = measured("New CPU", "now");
        Path before = folder.resolve("before");
        network(before, "New CPU", "first", "l2_0.5", "0.1", "9");
        assertEquals(MachinesTable.of(List.of(now)), MachinesTable.of(List.of(now, before)));
    }

    @Test
    void nothingMeasuredIsSaid() throws IOException {
        assertEquals("Not measured yet: `bench/measure.sh` and `bench/kernels.sh` measure.\n", MachinesTable.of(List.of(folder)));
    }
}
