package dev.upscale.runtime.cuda;

import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.KernelCatalog;
import dev.upscale.compile.Precision;
import dev.upscale.compile.Target;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Function;
import dev.upscale.graph.InvalidInput;
import dev.upscale.plan.Accelerator;
import dev.upscale.plan.Constant;
import dev.upscale.plan.Element;
import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import dev.upscale.runtime.cublaslt.Compute;
import dev.upscale.runtime.cublaslt.CuBlasLt;
import dev.upscale.runtime.cudnn.Candidate;
import dev.upscale.runtime.cudnn.CuDnn;
import dev.upscale.runtime.cudnn.Device;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What kernels can do on a described GPU, whether it is here or not: convolutions as plans that the real cuDNN builds for it, matrix products
 * as cuBLASLt will be asked for them on the device, all else by our own kernels ({@link CudaKernels}), compiled into the plan where the jar holds no binary for the device. Thread-safe; to be closed.
 */
public final class CudaCatalog implements KernelCatalog, AutoCloseable {
    private static final Set<Function.Kind> SPECIAL = Set.of(Function.Kind.NONE, Function.Kind.RELU, Function.Kind.SIGMOID, Function.Kind.TANH,
            Function.Kind.ELU);

    private static final String CODE = "cuda.kernels";

    private final DeviceDescription description;
    private final Precision precision;
    private final Device device;
    private final PlanChoice plans;

    private CudaCatalog(DeviceDescription description, Precision precision, boolean avoidsCopies, Path kept) {
        this.description = description;
        this.precision = precision;
        this.device = Device.describedBy(description.name(), description.propertiesJson());
        String world = CuDnn.version() + " " + description.propertiesJson() + " compiled engines " + compilesEngines();
        this.plans = new PlanChoice(device, precision, avoidsCopies, new PlanCache(kept, world));
    }

    /**
     * The kernels for a device. Plans that cuDNN built are kept in the user's cache directory.
     *
     * @param variant {@link Variant#UPSCALE} prefers plans without hidden copies to those that the library ranks first
     * @throws InvalidInput if cuDNN is missing, too old, or does not take the description
     */
    public static CudaCatalog of(DeviceDescription description, Precision precision, Variant variant) {
        return of(description, precision, variant, PlanCache.folderOfUser());
    }

    /**
     * The kernels for a device.
     *
     * @param variant {@link Variant#UPSCALE} prefers plans without hidden copies to those that the library ranks first
     * @param kept where plans that cuDNN built are kept, and found again
     * @throws InvalidInput if cuDNN is missing, too old, or does not take the description
     */
    public static CudaCatalog of(DeviceDescription description, Precision precision, Variant variant, Path kept) {
        String obstacle = CuDnn.obstacle();
        if (!obstacle.isEmpty()) {
            throw new InvalidInput("--target cuda:" + description.name() + ": " + obstacle);
        }
        return new CudaCatalog(description, precision, variant == Variant.UPSCALE, kept);
    }

    /** Why plans cannot be compiled for a GPU here, or empty if they can. */
    public static String obstacle() {
        String obstacle = CuDnn.obstacle();
        return !obstacle.isEmpty() || !PackagedKernels.binaries().isEmpty() ? obstacle
                : PlanKernels.obstacle().map(reason -> "this build holds no binary of our kernels, and " + reason).orElse("");
    }

    /** How to compile a variant for a device. */
    public static CompileOptions options(Variant variant, DeviceDescription description, Precision precision) {
        Element element = switch (precision) {
            case F32, TF32 -> Element.F32;
            case F16 -> Element.F16;
            case BF16 -> Element.BF16;
        };
        Target target = description.target(element, precision != Precision.F32);
        return CompileOptions.of(variant, target, precision);
    }

    private static boolean compilesEngines() {
        return NativeLibraries.isAvailable(NativeLibrary.NVRTC)
                && (NativeLibraries.isAvailable(NativeLibrary.CUDA_DRIVER) || NativeLibraries.isAvailable(NativeLibrary.BUILD_DRIVER));
    }

    @Override
    public Set<String> engines() {
        return Set.copyOf(CompileOptions.ALL_GPU_ENGINES);
    }

    @Override
    public Answer offer(String kernel, Step step) {
        return switch (kernel) {
            case "cudnn.conv" -> convolution((Step.Convolve) step, false);
            case "cudnn.fused" -> convolution((Step.Convolve) step, true);
            case MatrixCall.KERNEL -> product(step);
            default -> CudaKernels.offer(kernel, step);
        };
    }

    private Answer convolution(Step.Convolve step, boolean generic) {
        if (precision == Precision.F32 && (generic || !SPECIAL.contains(step.activation().kind()))) {
            return new Refusal("the engines that cuDNN compiles round f32 factors to TF32");
        }
        if (!generic && step.activation().kind() == Function.Kind.CLIP) {
            return new Refusal("cuDNN's engines for the pattern have no clip");
        }
        try {
            return switch (plans.of(ConvolutionGraph.of(step, generic))) {
                case PlanChoice.Choice.Refused refused -> new Refusal(refused.reason());
                case PlanChoice.Choice.Taken(Candidate plan) -> new Offer(plan.workspaceBytes(), "engine " + plan.engine() + ", rank " + plan.rank(),
                        Optional.of(new Accelerator.LibraryPlan("cudnn." + PlanCache.digest(plan.json()).substring(0, 12), plan.json())),
                        plan.notes().contains(Candidate.Note.RUNTIME_COMPILATION));
            };
        } catch (ConvolutionGraph.Inexpressible e) {
            return new Refusal("cuDNN " + e.getMessage());
        }
    }

    private Answer product(Step step) {
        String obstacle = CuBlasLt.obstacle();
        return obstacle.isEmpty() ? MatrixCall.offer(step, precision == Precision.TF32 ? Compute.TF32 : Compute.AS_STORED) : new Refusal(obstacle);
    }

    @Override
    public Plan complete(Plan plan, List<Accelerator.LibraryPlan> named) {
        Optional<KernelCompiler.Compiled> compiled = PlanKernels.compile(plan, description);
        String code = unused(CODE, plan.constants());
        Accelerator accelerator = new Accelerator(description.propertiesJson(), precision.label(), "cuDNN " + CuDnn.version(), named,
                compiled.map(kernels -> new Accelerator.KernelCode(kernels.architecture(), kernels.compiler(), List.copyOf(kernels.functions()), code)));
        Map<String, Constant> constants = new LinkedHashMap<>(plan.constants());
        compiled.ifPresent(kernels -> constants.put(code, Constant.i8(kernels.code())));
        return plan.forDevice(accelerator, constants);
    }

    private static String unused(String name, Map<String, Constant> constants) {
        return constants.containsKey(name) ? unused(name + "'", constants) : name;
    }

    @Override
    public void close() {
        device.close();
    }
}
