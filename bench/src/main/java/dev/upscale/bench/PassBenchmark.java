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
 * One pass in NHWC on one thread: pools, means, resizing, additions, scaling, copies. Ours on a dense source, on a slice and by a random
 * index list of a tensor twice as wide, against oneDNN and XNNPACK on a dense source, on slices where they read them, and on what our gather
 * has gathered before. Outputs are checked before anything is timed; a kernel that a library lacks, or has only unoptimised, is an error.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class PassBenchmark {
    /** Which kernel reads what. */
    @Param({"upscale-dense", "upscale-slice", "upscale-index", "upscale-gathered", "onednn-dense", "onednn-gathered", "xnnpack-dense", "xnnpack-gathered"})
    public String kernel;

    /** As {@link PassShape} reads it. */
    @Param({"112x112 64 max 3x3 /2", "56x56 128 average 2x2 /2", "7x7 2048 mean", "28x28 128 linear x2", "56x56 256 add+relu", "56x56 96 multiply",
            "56x56 128 scale+shift+relu"})
    public String shape;

    private PassProblem problem;
    private Contender contender;

    /** Makes the kernel and its data, and checks it. */
    @Setup
    public void prepare() {
        problem = new PassProblem(PassShape.parse(shape));
        contender = new PassContender(PassContender.Kind.of(kernel), problem, 1);
    }

    /** The pass, with the gather before it if there is one. */
    @Benchmark
    public void pass() {
        contender.run();
    }

    /** Frees the kernel before its data. */
    @TearDown
    public void close() {
        contender.close();
        problem.close();
    }
}
