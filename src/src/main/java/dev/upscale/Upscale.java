package dev.upscale;

import dev.upscale.channels.Masking;
import dev.upscale.channels.Pattern;
import dev.upscale.channels.PatternFile;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.Compiler;
import dev.upscale.compile.Precision;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.onnx.ImportOptions;
import dev.upscale.onnx.OnnxImporter;
import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanFile;
import dev.upscale.runtime.Executable;
import dev.upscale.runtime.cpu.CpuCatalog;
import dev.upscale.runtime.cuda.CudaCatalog;
import dev.upscale.runtime.cuda.DeviceDescription;
import java.nio.file.Path;

/**
 * From an ONNX file and a pruning pattern to a running network. Every method may be called from any thread. Input that
 * cannot be used is refused with {@link dev.upscale.graph.InvalidInput}, whose message is one line that names the file, the
 * node and the cure.
 */
public final class Upscale {
    private Upscale() {}

    /** The network in an ONNX file (gzipped or not), for batch 1 where the model leaves the batch open. */
    public static Graph read(Path model) {
        return OnnxImporter.read(model, ImportOptions.defaults());
    }

    /** The network in an ONNX file, for the given batch size and input shapes. */
    public static Graph read(Path model, ImportOptions options) {
        return OnnxImporter.read(model, options);
    }

    /** The masked model: the network with the weights that the pattern does not retain set to zero. */
    public static Graph prune(Graph network, Pattern pattern) {
        return Masking.apply(network, pattern);
    }

    /** The masked model for a pattern in a JSON file. */
    public static Graph prune(Graph network, Path pattern) {
        return Masking.apply(network, PatternFile.read(pattern.toString()));
    }

    /**
     * Compiles a network for this machine's CPU, without copies where that can be. Channels whose weights are all zero are
     * pruned.
     */
    public static Plan compile(Graph masked) {
        return compile(masked, CompileOptions.of(Variant.UPSCALE));
    }

    /** Compiles a network for this machine's CPU, with other options. */
    public static Plan compile(Graph masked, CompileOptions options) {
        return Compiler.compile(masked, options, CpuCatalog.ofMachine());
    }

    /**
     * Compiles a network for a GPU, whether it is in this machine or not; cuDNN builds the plans of its convolutions, and must be here.
     *
     * @param device {@code h100}, {@code a100}, {@code l4}, {@code rtx4090}, {@code b200}, or a file ending with {@code .json} that
     *     {@code doctor --describe-device} wrote
     * @param precision in what convolutions multiply; {@code F16} and {@code BF16} are the tensors' type too
     */
    public static Plan compileForGpu(Graph masked, String device, Variant variant, Precision precision) {
        return compileForGpu(masked, DeviceDescription.of(device), variant, precision);
    }

    /** The same for a device that is described, such as the one in this machine. */
    public static Plan compileForGpu(Graph masked, DeviceDescription description, Variant variant, Precision precision) {
        try (CudaCatalog catalog = CudaCatalog.of(description, precision, variant)) {
            return Compiler.compile(masked, CudaCatalog.options(variant, description, precision), catalog);
        }
    }

    /** The same with other options, which begin as {@link CudaCatalog#options} makes them. */
    public static Plan compileForGpu(Graph masked, DeviceDescription description, CompileOptions options) {
        try (CudaCatalog catalog = CudaCatalog.of(description, options.precision(), options.variant())) {
            return Compiler.compile(masked, options, catalog);
        }
    }

    /** Writes a plan; the file is there whole or not at all. */
    public static void save(Plan plan, Path file) {
        PlanFile.write(plan, file);
    }

    /** Reads a plan and checks all of it; its weights are mapped, not read into memory. */
    public static Plan load(Path file) {
        return PlanFile.read(file);
    }

    /**
     * Prepares a plan to run here: packs its weights for the kernels it names. Sessions of the result share them. To be
     * closed.
     */
    public static Executable prepare(Plan plan) {
        return Executable.prepare(plan);
    }
}
