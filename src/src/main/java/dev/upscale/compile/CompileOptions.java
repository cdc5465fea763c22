package dev.upscale.compile;

import java.util.List;
import java.util.Optional;

/**
 * How a network is compiled.
 *
 * @param variant which of the compared variants
 * @param engines the engines whose kernels may be used, of {@code upscale}, {@code onednn} and {@code xnnpack}; the
 *     pure-Java kernels are always there for what these cannot do
 * @param costs what kernels take, to choose the fastest for each convolution; without, the first engine that offers is
 *     taken, which makes plans reproducible on any machine
 */
public record CompileOptions(Variant variant, List<String> engines, Optional<KernelCosts> costs) {

    /** Every engine that is available, in the order of preference. */
    public static final List<String> ALL_ENGINES = List.of("upscale", "onednn", "xnnpack");

    public CompileOptions {
        engines = List.copyOf(engines);
    }

    /** The variant on these engines, without costs. */
    public CompileOptions(Variant variant, List<String> engines) {
        this(variant, engines, Optional.empty());
    }

    /** The variant on all engines, without costs. */
    public static CompileOptions of(Variant variant) {
        return new CompileOptions(variant, ALL_ENGINES);
    }

    /** The same with the fastest kernel for each convolution. */
    public CompileOptions withCosts(KernelCosts costs) {
        return new CompileOptions(variant, engines, Optional.of(costs));
    }
}
