package dev.upscale.compile;

import dev.upscale.graph.Function;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Op;
import dev.upscale.plan.Accelerator;
import dev.upscale.plan.Element;
import dev.upscale.plan.Operand;
import dev.upscale.plan.PlanSummary;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Which kernel runs a step. Kernels are asked in the order of the engines; the first that takes the step as it is gets it.
 * If none does, its sources are packed and they are asked again; if a convolution's addend or activation is what they
 * refuse, these become a step of their own; the pure-Java kernel takes what is left.
 */
final class KernelChoice {

    /**
     * A step with the kernel that runs it, and the memory that the kernel needs while it runs.
     *
     * @param isCompiledForStep whether the library compiles code for the step when the plan is loaded
     */
    record Chosen(Step step, long workspaceBytes, Optional<Accelerator.LibraryPlan> libraryPlan, boolean isCompiledForStep) {

        /** Whether no native kernel takes it. */
        boolean isFallback() {
            return step.kernel().startsWith("java.");
        }
    }

    /** What can be done for kernels that cannot read a convolution's source where it lies. */
    interface Detours {
        /** Packs the source, for the reason given. */
        Operand pack(String reason);

        /** The same convolution as a sum of convolutions of slices, if it has an indexed source and that is to be preferred to a gather. */
        Optional<List<Chosen>> cover(KernelChoice kernels);
    }

    /** Packs one source of an operation, for the reason given. */
    interface SourcePacker {
        Operand pack(int source, String reason);
    }

    private final KernelCatalog catalog;
    private final CompileOptions options;

    KernelChoice(KernelCatalog catalog, CompileOptions options) {
        this.catalog = catalog;
        this.options = options;
    }

    /**
     * Which channel-wise operations should read channels by index for the sake of their readers. Our convolutions do that
     * themselves at less cost; else those that run in pure Java in any case, but not pooling, which libraries do faster on a
     * dense copy.
     */
    static Predicate<Op> foldsGathers(CompileOptions options) {
        boolean ours = options.engines().contains("upscale");
        return op -> !ours && (op instanceof Op.ScaleShift || op instanceof Op.Apply);
    }

    /** The steps for a convolution: itself, and what could not be fused into it. */
    List<Chosen> convolve(Step.Convolve step, Detours detours) {
        if (convolutions(step).isEmpty()) {
            return List.of(fallback(step));
        }
        boolean gather = options.gathers() && step.source().isIndexed();
        Optional<List<Chosen>> chosen = gather ? Optional.empty() : fusedOrSplit(step);
        if (chosen.isEmpty() && !gather && step.source().isIndexed()) {
            chosen = detours.cover(this);
        }
        if (chosen.isEmpty() && (step.source().isIndexed() || !step.source().view().isDenseChannelsLast())) {
            String reason = gather
                    ? "its channels are not contiguous in this order"
                    : "no kernel of " + options.engines() + " reads it where it lies: " + refusals(convolutions(step), step);
            Step.Convolve packed = withSource(step, detours.pack(reason));
            chosen = fusedOrSplit(packed);
            step = packed;
        }
        Step.Convolve last = step;
        return chosen.orElseGet(() -> List.of(fallback(last)));
    }

    /** Whether native kernels carry a convolution out as it stands, in one step or with what is fused into it in a second. */
    boolean take(Step.Convolve step) {
        return fusedOrSplit(step).isPresent();
    }

    /** Whether a library would carry a convolution out in a copy of its own of what it adds to or makes. */
    boolean copiesInside(Step.Convolve step) {
        return convolution(step)
                .filter(chosen -> !chosen.step().kernel().startsWith("upscale.") && chosen.workspaceBytes() >= step.destination().bytes())
                .isPresent();
    }

    /** A native kernel that carries a convolution out as it stands. */
    Optional<Chosen> convolution(Step.Convolve step) {
        return ask(convolutions(step), step);
    }

    /** The kernel for an operation whose sources any kernel of its reads where they lie. */
    Chosen simple(Step.Compute step) {
        return ask(operations(step), step).orElseGet(() -> fallback(step));
    }

    /** A convolution in one step, or with what is fused into it in a second one, if native kernels carry it out. */
    Optional<List<Chosen>> fusedOrSplit(Step.Convolve step) {
        Optional<Chosen> fused = ask(convolutions(step), step);
        if (fused.isPresent()) {
            return Optional.of(List.of(fused.get()));
        }
        if (step.addend().isEmpty() && step.activation().isNone()) {
            return Optional.empty();
        }
        if (step.addend().isPresent() && overlaps(step.addend().get().view(), step.destination())) {
            return Optional.empty();
        }
        Step.Convolve bare = new Step.Convolve(step.name(), "", step.conv(), step.source(), step.weights(), step.bias(),
                Optional.empty(), Function.NONE, step.destination(), Optional.empty(), step.multiplyAdds());
        return ask(convolutions(bare), bare).map(convolution -> {
            List<Chosen> steps = new ArrayList<>(List.of(convolution));
            Operand result = Operand.of(step.destination());
            Step.Compute rest = step.addend()
                    .map(addend -> new Step.Compute(step.name(), "", new Op.Binary(Op.Binary.Kind.ADD),
                            List.of(result, addend), step.activation(), step.destination(), Optional.empty()))
                    .orElseGet(() -> new Step.Compute(step.name(), "", new Op.Apply(step.activation()),
                            List.of(result), Function.NONE, step.destination(), Optional.empty()));
            steps.add(simple(rest));
            return steps;
        });
    }

    private static boolean overlaps(View one, View other) {
        return one.place().equals(other.place())
                && one.offset() < other.offset() + other.extentBytes()
                && other.offset() < one.offset() + one.extentBytes();
    }

    /** The step for any other operation. */
    Chosen compute(Step.Compute step, SourcePacker packer) {
        Optional<Chosen> chosen = ask(operations(step), step);
        if (chosen.isPresent()) {
            return chosen.get();
        }
        List<String> candidates = operations(step);
        if (options.target().element() != Element.F32 && step.sources().size() > 1) {
            step = withSources(step, packInputs(step, packer));
            chosen = ask(candidates, step);
            if (chosen.isPresent()) {
                return chosen.get();
            }
        }
        if (candidates.isEmpty() || step.sources().stream().noneMatch(Operand::isIndexed)) {
            return fallback(step);
        }
        if (step.op() instanceof Op.Pool && !options.gathers() && !options.weighsGathers()) {
            return fallback(step);
        }
        List<Operand> packed = new ArrayList<>(step.sources());
        for (int k = 0; k < packed.size(); k++) {
            if (packed.get(k).isIndexed()) {
                packed.set(k, packer.pack(k, "no kernel of " + options.engines() + " reads it by index: "
                        + refusals(candidates, step)));
            }
        }
        Step.Compute plain = withSources(step, packed);
        return ask(candidates, plain).orElseGet(() -> fallback(plain));
    }

    /** Inputs of the network are f32, and a kernel's sources have one type. */
    private static List<Operand> packInputs(Step.Compute step, SourcePacker packer) {
        List<Operand> sources = new ArrayList<>(step.sources());
        for (int k = 0; k < sources.size(); k++) {
            if (sources.get(k).view().place().kind() == View.Place.Kind.INPUT) {
                sources.set(k, packer.pack(k, "inputs of the network are f32"));
            }
        }
        return sources;
    }

    private static Step.Compute withSources(Step.Compute step, List<Operand> sources) {
        return new Step.Compute(step.name(), step.kernel(), step.op(), sources, step.activation(), step.destination(), step.workspace());
    }

    /** The kernel for a copy. */
    Chosen copy(Step.Copy step) {
        List<String> candidates = new ArrayList<>();
        if (options.engines().contains("upscale")) {
            candidates.add("upscale.gather");
            candidates.add("upscale.planes");
        }
        return ask(candidates, step).orElseGet(() -> fallback(step));
    }

    private Chosen fallback(Step step) {
        boolean gpu = options.target().isGpu();
        String kernel = gpu ? GpuKernels.ours(step) : KernelCatalog.fallback(step);
        return switch (catalog.offer(kernel, step)) {
            case KernelCatalog.Offer offer -> chosen(kernel, step, offer);
            case KernelCatalog.Refusal refusal -> throw gpu
                    ? new InvalidInput(step.name() + ": no kernel for " + options.target().name() + " can compute it (" + kernel + " "
                            + refusal.reason() + "); compile for --target cpu")
                    : new IllegalStateException(kernel + " refuses " + step + ": " + refusal.reason());
        };
    }

    private static Chosen chosen(String kernel, Step step, KernelCatalog.Offer offer) {
        Step named = withKernel(step, kernel);
        if (named instanceof Step.Convolve s && offer.libraryPlan().isPresent()) {
            named = new Step.Convolve(s.name(), kernel, s.conv(), s.source(), s.weights(), s.bias(), s.addend(), s.activation(),
                    s.destination(), s.workspace(), s.multiplyAdds(), offer.libraryPlan().map(Accelerator.LibraryPlan::name), s.choices());
        }
        return new Chosen(named, offer.workspaceBytes(), offer.libraryPlan(), offer.isCompiledForStep());
    }

    private Optional<Chosen> ask(List<String> kernels, Step step) {
        if (step instanceof Step.Convolve convolve && options.costs().isPresent()) {
            return new FastestKernel(catalog, options.costs().get()).of(kernels, convolve)
                    .map(found -> chosen(found.kernel(), step, found.offer()));
        }
        Optional<Offered> best = Optional.empty();
        for (String kernel : kernels) {
            if (best.isPresent() && !best.get().mayLoseTo(kernel)) {
                break;
            }
            if (catalog.offer(kernel, step) instanceof KernelCatalog.Offer offer) {
                Chosen chosen = chosen(kernel, step, offer);
                Offered offered = new Offered(chosen, avoidsHiddenCopies() ? hiddenBytes(chosen) : 0, avoidsHiddenCopies() && offer.isCompiledForStep());
                best = best.filter(other -> !offered.isBetterThan(other)).or(() -> Optional.of(offered));
            }
        }
        return best.map(Offered::chosen);
    }

    /**
     * An offer and what decides between offers: bytes copied inside, then an engine that was compiled beforehand before one that is compiled
     * for the step; the order in which kernels were asked decides the rest.
     */
    private record Offered(Chosen chosen, long hiddenBytes, boolean isCompiledForStep) {
        boolean isBetterThan(Offered other) {
            return hiddenBytes != other.hiddenBytes ? hiddenBytes < other.hiddenBytes : !isCompiledForStep && other.isCompiledForStep;
        }

        /** Asking a library takes it time. {@code cudnn.fused} is compiled for a step in any case. */
        boolean mayLoseTo(String kernel) {
            return hiddenBytes > 0 || isCompiledForStep && !kernel.equals(GpuKernels.FUSED);
        }
    }

    /** The comparison's other variants take the kernel that a library offers first. */
    private boolean avoidsHiddenCopies() {
        return options.target().isGpu() && options.variant() == Variant.UPSCALE;
    }

    private static long hiddenBytes(Chosen chosen) {
        return PlanSummary.hiddenCopyBytes(chosen.step(), chosen.workspaceBytes());
    }

    private String refusals(List<String> kernels, Step step) {
        List<String> reasons = new ArrayList<>();
        for (String kernel : kernels) {
            if (catalog.offer(kernel, step) instanceof KernelCatalog.Refusal refusal) {
                reasons.add(kernel + ": " + refusal.reason());
            }
        }
        return String.join("; ", reasons);
    }

    private List<String> convolutions(Step.Convolve step) {
        List<String> kernels = new ArrayList<>();
        for (String engine : options.engines()) {
            switch (engine) {
                case "upscale" -> {
                    boolean winograd = options.uses(Technique.WINOGRAD) && Winograd.fits(step) && Winograd.isWorthwhile(step);
                    if (winograd) {
                        kernels.add("upscale.winograd");
                    }
                    if (options.precision() == Precision.BF16) {
                        kernels.add(winograd && Winograd.isWorthwhileOverBf16(step) ? 1 : 0, "upscale.conv.bf16");
                    }
                    kernels.add("upscale.conv");
                }
                case "cudnn" -> kernels.add(GpuKernels.CONV);
                case "cublaslt" -> kernels.add(GpuKernels.MATMUL);
                case "products", "cuda" -> { }
                case "onednn" -> kernels.addAll(List.of("onednn.conv", "onednn.matmul"));
                case "xnnpack" -> kernels.add("xnnpack.conv");
                default -> throw new IllegalArgumentException("no engine " + engine);
            }
        }
        if (options.engines().contains("cudnn")) {
            kernels.add(GpuKernels.FUSED);
        }
        return kernels;
    }

    private List<String> operations(Step.Compute step) {
        List<String> kernels = new ArrayList<>();
        if (options.engines().contains("upscale")) {
            switch (step.op()) {
                case Op.Apply apply -> kernels.add("upscale.pointwise");
                case Op.ScaleShift scale -> kernels.add("upscale.pointwise");
                case Op.Binary binary -> kernels.add("upscale.binary");
                case Op.PRelu relu -> kernels.add("upscale.binary");
                case Op.Pool pool -> kernels.add("upscale.window");
                case Op.Reduce reduce -> kernels.add("upscale.reduce");
                case Op.Softmax softmax -> kernels.add("upscale.softmax");
                case Op.Resize resize -> kernels.add("upscale.resize");
                case Op.Pad pad -> kernels.add("upscale.pad");
                case Op.ConvTranspose conv -> kernels.add("upscale.convtranspose");
                default -> { }
            }
        }
        if (step.op() instanceof Op.MatMul && (options.engines().contains("cublaslt") || options.engines().contains("products"))) {
            kernels.add(GpuKernels.MATMUL);
        }
        if (options.engines().contains("onednn") && step.op() instanceof Op.Pool) {
            kernels.add("onednn.pool");
        }
        if (options.engines().contains("xnnpack") && step.op() instanceof Op.ConvTranspose) {
            kernels.add("xnnpack.convtranspose");
        }
        return kernels;
    }

    private static Step.Convolve withSource(Step.Convolve step, Operand source) {
        return new Step.Convolve(step.name(), step.kernel(), step.conv(), source, step.weights(), step.bias(),
                step.addend(), step.activation(), step.destination(), step.workspace(), step.multiplyAdds());
    }

    private static Step withKernel(Step step, String kernel) {
        return switch (step) {
            case Step.Convolve s -> new Step.Convolve(s.name(), kernel, s.conv(), s.source(), s.weights(), s.bias(),
                    s.addend(), s.activation(), s.destination(), s.workspace(), s.multiplyAdds());
            case Step.Compute s -> new Step.Compute(s.name(), kernel, s.op(), s.sources(), s.activation(),
                    s.destination(), s.workspace());
            case Step.Copy s -> new Step.Copy(s.name(), kernel, s.kind(), s.source(), s.destination(), s.reason(), s.choices());
        };
    }

    static Step withWorkspace(Step step, View workspace) {
        return switch (step) {
            case Step.Convolve s -> new Step.Convolve(s.name(), s.kernel(), s.conv(), s.source(), s.weights(), s.bias(),
                    s.addend(), s.activation(), s.destination(), Optional.of(workspace), s.multiplyAdds(), s.libraryPlan(), s.choices());
            case Step.Compute s -> new Step.Compute(s.name(), s.kernel(), s.op(), s.sources(), s.activation(),
                    s.destination(), Optional.of(workspace));
            case Step.Copy s -> s;
        };
    }
}
