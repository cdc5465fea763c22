package dev.upscale.cli;

import dev.upscale.compile.KernelCosts;
import dev.upscale.plan.Step;
import dev.upscale.runtime.Profile;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Where the time of a plan goes.
 *
 * @param totalNs the sum of all steps' medians
 * @param steps each step in the plan's order
 * @param prediction how well measured costs predict the steps that they know; empty without measured costs
 */
record StepTimes(long totalNs, List<Timed> steps, Optional<Prediction> prediction) {

    /**
     * One step.
     *
     * @param gflops 0 for a step that is no convolution or matrix product
     * @param predictedNs what the cost table says of it, 0 if nothing
     */
    record Timed(String name, String kernel, String shape, long ns, double gflops, double predictedNs) {

        double ratio() {
            return ns / predictedNs;
        }
    }

    /** A step's time over its prediction: the median and the quartiles, the least and the greatest, and that of the sums. */
    record Prediction(int steps, double median, double p25, double p75, double least, double greatest, double ofTotals) {}

    /** @param costs for as many threads as the profile's steps ran on */
    static StepTimes of(Profile profile, Optional<KernelCosts> costs) {
        List<Timed> steps = new ArrayList<>();
        for (int i = 0; i < profile.steps().size(); i++) {
            Step step = profile.steps().get(i);
            long ns = profile.medianNs(i);
            double gflops = step instanceof Step.Convolve convolve ? 2.0 * convolve.multiplyAdds() / ns : 0;
            double predicted = step instanceof Step.Convolve convolve && costs.isPresent()
                    ? costs.get().nanos(step.kernel(), convolve) : 0;
            steps.add(new Timed(step.name(), step.kernel(),
                    step.sources().getFirst().view().dims() + " to " + step.destination().dims(), ns, gflops, predicted));
        }
        return new StepTimes(profile.totalNs(), steps, prediction(steps));
    }

    private static Optional<Prediction> prediction(List<Timed> steps) {
        List<Timed> predicted = steps.stream()
                .filter(step -> step.predictedNs > 0 && step.predictedNs < Double.POSITIVE_INFINITY)
                .sorted(Comparator.comparingDouble(Timed::ratio)).toList();
        if (predicted.isEmpty()) {
            return Optional.empty();
        }
        double[] ratios = predicted.stream().mapToDouble(Timed::ratio).toArray();
        Timing spread = Timing.of(ratios.clone());
        return Optional.of(new Prediction(ratios.length, spread.medianNs(), spread.p25Ns(), spread.p75Ns(), ratios[0],
                ratios[ratios.length - 1],
                predicted.stream().mapToLong(Timed::ns).sum() / predicted.stream().mapToDouble(Timed::predictedNs).sum()));
    }

    /** Kernels by their share, and the slowest steps. */
    String describe(int slowest) {
        Map<String, List<Timed>> byKernel = new TreeMap<>();
        steps.forEach(step -> byKernel.computeIfAbsent(step.kernel, kernel -> new ArrayList<>()).add(step));
        Table kernels = new Table("kernel", "steps", "time", "share");
        byKernel.entrySet().stream()
                .sorted(Comparator.comparingLong(entry -> -time(entry.getValue())))
                .forEach(entry -> kernels.row(entry.getKey(), entry.getValue().size(), Table.time(time(entry.getValue())),
                        String.format(Locale.ROOT, "%.1f %%", 100.0 * time(entry.getValue()) / totalNs)));
        Table slow = new Table("step", "kernel", "shapes", "time", "GFLOP/s");
        steps.stream().sorted(Comparator.comparingLong(step -> -step.ns)).limit(slowest).forEach(step ->
                slow.row(step.name, step.kernel, step.shape, Table.time(step.ns),
                        step.gflops > 0 ? String.format(Locale.ROOT, "%.1f", step.gflops) : ""));
        String text = kernels + "\n" + slow;
        return prediction.map(found -> text + String.format(Locale.ROOT,
                "%ntime over prediction of %d steps: median %.2f, quartiles %.2f to %.2f, from %.2f to %.2f; of their sums %.2f%n", found.steps,
                found.median, found.p25, found.p75, found.least, found.greatest, found.ofTotals)).orElse(text);
    }

    private static long time(List<Timed> steps) {
        return steps.stream().mapToLong(Timed::ns).sum();
    }
}
