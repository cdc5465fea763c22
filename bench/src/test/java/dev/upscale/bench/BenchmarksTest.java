package dev.upscale.bench;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;

import dev.upscale.compile.Variant;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The JMH suites' own checks of their outputs, without timing. */
class BenchmarksTest {

    @ParameterizedTest
    @ValueSource(strings = {"upscale-index", "onednn-gathered", "xnnpack-dense"})
    void passesComputeWhatTheyAreTimedFor(String kernel) {
        PassBenchmark benchmark = new PassBenchmark();
        benchmark.kernel = kernel;
        benchmark.shape = "7x7 64 max 3x3 /2";
        assertDoesNotThrow(benchmark::prepare);
        benchmark.close();
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "CONSTRAINED")
    void networksComputeWhatTheyAreTimedFor(Variant variant) {
        NetworkBenchmark benchmark = new NetworkBenchmark();
        benchmark.model = "../src/src/main/resources/dev/upscale/demo/densenet.onnx";
        benchmark.variant = variant;
        benchmark.amount = 0.5;
        assertDoesNotThrow(benchmark::compile);
        benchmark.close();
    }
}
