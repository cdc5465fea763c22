package dev.upscale.compile;

import java.util.List;

/**
 * How a network is compiled.
 *
 * @param variant which of the compared variants
 * @param engines the engines whose kernels may be used, of {@code upscale}, {@code onednn} and {@code xnnpack}; the
 *     pure-Java kernels are always there for what these cannot do
 */
public record CompileOptions(Variant variant, List<String> engines) {

    /** Every engine that is available, in the order of preference. */
    public static final List<String> ALL_ENGINES = List.of("upscale", "onednn", "xnnpack");

    public CompileOptions {
        engines = List.copyOf(engines);
    }

    /** The variant on all engines. */
    public static CompileOptions of(Variant variant) {
        return new CompileOptions(variant, ALL_ENGINES);
    }
}
