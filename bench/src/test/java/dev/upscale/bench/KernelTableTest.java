package dev.upscale.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.upscale.bench.ConvolutionContender.Kind;
import dev.upscale.runtime.upscale.CpuKernels;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Shapes by name, kernels that are checked before they are timed, and the table of their times. */
class KernelTableTest {
    private static final String DOCUMENT = """
            {"isa": "avx512", "threads": 2,
             "machine": {"processor": "Example CPU", "vectors": ["avx2", "avx512f"], "cores": 4, "system": "Linux amd64"},
             "versions": {"upscale": "9.9", "oneDNN": "3.13 (avx512)"},
             "rows": [
               {"shape": "7x7 8->8 1x1", "date": "2026-01-02", "commit": "abc1234", "kernels": {
                 "upscale-dense": {"medianNs": 8000, "ratioToDense": 1}, "upscale-padded": {"medianNs": 7000, "ratioToDense": 0.9},
                 "upscale-slice": {"medianNs": 9000, "ratioToDense": 1.1}, "upscale-index": {"medianNs": 8200, "ratioToDense": 1.02},
                 "onednn-dense": {"medianNs": 123456, "ratioToDense": 15}, "onednn-matmul": {"medianNs": 10000, "ratioToDense": 1.25},
                 "xnnpack-dense": {"medianNs": 20000, "ratioToDense": 2.5}}},
               {"shape": "7x7 8 depthwise 3x3", "date": "2026-01-03", "commit": "abc1234", "kernels": {
                 "upscale-dense": {"medianNs": 2000, "ratioToDense": 1}, "upscale-slice": {"medianNs": 2000, "ratioToDense": 1},
                 "upscale-index": {"medianNs": 8000, "ratioToDense": 4}, "reading-index": {"medianNs": 2200, "ratioToDense": 1.1}}}]}""";

    @Test
    void aShapeIsReadFromItsName() {
        var strided = KernelShape.parse("N8 56x56 83->97 3x3 /2").convolution();
        assertEquals(List.of(8, 56, 83, 97, 28, 1),
                List.of(strided.batch(), strided.inWidth(), strided.inChannels(), strided.outChannels(), strided.outHeight(), strided.groups()));
        assertEquals(32, KernelShape.parse("28x28 128->128 3x3 g32").convolution().groups());
        assertTrue(KernelShape.parse("14x14 480 depthwise 5x5").convolution().isDepthwise());
        assertEquals(2048 * 1000, KernelShape.parse("linear 2048->1000").multiplyAdds());
        assertThrows(IllegalArgumentException.class, () -> KernelShape.parse("56x28 64->64 3x3"));
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = {"UPSCALE_WINOGRAD", "UPSCALE_BF16", "READING_INDEX"})
    void everyKernelComputesTheConvolution(Kind kind) {
        try (ConvolutionProblem problem = new ConvolutionProblem(KernelShape.parse("N2 5x5 7->9 1x1").convolution());
                ConvolutionContender contender = new ConvolutionContender(kind, problem, 2)) {
            assertTrue(contender.relL2() < 1e-6, contender.implementation());
        }
    }

    /** Their check would let a direct sum pass too: that they differ from one shows that they ran. */
    @ParameterizedTest
    @EnumSource(names = {"UPSCALE_WINOGRAD", "UPSCALE_BF16"})
    void kernelsWithOtherRoundingComputeTheConvolution(Kind kind) {
        assumeTrue(kind != Kind.UPSCALE_BF16 || CpuKernels.load().hasBf16(), "this CPU has no AVX-512 BF16");
        try (ConvolutionProblem problem = new ConvolutionProblem(KernelShape.parse("14x14 33->47 3x3").convolution());
                ConvolutionContender direct = new ConvolutionContender(Kind.UPSCALE_DENSE, problem, 1);
                ConvolutionContender contender = new ConvolutionContender(kind, problem, 2)) {
            assertTrue(contender.relL2() > direct.relL2() && contender.relL2() < kind.mostError(), contender.relL2() + " against " + direct.relL2());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"N2 9x9 6->4 3x3 /2", "9x9 6->4 3x3 g2", "9x9 6 depthwise 5x5"})
    void theCheckKnowsWindowsStridesAndGroups(String shape) {
        try (ConvolutionProblem problem = new ConvolutionProblem(KernelShape.parse(shape).convolution());
                ConvolutionContender contender = new ConvolutionContender(Kind.UPSCALE_INDEX, problem, 1)) {
            assertTrue(contender.relL2() < 1e-6);
        }
    }

    @Test
    void aValueThatIsWrongOrMissingIsSeen() {
        try (ConvolutionProblem problem = new ConvolutionProblem(KernelShape.parse("9x9 6->4 3x3").convolution());
                ConvolutionContender contender = new ConvolutionContender(Kind.UPSCALE_DENSE, problem, 1)) {
            contender.run();
            float right = problem.target().getAtIndex(ValueLayout.JAVA_FLOAT, 100);
            problem.target().setAtIndex(ValueLayout.JAVA_FLOAT, 100, right + 0.01f);
            double wrong = problem.relativeError(6, ConvolutionProblem.slice(0, 6));
            assertTrue(wrong > 1e-5 && wrong < 1e-2, "error " + wrong);
            problem.spoilTarget();
            assertTrue(Double.isNaN(problem.relativeError(6, ConvolutionProblem.slice(0, 6))));
        }
    }

    /** Pixels 0, 2, 8 and 10 are read, of 16 that lie 22 floats apart: with channels 5 and 6 one line of each, with 5 and 19 two of two. */
    @Test
    void theLinesThatAConvolutionReadsAreThoseOfItsChannels() {
        var shape = KernelShape.parse("4x4 2->3 1x1 /2").convolution();
        try (ConvolutionProblem problem = new ConvolutionProblem(shape)) {
            assertEquals(4, LineReader.of(problem.source(22), shape, 22, new int[] {5, 6}).lines());
            LineReader reader = LineReader.of(problem.source(22), shape, 22, new int[] {5, 19});
            assertEquals(6, reader.lines());
            reader.check();
            problem.source(22).setAtIndex(ValueLayout.JAVA_INT, 0, problem.source(22).getAtIndex(ValueLayout.JAVA_INT, 0) + 1);
            assertThrows(IllegalStateException.class, reader::check);
        }
    }

    @Test
    void theTableSaysWhatTheDocumentSays() {
        assertEquals("""
                ### AVX-512, 2 threads

                Example CPU, 4 cores (avx2, avx512f), Linux amd64; upscale 9.9, oneDNN 3.13 (avx512); measured on 2026-01-02 at commit abc1234, \
                2026-01-03 at commit abc1234.

                | shape | oneDNN | XNNPACK | ours dense | padded | slice | index | reading | ours over the best library | index over dense |
                | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
                | 7x7 8->8 1x1 | 10.0 | 20.0 | 8.0 | 7.0 | 9.0 | 8.2 | – | 0.80 | 1.02 |
                | 7x7 8 depthwise 3x3 | – | – | 2.0 | – | 2.0 | 8.0 | 2.2 | – | 4.00 |
                | geometric mean |  |  |  |  |  |  |  | 0.80 | 2.02 |
                | worst |  |  |  |  |  |  |  | 0.80 | 4.00 |
                """, KernelResults.tables(List.of(KernelResults.of(JsonMapper.shared().readTree(DOCUMENT)))));
        JsonNode without = JsonMapper.shared().readTree(DOCUMENT.replace("reading-index", "upscale-padded"));
        assertFalse(KernelResults.tables(List.of(KernelResults.of(without))).contains("reading"));
    }
}
