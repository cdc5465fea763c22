package dev.upscale.compile;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * How a network is compiled.
 *
 * @param variant which of the compared variants
 * @param engines the engines whose kernels may be used, of {@code upscale}, {@code onednn} and {@code xnnpack}; the
 *     pure-Java kernels are always there for what these cannot do; for a GPU of {@link #ALL_GPU_ENGINES}
 * @param costs what kernels take, to choose the fastest for each convolution; without, the first engine that offers is
 *     taken, which makes plans reproducible on any machine
 * @param precision in what convolutions and linear layers may multiply
 * @param channelsLastInputs whether the caller gives images (inputs of four dimensions) in NHWC order, so that no step has to bring
 *     them there; without, in the model's order
 * @param weighsGathers whether channels are gathered where that is estimated to be the fastest; without, only where nothing else can
 *     be done
 * @param target what for
 * @param without what variant {@code upscale} is to do without, for ablations; {@link Technique#WINOGRAD}: any variant
 * @param segments where the segments of concats lie on a GPU
 */
public record CompileOptions(Variant variant, List<String> engines, Optional<KernelCosts> costs, Precision precision,
        boolean channelsLastInputs, boolean weighsGathers, Target target, Set<Technique> without, Segments segments) {

    /** Every engine that is available, in the order of preference. */
    public static final List<String> ALL_ENGINES = List.of("upscale", "onednn", "xnnpack");

    /**
     * Every engine for GPUs. {@code cublaslt} takes convolutions of one pixel and linear layers too; {@code products} is cuBLASLt for products
     * of two activations alone; {@code cuda} is our own kernels, which are always there.
     */
    public static final List<String> ALL_GPU_ENGINES = List.of("cudnn", "cublaslt", "products", "cuda");

    /** What is used where nothing is said. */
    public static final List<String> GPU_ENGINES = List.of("cudnn", "products", "cuda");

    public CompileOptions {
        engines = List.copyOf(engines);
        without = Set.copyOf(without);
    }

    /** The variant on these engines, without costs. */
    public CompileOptions(Variant variant, List<String> engines) {
        this(variant, engines, Optional.empty(), Precision.F32, false, false, Target.CPU, Set.of(), Segments.TOGETHER);
    }

    /** The variant on all engines, without costs. */
    public static CompileOptions of(Variant variant) {
        return new CompileOptions(variant, ALL_ENGINES);
    }

    /** The same with the fastest kernel for each convolution. */
    public CompileOptions withCosts(KernelCosts costs) {
        return new CompileOptions(variant, engines, Optional.of(costs), precision, channelsLastInputs, weighsGathers, target, without, segments);
    }

    /** The variant for a GPU, in a precision that the target's tensors hold. */
    public static CompileOptions of(Variant variant, Target target, Precision precision) {
        return new CompileOptions(variant, GPU_ENGINES, Optional.empty(), precision, false, false, target, Set.of(), Segments.TOGETHER);
    }

    /** The same on other engines. */
    public CompileOptions withEngines(List<String> chosen) {
        return new CompileOptions(variant, chosen, costs, precision, channelsLastInputs, weighsGathers, target, without, segments);
    }

    /** The same with segments of concats elsewhere. */
    public CompileOptions withSegments(Segments chosen) {
        return new CompileOptions(variant, engines, costs, precision, channelsLastInputs, weighsGathers, target, without, chosen);
    }

    /** The same in another precision. */
    public CompileOptions withPrecision(Precision chosen) {
        return new CompileOptions(variant, engines, costs, chosen, channelsLastInputs, weighsGathers, target, without, segments);
    }

    /** The same with images in NHWC order from the caller. */
    public CompileOptions withChannelsLastInputs() {
        return new CompileOptions(variant, engines, costs, precision, true, weighsGathers, target, without, segments);
    }

    /** The same with gathers wherever they are estimated to be the fastest. */
    public CompileOptions weighingGathers() {
        return new CompileOptions(variant, engines, costs, precision, channelsLastInputs, true, target, without, segments);
    }

    /** The same without one more technique. */
    public CompileOptions without(Technique technique) {
        Set<Technique> less = new HashSet<>(without);
        less.add(technique);
        return new CompileOptions(variant, engines, costs, precision, channelsLastInputs, weighsGathers, target, less, segments);
    }

    /** Whether a technique is not left out. */
    boolean uses(Technique technique) {
        return !without.contains(technique);
    }

    /** Whether gathers are made as copies, as a library's kernels need them. */
    boolean gathers() {
        return variant == Variant.BASELINE || variant == Variant.PAPER || !uses(Technique.INDEX);
    }
}
