package dev.upscale.cli;

import dev.upscale.graph.InvalidInput;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** How data become inputs of a network. */
final class DataArguments {
    @Option(names = "--mean", paramLabel = "M,M", split = ",", description = "subtracted from pixel/255, for each channel or all (default: 0)")
    private List<Double> mean = List.of(0.0);

    @Option(names = "--std", paramLabel = "S,S", split = ",", description = "divides what is left, for each channel or all (default: 1)")
    private List<Double> deviation = List.of(1.0);

    DataSet read(List<Path> files, boolean labelled, List<Integer> shape) {
        if (deviation.stream().anyMatch(value -> !(value > 0)) || mean.stream().anyMatch(value -> !Double.isFinite(value))) {
            throw new InvalidInput("--mean " + mean + " --std " + deviation + ": deviations must be above 0");
        }
        return DataSet.read(files, labelled, shape, array(mean), array(deviation));
    }

    private static float[] array(List<Double> values) {
        float[] array = new float[values.size()];
        for (int k = 0; k < array.length; k++) {
            array[k] = values.get(k).floatValue();
        }
        return array;
    }
}
