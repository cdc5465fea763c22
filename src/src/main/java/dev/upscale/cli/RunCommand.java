package dev.upscale.cli;

import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanFile;
import dev.upscale.runtime.SessionOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "run", description = "Runs a plan on npy files.")
final class RunCommand extends Console {
    private static final int MOST_THREADS = 256;
    private static final int PROFILED_RUNS = 20;

    @Parameters(paramLabel = "PLAN", description = "a plan that compile made")
    private Path file;

    @Option(names = "--input", paramLabel = "X.npy", required = true, arity = "1..*", description = "values of the inputs, in the model's order")
    private List<Path> inputs;

    @Option(names = "--output", paramLabel = "Y.npy", required = true, arity = "1..*", description = "where to write the outputs, in the model's order")
    private List<Path> outputs;

    @Mixin
    private TraceArguments traces;

    @Option(names = "--threads", paramLabel = "T", defaultValue = "1", description = "threads of a run (default: 1)")
    private int threads;

    /** What was written, and how long it took to load and check the plan, to pack its weights, and to run it once. */
    record Report(String plan, double loadMs, double prepareMs, double ms, List<Written> outputs) {}

    record Written(String name, List<Integer> dims, String file) {}

    @Override
    public Integer call() {
        if (threads < 1 || threads > MOST_THREADS) {
            throw new InvalidInput("--threads " + threads + " is not a number from 1 to " + MOST_THREADS);
        }
        long begun = System.nanoTime();
        Plan plan = PlanFile.read(file);
        long loaded = System.nanoTime();
        if (outputs.size() > plan.outputs().size()) {
            throw new InvalidInput(outputs.size() + " files for the " + plan.outputs().size() + " outputs of " + file);
        }
        Map<String, Tensor> values = values(plan);
        List<Written> written = new ArrayList<>();
        long opening = System.nanoTime();
        long opened;
        long ran;
        try (Runner runner = Runner.open(plan, SessionOptions.threads(threads), values)) {
            opened = System.nanoTime();
            runner.run();
            ran = System.nanoTime();
            List<float[]> results = runner.outputs();
            for (int i = 0; i < outputs.size(); i++) {
                Plan.Port port = plan.outputs().get(i);
                NpyFile.write(outputs.get(i), Tensor.of(TensorType.f32(port.dims()), results.get(i)));
                written.add(new Written(port.name(), port.dims(), outputs.get(i).toString()));
            }
        }
        if (traces.isAskedFor()) {
            traces.write(watch -> Map.of(plan.variant(), Runner.profile(plan, SessionOptions.threads(threads), values, PROFILED_RUNS, watch)));
        }
        StringBuilder text = new StringBuilder();
        written.forEach(output -> text.append(output.name).append(' ').append(output.dims).append(" to ").append(output.file).append('\n'));
        print(new Report(file.toString(), (loaded - begun) / 1e6, (opened - opening) / 1e6, (ran - opened) / 1e6, written),
                text.toString());
        return 0;
    }

    private Map<String, Tensor> values(Plan plan) {
        if (inputs.size() != plan.inputs().size()) {
            throw new InvalidInput(inputs.size() + " files for the " + plan.inputs().size() + " inputs of " + file + ": "
                    + String.join(", ", plan.inputs().stream().map(Plan.Port::name).toList()));
        }
        Map<String, Tensor> values = new LinkedHashMap<>();
        for (int i = 0; i < inputs.size(); i++) {
            Plan.Port port = plan.inputs().get(i);
            Tensor tensor = NpyFile.read(inputs.get(i));
            if (!tensor.type().dims().equals(port.dims())) {
                throw new InvalidInput(inputs.get(i) + " has shape " + tensor.type().dims() + ", and input " + port.name() + " of " + file
                        + " has shape " + port.dims());
            }
            values.put(port.name(), tensor);
        }
        return values;
    }
}
