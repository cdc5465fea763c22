package dev.upscale.bench;

import dev.upscale.BoundSession;
import dev.upscale.Upscale;
import dev.upscale.graph.GraphText;
import dev.upscale.runtime.Executable;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What a call from Java to C costs, and what a run costs beside its arithmetic: a network of one tiny convolution. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 300, timeUnit = TimeUnit.MILLISECONDS)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class DowncallBenchmark {
    private static final MethodHandle ABS = Linker.nativeLinker().downcallHandle(
            Linker.nativeLinker().defaultLookup().findOrThrow("abs"), FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    private Executable executable;
    private BoundSession session;

    /** Compiles the tiny network. */
    @Setup
    public void compile() {
        executable = Upscale.prepare(Upscale.compile(GraphText.parse("""
                graph tiny(x: f32[1,1,1,1]) -> y {
                  w: f32[1,1,1,1] = [2]
                  y = Conv(x, w) kernel=1
                }
                """)));
        session = BoundSession.open(executable, 1);
        session.input(0).put(0, 3);
        session.run();
        if (session.output(0).get(0) != 6) {
            throw new IllegalStateException("2 · 3 is not " + session.output(0).get(0));
        }
    }

    /** The C library's {@code abs}: the bare call. */
    @Benchmark
    public int downcall() throws Throwable {
        return (int) ABS.invokeExact(-1);
    }

    /** The same in Java. */
    @Benchmark
    public int java() {
        return Math.abs(-1);
    }

    /** A session's run of one step. */
    @Benchmark
    public void smallestRun() {
        session.run();
    }

    /** Frees everything. */
    @TearDown
    public void close() {
        session.close();
        executable.close();
    }
}
