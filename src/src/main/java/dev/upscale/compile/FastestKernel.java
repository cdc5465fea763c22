package dev.upscale.compile;

import dev.upscale.plan.Step;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Chooses among the kernels that offer to run a convolution the one that takes the least time. Offers take libraries time and so does
 * measuring: no kernel is asked that cannot win against one that offered, and none is measured where costs known or estimated decide.
 */
final class FastestKernel {

    /** A kernel and what it offered. */
    record Found(String kernel, KernelCatalog.Offer offer) {}

    /** What is known of a kernel's cost: that it lies between two, nanoseconds, or at both. */
    private record Candidate(String kernel, double least, double most, Optional<KernelCatalog.Offer> offer) {
        boolean isExact() {
            return least == most;
        }
    }

    private final KernelCatalog catalog;
    private final KernelCosts costs;

    FastestKernel(KernelCatalog catalog, KernelCosts costs) {
        this.catalog = catalog;
        this.costs = costs;
    }

    /** The fastest, of equals the first; empty if none offers. */
    Optional<Found> of(List<String> kernels, Step.Convolve step) {
        List<Candidate> offered = offered(kernels, step);
        while (offered.size() > 1) {
            double enough = offered.stream().mapToDouble(Candidate::most).min().orElseThrow();
            offered.removeIf(candidate -> candidate.least > enough);
            Optional<Candidate> unsure = offered.stream().filter(candidate -> !candidate.isExact()).findFirst();
            if (offered.size() > 1 && unsure.isEmpty()) {
                offered.removeIf(candidate -> candidate != offered.getFirst());
            } else if (offered.size() > 1) {
                offered.remove(unsure.get());
                offered.add(exact(unsure.get(), step));
                offered.sort(Comparator.comparingDouble(Candidate::least));
            }
        }
        return offered.stream().findFirst().map(candidate -> new Found(candidate.kernel, candidate.offer.orElseThrow()));
    }

    /** Those that offer and may be the fastest, by what they take at least. */
    private List<Candidate> offered(List<String> kernels, Step.Convolve step) {
        List<Candidate> ascending = new ArrayList<>(kernels.stream().map(kernel -> candidate(kernel, step)).toList());
        ascending.sort(Comparator.comparingDouble(Candidate::least));
        List<Candidate> offered = new ArrayList<>();
        double enough = Double.POSITIVE_INFINITY;
        for (Candidate candidate : ascending) {
            if (candidate.least >= enough) {
                break;
            }
            if (catalog.offer(candidate.kernel, step) instanceof KernelCatalog.Offer offer) {
                offered.add(new Candidate(candidate.kernel, candidate.least, candidate.most, Optional.of(offer)));
                enough = Math.min(enough, candidate.most);
            }
        }
        return offered;
    }

    private Candidate candidate(String kernel, Step.Convolve step) {
        double handover = handover(kernel);
        OptionalDouble known = costs.known(kernel, step);
        if (known.isPresent()) {
            return new Candidate(kernel, handover + known.getAsDouble(), handover + known.getAsDouble(), Optional.empty());
        }
        return costs.estimate(kernel, step)
                .map(range -> new Candidate(kernel, handover + range.least(), handover + range.most(), Optional.empty()))
                .orElseGet(() -> new Candidate(kernel, handover, Double.POSITIVE_INFINITY, Optional.empty()));
    }

    private Candidate exact(Candidate unsure, Step.Convolve step) {
        double cost = handover(unsure.kernel) + costs.nanos(unsure.kernel, step);
        return new Candidate(unsure.kernel, cost, cost, unsure.offer);
    }

    private double handover(String kernel) {
        return kernel.startsWith("upscale.") ? 0 : costs.handover();
    }
}
