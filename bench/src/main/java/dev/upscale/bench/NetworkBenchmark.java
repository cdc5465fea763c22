package dev.upscale.bench;

import dev.upscale.BoundSession;
import dev.upscale.Upscale;
import dev.upscale.channels.Pattern;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.RecogniseShuffles;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.Tensor;
import dev.upscale.prune.Heuristic;
import dev.upscale.prune.PruneOptions;
import dev.upscale.prune.Pruner;
import dev.upscale.runtime.Executable;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
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
 * A whole network, batch 1, one thread. {@code ./upscale bench} compares variants in one process and is the better judge
 * of ratios; this gives a variant a process of its own. The output is checked before anything is timed. Give the network with {@code -p model=FILE.onnx}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class NetworkBenchmark {
    /** What the output may differ from the reference engine's, relative (L2). */
    private static final double TOLERANCE = 2e-5;

    /** The ONNX file. */
    @Param("src/src/main/resources/dev/upscale/demo/densenet.onnx")
    public String model;

    /** How the network is compiled. */
    @Param({"UNPRUNED", "BASELINE", "PAPER", "UPSCALE"})
    public Variant variant;

    /** The share of input channels that each convolution loses, by L2 norm. */
    @Param("0.5")
    public double amount;

    private Executable executable;
    private BoundSession session;

    /** Compiles the network. */
    @Setup
    public void compile() {
        Graph network = Upscale.read(Path.of(model));
        if (variant != Variant.UNPRUNED) {
            Pattern pattern = Pruner.prune(RecogniseShuffles.apply(network), Heuristic.L2, amount, PruneOptions.Method.UNCONSTRAINED);
            network = Upscale.prune(network, pattern);
        }
        executable = Upscale.prepare(Upscale.compile(network, CompileOptions.of(variant)));
        session = BoundSession.open(executable, 1);
        check(network);
    }

    private void check(Graph network) {
        Map<String, Tensor> inputs = new LinkedHashMap<>();
        for (int i = 0; i < network.inputs().size(); i++) {
            Tensor input = Tensor.random(network.type(network.inputs().get(i)), i);
            inputs.put(network.inputs().get(i), input);
            session.input(i).put(input.floats());
        }
        session.run();
        double[] expected = Interpreter.run(network, inputs).get(network.outputs().getFirst()).values();
        double error = 0;
        double norm = 0;
        for (int i = 0; i < expected.length; i++) {
            error += Math.pow(session.output(0).get(i) - expected[i], 2);
            norm += Math.pow(expected[i], 2);
        }
        if (!(Math.sqrt(error / norm) <= TOLERANCE)) {
            throw new IllegalStateException(model + " " + variant + " is off by " + Math.sqrt(error / norm));
        }
    }

    /** One run. */
    @Benchmark
    public void run() {
        session.run();
    }

    /** Frees everything. */
    @TearDown
    public void close() {
        session.close();
        executable.close();
    }
}
