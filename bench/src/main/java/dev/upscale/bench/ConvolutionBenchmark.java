package dev.upscale.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One convolution in NHWC on one thread: our kernel on a dense source, on a slice and on a random index list of a tensor
 * twice as wide, against oneDNN (dense) and XNNPACK (dense and slice). Outputs are checked before anything is timed.
 * {@code -p kernel=upscale-winograd} (3×3, stride 1) and {@code upscale-bf16} (CPUs that have it) time these; shapes may be depthwise or linear.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class ConvolutionBenchmark {
    /** Which kernel reads what. */
    @Param({"upscale-dense", "upscale-slice", "upscale-index", "onednn-dense", "xnnpack-dense", "xnnpack-slice"})
    public String kernel;

    /** As {@link KernelShape} reads it. */
    @Param({"56x56 64->64 3x3", "28x28 128->128 3x3", "56x56 37->51 3x3", "28x28 83->83 3x3", "56x56 64->256 1x1", "14x14 417->128 1x1",
            "28x28 171->83 1x1", "7x7 512->512 3x3"})
    public String shape;

    private ConvolutionProblem problem;
    private ConvolutionContender contender;

    /** Makes the kernel and its data, and checks it. */
    @Setup
    public void prepare() {
        problem = new ConvolutionProblem(KernelShape.parse(shape).convolution());
        contender = new ConvolutionContender(ConvolutionContender.Kind.of(kernel), problem, 1);
    }

    /** The convolution. */
    @Benchmark
    public void convolve() {
        contender.run();
    }

    /** Frees the kernel before its data. */
    @TearDown
    public void close() {
        contender.close();
        problem.close();
    }
}
