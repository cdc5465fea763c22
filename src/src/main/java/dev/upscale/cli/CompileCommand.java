package dev.upscale.cli;

import dev.upscale.Upscale;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.KernelCosts;
import dev.upscale.compile.Segments;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanFile;
import dev.upscale.runtime.cpu.CpuCatalog;
import dev.upscale.runtime.cuda.CudaCatalog;
import dev.upscale.runtime.cuda.DeviceDescription;
import dev.upscale.runtime.cudnn.CuDnn;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "compile", description = "Compiles a network and a pattern to a plan, a file that anyone's runtime can read.")
final class CompileCommand extends Console {
    private static final String GPU = "cuda:";

    @Mixin
    private ModelArguments model;

    @Mixin
    private EngineArguments engines;

    @Option(names = "--variant", paramLabel = "V", defaultValue = "upscale", description = "unpruned, constrained, baseline, paper or upscale (default)")
    private String variant;

    @Option(names = "--target", paramLabel = "T", defaultValue = "cpu", description = "cpu (default), or cuda:DEVICE: h100, a100, l4, rtx4090, b200,"
            + " or a file that doctor --describe-device wrote; the device need not be here, cuDNN must (see doctor)")
    private String target;

    @Option(names = "--segments", paramLabel = "S", defaultValue = "together", description = "where segments of concats lie on a GPU: together (default), apart"
            + " (in tensors of their own where that spares copies or engines compiled for a step), weighed (likewise, where partial sums count as copies)")
    private String segments;

    @Option(names = "--cuda", paramLabel = "DIR", description = "where to look first for CUDA's libraries, as doctor --cuda")
    private Path cuda;

    @Option(names = {"-o", "--output"}, paramLabel = "PLAN", required = true, description = "where to write the plan")
    private Path output;

    @Override
    public Integer call() {
        if (!target.equals("cpu") && !target.startsWith(GPU)) {
            throw new InvalidInput("--target " + target + " is not one of cpu, cuda:DEVICE");
        }
        if (cuda != null) {
            System.setProperty("upscale.cuda", cuda.toString());
        }
        Variant chosen = EngineArguments.variant(variant);
        progress("compile %s ...", model.name());
        long begun = System.nanoTime();
        // libraries load while the model is read
        Thread.ofVirtual().start(target.equals("cpu") ? CpuCatalog::ofMachine : CuDnn::obstacle);
        Graph graph = model.read();
        long read = System.nanoTime();
        Graph network = Networks.of(chosen, graph, model.pattern(graph));
        Optional<CompileOptions> options = target.equals("cpu") ? Optional.of(engines.options(chosen)) : Optional.empty();
        Plan plan = options.isPresent()
                ? Upscale.compile(network, options.get())
                : compileForGpu(network, chosen);
        long compiled = System.nanoTime();
        PlanFile.write(plan, output);
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("plan", output.toString());
        fields.putAll(PlanFields.explained(plan));
        fields.put("compileMs", (compiled - begun) / 1e6);
        fields.put("readMs", (read - begun) / 1e6);
        options.flatMap(CompileOptions::costs).map(KernelCosts::origins).ifPresent(origins -> {
            fields.put("costsMeasured", origins.measured());
            fields.put("costsEstimated", origins.estimated());
        });
        print(fields, String.format(Locale.ROOT, "%s: %d steps%s, %s weights, %s arena, %s copies (%s), hidden copies %s, compiled in %.0f ms%n", output,
                plan.steps().size(), plan.microBatches() > 1 ? " for each of " + plan.microBatches() + " micro-batches" : "",
                Table.bytes(plan.weightsBytes()), Table.bytes(plan.arenaBytes()), fields.get("copies"),
                Table.bytes((long) fields.get("copyBytes")), Table.bytes((long) fields.get("hiddenCopyBytes")), fields.get("compileMs")));
        return 0;
    }

    private Plan compileForGpu(Graph network, Variant chosen) {
        DeviceDescription description = DeviceDescription.of(target.substring(GPU.length()));
        CompileOptions options = CudaCatalog.options(chosen, description, engines.precisionOfGpu())
                .withEngines(engines.enginesOfGpu().orElse(CompileOptions.GPU_ENGINES)).withSegments(segments(segments));
        return Upscale.compileForGpu(network, description, options);
    }

    private static Segments segments(String name) {
        return Stream.of(Segments.values()).filter(known -> known.label().equals(name)).findFirst()
                .orElseThrow(() -> new InvalidInput("--segments " + name + " is not one of together, apart, weighed"));
    }
}
