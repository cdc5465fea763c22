package dev.upscale.runtime.cuda;

import dev.upscale.compile.Precision;
import dev.upscale.runtime.cudnn.Candidate;
import dev.upscale.runtime.cudnn.Candidate.Note;
import dev.upscale.runtime.cudnn.Device;
import dev.upscale.runtime.cudnn.OperationGraph;
import dev.upscale.runtime.cudnn.PlanSearch;
import dev.upscale.runtime.cudnn.TensorDescription;
import dev.upscale.runtime.natives.NativeError;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;

/**
 * Which of cuDNN's plans carries a convolution out: the first in the order of its heuristics that the precision allows, or the first of
 * these that copies no tensor into its workspace. Each graph is searched once. Thread-safe.
 */
final class PlanChoice {
    /** Engines that cuDNN compiles take it about a second each; the first ones do, or none. */
    private static final int MOST_COMPILED = 4;

    private final Device device;
    private final Precision precision;
    private final boolean avoidsCopies;
    private final PlanCache cache;
    private final Map<OperationGraph, Choice> known = new ConcurrentHashMap<>();

    /** @param avoidsCopies whether a plan that needs no hidden copy is preferred to the one that the heuristics rank first */
    PlanChoice(Device device, Precision precision, boolean avoidsCopies, PlanCache cache) {
        this.device = device;
        this.precision = precision;
        this.avoidsCopies = avoidsCopies;
        this.cache = cache;
    }

    /** What came of a search. */
    sealed interface Choice {
        record Taken(Candidate plan) implements Choice {}

        record Refused(String reason) implements Choice {}
    }

    Choice of(OperationGraph graph) {
        Choice choice = known.get(graph);
        if (choice == null) {
            choice = cache.get(graph, precision, avoidsCopies).orElseGet(() -> {
                Choice searched = search(graph);
                cache.put(graph, precision, avoidsCopies, searched);
                return searched;
            });
            known.put(graph, choice);
        }
        return choice;
    }

    private Choice search(OperationGraph graph) {
        int[] compiled = {0};
        Candidate[] first = {null};
        PlanSearch.Found found;
        try {
            found = PlanSearch.search(graph, device, this::isOutOfTheQuestion, plan -> {
                if (plan.notes().contains(Note.RUNTIME_COMPILATION) && ++compiled[0] >= MOST_COMPILED) {
                    return true;
                }
                if (!allows(plan)) {
                    return false;
                }
                if (first[0] == null) {
                    first[0] = plan;
                }
                return !avoidsCopies || isAsGood(plan, first[0]) && !copies(plan, graph);
            });
        } catch (NativeError e) {
            return new Choice.Refused("cuDNN says " + e.status());
        }
        List<Candidate> allowed = found.plans().stream().filter(this::allows).toList();
        if (allowed.isEmpty()) {
            return new Choice.Refused(found.plans().isEmpty() && !found.ended() ? "cuDNN has no engine for it" + words(found) : "all its engines round f32 factors");
        }
        return new Choice.Taken(avoidsCopies
                ? allowed.stream().filter(plan -> isAsGood(plan, allowed.getFirst()) && !copies(plan, graph)).findFirst().orElse(allowed.getFirst())
                : allowed.getFirst());
    }

    private static String words(PlanSearch.Found found) {
        return found.refusals().isEmpty() ? "" : ": " + found.refusals().stream().distinct().limit(2).collect(Collectors.joining("; "));
    }

    /** From the first engine on that is compiled for the graph and rounds factors where they must not be rounded, none is of use. */
    private boolean isOutOfTheQuestion(Set<Note> notes) {
        return precision == Precision.F32 && notes.contains(Note.RUNTIME_COMPILATION) && Note.roundFactors(notes);
    }

    private boolean allows(Candidate plan) {
        return precision != Precision.F32 || !plan.roundsFactors();
    }

    /** An engine without tensor cores is no replacement for one with them. */
    private static boolean isAsGood(Candidate plan, Candidate first) {
        return plan.notes().contains(Note.TENSOR_CORE) || !first.notes().contains(Note.TENSOR_CORE);
    }

    /** Whether the smallest of the images fits into the workspace: then the library moves it. */
    private static boolean copies(Candidate plan, OperationGraph graph) {
        return plan.workspaceBytes() >= graph.tensors().stream()
                .filter(tensor -> tensor.id() != ConvolutionGraph.W && tensor.id() != ConvolutionGraph.BIAS)
                .mapToLong(TensorDescription::bytes).min().orElse(Long.MAX_VALUE);
    }
}
