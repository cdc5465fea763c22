package dev.upscale.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.runtime.natives.NativeError;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;

/** Passes by name, kernels that are checked before they are timed, and the table of their times. */
class PassTableTest {
    private static final String DOCUMENT = """
            {"isa": "avx512", "threads": 1,
             "machine": {"processor": "Example CPU", "vectors": ["avx2", "avx512f"], "cores": 4, "system": "Linux amd64"},
             "versions": {"upscale": "9.9", "oneDNN": "3.13 (avx512)"},
             "rows": [
               {"shape": "7x7 8 scale+shift+relu", "date": "2026-01-02", "commit": "abc1234", "kernels": {
                 "upscale-dense": {"medianNs": 8000, "ratioToDense": 1}, "upscale-slice": {"medianNs": 9000, "ratioToDense": 1.1},
                 "upscale-index": {"medianNs": 12000, "ratioToDense": 1.5}, "upscale-gathered": {"medianNs": 11000, "ratioToDense": 1.4},
                 "onednn-dense": {"medianNs": 123456, "ratioToDense": 15}, "onednn-normalisation-dense": {"medianNs": 10000, "ratioToDense": 1.25},
                 "onednn-normalisation-gathered": {"medianNs": 24000, "ratioToDense": 3},
                 "xnnpack-dense": {"medianNs": 20000, "ratioToDense": 2.5}, "xnnpack-slice": {"medianNs": 21000, "ratioToDense": 2.75}}},
               {"shape": "7x7 8 nearest x2", "date": "2026-01-03", "commit": "abc1234", "kernels": {
                 "upscale-dense": {"medianNs": 2000, "ratioToDense": 1}, "upscale-slice": {"medianNs": 2000, "ratioToDense": 1},
                 "upscale-index": {"medianNs": 8000, "ratioToDense": 4}}}]}""";

    @Test
    void aPassIsReadFromItsName() {
        PassShape pool = PassShape.parse("N2 112x112 64 max 3x3 /2");
        assertEquals(List.of(2, 112, 64, 3, 2, 1, 56), List.of(pool.batch(), pool.size(), pool.channels(), pool.window().kernelH(),
                pool.window().strideH(), pool.window().padTop(), pool.outSize()));
        assertEquals(28, PassShape.parse("56x56 64 average 2x2 /2").outSize());
        assertEquals(56, PassShape.parse("28x28 83 linear x2").outSize());
        assertEquals(2 * 5, PassShape.parse("N2 7x7 5 mean").outputs());
        assertEquals(PassShape.Op.ADD_RELU, PassShape.parse("7x7 5 add+relu").op());
        assertThrows(IllegalArgumentException.class, () -> PassShape.parse("56x28 64 add"));
        assertThrows(IllegalArgumentException.class, () -> PassShape.parse("28x28 64 subtract"));
    }

    /** Contenders check themselves. Ours all compute; of the libraries those that are named. */
    @ParameterizedTest
    @CsvSource(delimiter = ';', textBlock = """
            N2 6x6 23 max 3x3 /2; onednn-dense xnnpack-dense xnnpack-slice
            N2 6x6 23 average 2x2 /2; onednn-dense xnnpack-dense xnnpack-slice
            N2 6x6 23 mean; onednn-dense xnnpack-dense xnnpack-slice
            N2 6x6 23 nearest x2; onednn-dense
            N2 6x6 23 linear x2; onednn-dense xnnpack-dense xnnpack-slice
            N2 6x6 23 add; xnnpack-dense
            N2 6x6 23 add+relu; xnnpack-dense
            N2 6x6 23 multiply; xnnpack-dense
            N2 6x6 23 scale+shift+relu; onednn-normalisation-dense xnnpack-dense xnnpack-slice
            N2 6x6 23 copy; onednn-slice xnnpack-dense xnnpack-slice""")
    void kernelsComputeThePass(String shape, String libraries) {
        try (KernelRow row = new PassRow(shape)) {
            List<String> computed = new ArrayList<>();
            for (String name : row.contenders(false, 1)) {
                try (Contender contender = row.contender(name, 2)) {
                    assertTrue(contender.relL2() < 1e-6, name);
                    computed.add(name);
                } catch (NativeError e) {
                    assertTrue(!name.startsWith("upscale"), e.getMessage());
                }
            }
            for (String library : libraries.split(" ")) {
                assertTrue(computed.contains(library), library + " is not among " + computed);
            }
        }
    }

    @Test
    void whatLibrariesReadByIndexIsGatheredBefore() {
        try (KernelRow row = new PassRow("6x6 23 max 3x3"); Contender gathered = row.contender("xnnpack-gathered", 1)) {
            assertTrue(gathered.relL2() < 1e-6);
            assertTrue(!row.contenders(false, 1).contains("xnnpack-index"));
        }
    }

    @Test
    void aValueThatIsWrongOrMissingIsSeen() {
        try (PassProblem problem = new PassProblem(PassShape.parse("9x9 6 linear x2"));
                Contender contender = new PassContender(PassContender.Kind.of("upscale-dense"), problem, 1)) {
            contender.run();
            float right = problem.target().getAtIndex(ValueLayout.JAVA_FLOAT, 100);
            problem.target().setAtIndex(ValueLayout.JAVA_FLOAT, 100, right + 0.01f);
            double wrong = problem.relativeError(6, ConvolutionProblem.slice(0, 6));
            assertTrue(wrong > 1e-5 && wrong < 1e-2, "error " + wrong);
            problem.spoil();
            assertTrue(Double.isNaN(problem.relativeError(6, ConvolutionProblem.slice(0, 6))));
        }
    }

    @Test
    void theTableSaysWhatTheDocumentSays() {
        assertEquals("""
                ### Passes, AVX-512, one thread

                Example CPU, 4 cores (avx2, avx512f), Linux amd64; upscale 9.9, oneDNN 3.13 (avx512); measured on 2026-01-02 at commit abc1234, \
                2026-01-03 at commit abc1234.

                | pass | oneDNN | XNNPACK | ours | ours over the best | slice: best library | ours | ours over the best \
                | index: gather, best library | gather, ours | ours by index | ours by index over gather, best library |
                | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
                | 7x7 8 scale+shift+relu | 10.0 | 20.0 | 8.0 | 0.80 | 21.0 | 9.0 | 0.40 | 24.0 | 11.0 | 12.0 | 0.50 |
                | 7x7 8 nearest x2 | – | – | 2.0 | – | – | 2.0 | – | – | – | 8.0 | – |
                | geometric mean |  |  |  | 0.80 |  |  | 0.40 |  |  |  | 0.50 |
                | worst |  |  |  | 0.80 |  |  | 0.40 |  |  |  | 0.50 |
                """, PassResults.tables(List.of(PassResults.of(JsonMapper.shared().readTree(DOCUMENT)))));
    }
}
