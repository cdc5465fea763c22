package dev.upscale.cli;

import dev.upscale.channels.Pattern;
import dev.upscale.channels.PatternFile;
import dev.upscale.compile.RecogniseShuffles;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.prune.Heuristic;
import dev.upscale.prune.Pruner;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "prune", description = "Makes a pruning pattern from the network's weights.")
final class PruneCommand extends Console {
    @Mixin
    private ModelFile model;

    @Option(names = "--heuristic", paramLabel = "H", defaultValue = "l2", description = "how channels are rated: l1 or l2 (default)")
    private String heuristic;

    @Option(names = "--amount", paramLabel = "A", required = true, description = "share of the channels to prune, from 0 to below 1")
    private double amount;

    @Option(names = "--method", paramLabel = "M", defaultValue = "unconstrained", description = "unconstrained (default): each consumer for itself;"
            + " constrained: one mask for each segment")
    private String method;

    @Option(names = {"-o", "--output"}, paramLabel = "PATTERN", required = true, description = "where to write the pattern")
    private Path output;

    @Override
    public Integer call() {
        Heuristic rating = named(Heuristic.class, "--heuristic", heuristic);
        Pruner.Method chosen = named(Pruner.Method.class, "--method", method);
        progress("prune %s ...", model.name());
        Graph graph = model.read();
        Pattern pattern = Pruner.prune(RecogniseShuffles.apply(graph), rating, amount, chosen);
        OutputFile.write(output, file -> PatternFile.write(pattern, file));
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("pattern", output.toString());
        fields.put("consumers", pattern.consumers().size());
        fields.put("retainedChannels", pattern.consumers().values().stream().mapToLong(channels -> channels.length).sum());
        print(fields, String.format(Locale.ROOT, "%s: %s consumers retain %s input channels%n", fields.values().toArray()));
        return 0;
    }

    private static <E extends Enum<E>> E named(Class<E> kind, String option, String name) {
        return Arrays.stream(kind.getEnumConstants())
                .filter(constant -> constant.name().toLowerCase(Locale.ROOT).equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidInput(option + " " + name + " is not one of " + String.join(", ",
                        Arrays.stream(kind.getEnumConstants()).map(constant -> constant.name().toLowerCase(Locale.ROOT)).toList())));
    }
}
