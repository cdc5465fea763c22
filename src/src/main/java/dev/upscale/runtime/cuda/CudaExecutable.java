package dev.upscale.runtime.cuda;

import dev.upscale.compile.Precision;
import dev.upscale.graph.InvalidInput;
import dev.upscale.plan.Accelerator;
import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanVerifier;
import dev.upscale.plan.Step;
import dev.upscale.runtime.SessionOptions;
import dev.upscale.runtime.cublaslt.Compute;
import dev.upscale.runtime.kernel.KernelFailure;
import dev.upscale.runtime.natives.LibraryReport;
import dev.upscale.runtime.natives.NativeLibraries;
import dev.upscale.runtime.natives.NativeLibrary;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.stream.Collectors;

/**
 * A plan that is ready to run on a GPU: kernels loaded, constants in device memory, each in the types and orders that its kernels read.
 * Sessions share it; they run one after the other on a device, whatever threads they are called from. Once it is closed, it and its sessions
 * throw {@link IllegalStateException}.
 */
public final class CudaExecutable implements AutoCloseable {
    private final Plan plan;
    private final Gpu gpu;
    private final DeviceResources resources;
    private final Optional<KernelModule> module;
    private final ConstantArea constants;
    private final Map<String, String> libraryPlans;
    private final Set<CudaSession> sessions = new LinkedHashSet<>();
    private boolean closed;

    private CudaExecutable(Plan plan, Gpu gpu, DeviceResources resources) {
        this.plan = plan;
        this.gpu = gpu;
        this.resources = resources;
        libraryPlans = plan.accelerator().stream().flatMap(part -> part.libraryPlans().stream())
                .collect(Collectors.toMap(Accelerator.LibraryPlan::name, Accelerator.LibraryPlan::text));
        constants = new ConstantArea(plan.constants());
        PlanMemory nowhere = new PlanMemory(plan, constants);
        plan.steps().forEach(step -> prepare(step, compute(), nowhere));
        SortedSet<String> functions = PlanKernels.functions(plan);
        module = functions.isEmpty() ? Optional.empty()
                : Optional.of(new KernelModule(PlanKernels.image(plan, functions, gpu.capability()), resources));
        constants.upload(resources);
    }

    /**
     * Prepares a plan for a device, which must outlive the result.
     *
     * @throws InvalidInput  if the plan does not hold together, is for a CPU, or does not fit into the device's memory
     * @throws KernelFailure if a kernel is not to be had here; the message names step and kernel
     * @throws dev.upscale.runtime.natives.NativeError if the device refuses something, with the driver's words
     */
    public static CudaExecutable prepare(Plan plan, Gpu gpu) {
        PlanVerifier.verify(plan);
        if (!plan.target().startsWith("cuda:")) {
            throw new InvalidInput("plan " + plan.model() + " is for " + plan.target() + "; compile it with --target cuda:...");
        }
        gpu.enter();
        DeviceResources resources = new DeviceResources(gpu);
        try {
            return new CudaExecutable(plan, gpu, resources);
        } catch (RuntimeException e) {
            resources.closeAfter(e);
            throw e;
        }
    }

    /** Asks for the constants that a step needs. */
    private static void prepare(Step step, Compute compute, PlanMemory memory) {
        try {
            if (step.kernel().startsWith("cudnn.")) {
                require(NativeLibrary.CUDNN);
                ConvolutionCall.addresses((Step.Convolve) step, memory);
            } else if (step.kernel().equals(MatrixCall.KERNEL)) {
                require(NativeLibrary.CUBLASLT);
                MatrixCall.of(step, compute, memory);
            } else if (step.kernel().startsWith("cuda.")) {
                CudaKernels.launch(step.kernel(), step, memory);
            } else {
                throw new IllegalArgumentException("no kernel for a GPU");
            }
        } catch (RuntimeException e) {
            throw new KernelFailure(step.name(), step.kernel(), e);
        }
    }

    private static void require(NativeLibrary library) {
        if (NativeLibraries.find(library) instanceof LibraryReport.Missing missing) {
            throw new IllegalArgumentException(library.title() + " is missing: " + missing.cure());
        }
    }

    public Plan plan() {
        return plan;
    }

    public Gpu gpu() {
        return gpu;
    }

    /** Where our kernels' code came from, for example {@code cubin sm_90}; empty where the plan needs none of them. */
    public String kernelOrigin() {
        return module.map(KernelModule::origin).orElse("");
    }

    /** What constants take on the device, in bytes. */
    public long constantBytes() {
        return constants.bytes();
    }

    /** In what the plan's products multiply f32 factors. */
    Compute compute() {
        return plan.accelerator().filter(part -> part.precision().equals(Precision.TF32.label())).isPresent() ? Compute.TF32 : Compute.AS_STORED;
    }

    KernelModule module() {
        return module.orElseThrow(() -> new IllegalStateException("the plan " + plan.model() + " needs none of our kernels"));
    }

    ConstantArea constants() {
        return constants;
    }

    /** The library's plan of that name. */
    String libraryPlan(String name) {
        return libraryPlans.get(name);
    }

    /**
     * Opens a session: its memory on the device, its calls. Of the options the number of threads does not matter.
     *
     * @throws IllegalArgumentException if the options name a memory, which is not the device's
     * @throws IllegalStateException if this is closed
     * @throws InvalidInput if the device has too little memory
     */
    public synchronized CudaSession open(SessionOptions options) {
        if (closed) {
            throw new IllegalStateException("the executable of " + plan.model() + " is closed");
        }
        if (options.memory().isPresent()) {
            throw new IllegalArgumentException("a session of " + plan.model() + " on a GPU takes memory of the device; open it without a memory");
        }
        CudaSession session = CudaSession.open(this, options);
        sessions.add(session);
        return session;
    }

    synchronized void forget(CudaSession session) {
        sessions.remove(session);
    }

    /** Closes all sessions and frees everything. After a failure of the device what it held is gone with its context. */
    @Override
    public synchronized void close() {
        if (!closed) {
            Set.copyOf(sessions).forEach(CudaSession::close);
            closed = true;
            resources.close();
        }
    }
}
