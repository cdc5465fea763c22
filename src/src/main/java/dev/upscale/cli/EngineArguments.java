package dev.upscale.cli;

import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.Precision;
import dev.upscale.compile.Technique;
import dev.upscale.compile.Variant;
import dev.upscale.graph.InvalidInput;
import dev.upscale.runtime.cpu.CpuCatalog;
import dev.upscale.runtime.cpu.MeasuredCosts;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** With what a network is compiled and run. */
final class EngineArguments {
    private static final int MOST_THREADS = 256;

    @Option(names = "--engines", paramLabel = "E,E", split = ",", description = "engines whose kernels may be used: upscale, onednn, xnnpack; java alone for"
            + " none of them (default: all). The pure-Java kernels do what the others cannot. For a GPU: cudnn, cublaslt (1x1 convolutions, linear"
            + " layers and matrix products), products (cuBLASLt for products of two activations alone), cuda; default: cudnn,products")
    private List<String> engines = List.of();

    @Option(names = "--threads", paramLabel = "T", defaultValue = "1", description = "threads of a run (default: 1)")
    private int threads;

    @Option(names = "--costs", paramLabel = "C", defaultValue = "measured", description = "how kernels are chosen: measured (each is timed"
            + " once on this machine) or builtin (by a fixed preference, for reproducible plans); default: measured")
    private String costs;

    @Option(names = "--no-winograd", description = "computes all 3x3 convolutions of ours by direct sums: smaller rounding errors, more time")
    private boolean direct;

    @Option(names = "--input-layout", paramLabel = "L", defaultValue = "model", description = "how the caller's images lie in memory: model"
            + " (NCHW, default) or channels-last (NHWC, as image files have them: the first layer needs no copy)")
    private String inputLayout;

    @Option(names = "--gathers", paramLabel = "G", defaultValue = "avoid", description = "when channels are gathered for a library: avoid"
            + " (default: only where nothing else can be done) or weigh (wherever it is estimated to be the fastest)")
    private String gathers;

    @Option(names = "--precision", paramLabel = "P", defaultValue = "f32", description = "in what convolutions and linear layers multiply: f32"
            + " (default), or bf16 where it is faster, with sums and tensors in f32; on a GPU f32, tf32, f16 or bf16, the last two tensors too")
    private String precision;

    int threads() {
        if (threads < 1 || threads > MOST_THREADS) {
            throw new InvalidInput("--threads " + threads + " is not a number from 1 to " + MOST_THREADS);
        }
        return threads;
    }

    List<String> engines() {
        return engines.isEmpty() ? CompileOptions.ALL_ENGINES : known(engines);
    }

    /** The engines for a GPU, if any were named; our own kernels are always there. */
    Optional<List<String>> enginesOfGpu() {
        return engines.isEmpty() ? Optional.empty() : Optional.of(knownOfGpu(engines));
    }

    /** Engines for a GPU by their names. */
    static List<String> knownOfGpu(List<String> engines) {
        for (String engine : engines) {
            if (!CompileOptions.ALL_GPU_ENGINES.contains(engine)) {
                throw new InvalidInput("--engines " + engine + " is not one of " + String.join(", ", CompileOptions.ALL_GPU_ENGINES) + " on a GPU");
            }
        }
        return engines;
    }

    CompileOptions options(Variant variant) {
        CompileOptions options = new CompileOptions(variant, engines()).withPrecision(precision());
        return chosenBy(costs, threads(), gathering(gathers, laidOut(inputLayout, direct ? options.without(Technique.WINOGRAD) : options)));
    }

    /** The same, with kernels chosen by a fixed preference: for runs whose time does not matter. */
    CompileOptions optionsWithoutTiming(Variant variant) {
        CompileOptions options = new CompileOptions(variant, engines()).withPrecision(precision());
        return direct ? options.without(Technique.WINOGRAD) : options;
    }

    Precision precision() {
        return precision(precision);
    }

    /** The precision for a GPU, which may be another one than this machine. */
    Precision precisionOfGpu() {
        return Stream.of(Precision.values()).filter(known -> known.label().equals(precision)).findFirst()
                .orElseThrow(() -> new InvalidInput("--precision " + precision + " is not one of f32, tf32, f16, bf16 on a GPU"));
    }

    /** A precision by its name, if this machine has it. */
    static Precision precision(String name) {
        for (Precision precision : Precision.values()) {
            if (precision.label().equals(name) && (precision == Precision.F32 || precision == Precision.BF16)) {
                if (precision == Precision.BF16 && !CpuCatalog.hasBf16()) {
                    throw new InvalidInput("--precision bf16 needs a CPU with AVX-512 BF16, and our kernels (see doctor):"
                            + " one is missing here; f32 is always there");
                }
                return precision;
            }
        }
        throw new InvalidInput("--precision " + name + " is not one of f32, bf16 on a CPU");
    }

    /** The options with inputs as {@code --input-layout} says. */
    static CompileOptions laidOut(String layout, CompileOptions options) {
        return switch (layout) {
            case "model" -> options;
            case "channels-last" -> options.withChannelsLastInputs();
            default -> throw new InvalidInput("--input-layout " + layout + " is not one of model, channels-last");
        };
    }

    /** The options with gathers as {@code --gathers} says. */
    static CompileOptions gathering(String gathers, CompileOptions options) {
        return switch (gathers) {
            case "avoid" -> options;
            case "weigh" -> options.weighingGathers();
            default -> throw new InvalidInput("--gathers " + gathers + " is not one of avoid, weigh");
        };
    }

    /** The options with kernels chosen by what {@code --costs} says. */
    static CompileOptions chosenBy(String costs, int threads, CompileOptions options) {
        return switch (costs) {
            case "measured" -> options.withCosts(MeasuredCosts.ofMachine(threads));
            case "builtin" -> options;
            default -> throw new InvalidInput("--costs " + costs + " is not one of measured, builtin");
        };
    }

    static List<String> known(List<String> engines) {
        List<String> known = new ArrayList<>();
        for (String engine : engines) {
            if (!engine.equals("java") && !CompileOptions.ALL_ENGINES.contains(engine)) {
                throw new InvalidInput("--engines " + engine + " is not one of " + String.join(", ", CompileOptions.ALL_ENGINES) + ", java");
            }
            if (!engine.equals("java")) {
                known.add(engine);
            }
        }
        return known;
    }

    static Technique technique(String name) {
        for (Technique technique : Technique.values()) {
            if (technique.label().equals(name)) {
                return technique;
            }
        }
        throw new InvalidInput("--without " + name + " is not one of "
                + String.join(", ", Arrays.stream(Technique.values()).map(Technique::label).toList()));
    }

    static Variant variant(String name) {
        for (Variant variant : Variant.values()) {
            if (variant.label().equals(name)) {
                return variant;
            }
        }
        throw new InvalidInput("variant " + name + " is not one of "
                + String.join(", ", Arrays.stream(Variant.values()).map(Variant::label).toList()));
    }
}
