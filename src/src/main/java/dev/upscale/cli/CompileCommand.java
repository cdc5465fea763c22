package dev.upscale.cli;

import dev.upscale.Upscale;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanFile;
import dev.upscale.runtime.cpu.CpuCatalog;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "compile", description = "Compiles a network and a pattern to a plan, a file that anyone's runtime can read.")
final class CompileCommand extends Console {
    @Mixin
    private ModelArguments model;

    @Mixin
    private EngineArguments engines;

    @Option(names = "--variant", paramLabel = "V", defaultValue = "upscale", description = "unpruned, constrained, baseline, paper or upscale (default)")
    private String variant;

    @Option(names = "--target", paramLabel = "T", defaultValue = "cpu", description = "cpu (default)")
    private String target;

    @Option(names = {"-o", "--output"}, paramLabel = "PLAN", required = true, description = "where to write the plan")
    private Path output;

    @Override
    public Integer call() {
        if (!target.equals("cpu")) {
            throw new InvalidInput("--target " + target + " is not supported in this version; cpu is");
        }
        Variant chosen = EngineArguments.variant(variant);
        progress("compile %s ...", model.name());
        long begun = System.nanoTime();
        Thread.ofVirtual().start(CpuCatalog::ofMachine); // libraries load while the model is read
        Graph graph = model.read();
        long read = System.nanoTime();
        Plan plan = Upscale.compile(Networks.of(chosen, graph, model.pattern(graph)), engines.options(chosen));
        long compiled = System.nanoTime();
        PlanFile.write(plan, output);
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("plan", output.toString());
        fields.putAll(PlanFields.explained(plan));
        fields.put("compileMs", (compiled - begun) / 1e6);
        fields.put("readMs", (read - begun) / 1e6);
        print(fields, String.format(Locale.ROOT, "%s: %d steps, %s weights, %s arena, %s copies (%s), compiled in %.0f ms%n", output,
                plan.steps().size(), Table.bytes(plan.weightsBytes()), Table.bytes(plan.arenaBytes()), fields.get("copies"),
                Table.bytes((long) fields.get("copyBytes")), fields.get("compileMs")));
        return 0;
    }
}
