package dev.upscale.runtime.cudnn;

import static dev.upscale.bindings.cudnn.cudnn_h.*;

import dev.upscale.runtime.cudnn.Candidate.Note;
import dev.upscale.runtime.natives.NativeError;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Asks cuDNN's heuristics for engine configurations and builds execution plans of them, best first. Stateless; safe for use by any
 * number of threads.
 */
public final class PlanSearch {
    private static final int MOST_NOTES = 16;

    private PlanSearch() {}

    /**
     * What came of a search.
     *
     * @param plans that were built, by rank
     * @param configurations that the heuristics offered
     * @param refusals why configurations could not be finalized, in the library's words
     * @param ended the search by what the library says of an engine, before a plan of it was built
     */
    public record Found(List<Candidate> plans, int configurations, List<String> refusals, boolean ended) {
        public Found {
            plans = List.copyOf(plans);
            refusals = List.copyOf(refusals);
        }
    }

    /**
     * Builds plans for a graph until one is found that will do.
     *
     * @param ends ends the search before a plan is built, which takes a second where the library compiles it; it is shown what the library says of
     *     each engine, best first
     * @param enough ends the search; it is shown each plan
     * @throws NativeError if cuDNN does not take the graph at all
     */
    public static Found search(OperationGraph graph, Device device, Predicate<Set<Note>> ends, Predicate<Candidate> enough) {
        List<Candidate> plans = new ArrayList<>();
        List<String> refusals = new ArrayList<>();
        int rank = 0;
        try (Descriptor operations = graph.make()) {
            for (int mode : new int[] {CUDNN_HEUR_MODE_A(), CUDNN_HEUR_MODE_FALLBACK()}) {
                List<Descriptor> configurations;
                try {
                    configurations = configurations(operations, device, mode);
                } catch (NativeError e) {
                    refusals.add(e.status());
                    continue;
                }
                try {
                    for (Descriptor configuration : configurations) {
                        try (Descriptor engine = Descriptor.empty(CUDNN_BACKEND_ENGINE_DESCRIPTOR(), "engine")) {
                            configuration.getInto(CUDNN_ATTR_ENGINECFG_ENGINE(), List.of(engine));
                            Set<Note> notes = notes(engine);
                            if (ends.test(notes)) {
                                return new Found(plans, rank, refusals, true);
                            }
                            Candidate plan = build(configuration, engine, notes, device, rank++);
                            plans.add(plan);
                            if (enough.test(plan)) {
                                return new Found(plans, rank, refusals, false);
                            }
                        } catch (NativeError e) {
                            refusals.add(e.status());
                        }
                    }
                } finally {
                    configurations.forEach(Descriptor::close);
                }
            }
        }
        return new Found(plans, rank, refusals, false);
    }

    private static List<Descriptor> configurations(Descriptor operations, Device device, int mode) {
        try (Descriptor heuristics = Descriptor.make(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR(), "heuristics", made -> made
                .setDescriptors(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH(), List.of(operations))
                .setType(CUDNN_ATTR_ENGINEHEUR_MODE(), CUDNN_TYPE_HEUR_MODE(), mode)
                .setDescriptors(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP(), List.of(device.descriptor())))) {
            int count = (int) heuristics.count(CUDNN_ATTR_ENGINEHEUR_RESULTS(), CUDNN_TYPE_BACKEND_DESCRIPTOR());
            List<Descriptor> configurations = new ArrayList<>();
            try {
                for (int i = 0; i < count; i++) {
                    configurations.add(Descriptor.empty(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR(), "engine configuration " + i));
                }
                int filled = count == 0 ? 0 : (int) heuristics.getInto(CUDNN_ATTR_ENGINEHEUR_RESULTS(), configurations);
                configurations.subList(filled, count).forEach(Descriptor::close);
                return configurations.subList(0, filled);
            } catch (RuntimeException e) {
                configurations.forEach(Descriptor::close);
                throw e;
            }
        }
    }

    private static Candidate build(Descriptor configuration, Descriptor engine, Set<Note> notes, Device device, int rank) {
        try (Descriptor plan = Descriptor.make(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR(), "execution plan", made -> made
                        .setDescriptors(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG(), List.of(configuration))
                        .setDescriptors(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP(), List.of(device.descriptor())))) {
            return new Candidate(rank, engine.getLong(CUDNN_ATTR_ENGINE_GLOBAL_INDEX()),
                    plan.getLong(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE()), notes,
                    plan.getText(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION()));
        }
    }

    private static Set<Note> notes(Descriptor engine) {
        Map<Integer, Note> numerical = Map.of(CUDNN_NUMERICAL_NOTE_TENSOR_CORE(), Note.TENSOR_CORE,
                CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS(), Note.DOWN_CONVERT_INPUTS,
                CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION(), Note.REDUCED_PRECISION_REDUCTION, CUDNN_NUMERICAL_NOTE_FFT(), Note.FFT,
                CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC(), Note.NONDETERMINISTIC, CUDNN_NUMERICAL_NOTE_WINOGRAD(), Note.WINOGRAD,
                CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP(), Note.STRICT_NAN);
        Map<Integer, Note> behaviour = Map.of(CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION(), Note.RUNTIME_COMPILATION,
                CUDNN_BEHAVIOR_NOTE_SUPPORTS_CUDA_GRAPH_NATIVE_API(), Note.CUDA_GRAPH_NATIVE);
        Set<Note> notes = EnumSet.noneOf(Note.class);
        engine.getTypes(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE(), CUDNN_TYPE_NUMERICAL_NOTE(), MOST_NOTES)
                .forEach(code -> { if (numerical.containsKey(code)) { notes.add(numerical.get(code)); } });
        engine.getTypes(CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE(), CUDNN_TYPE_BEHAVIOR_NOTE(), MOST_NOTES)
                .forEach(code -> { if (behaviour.containsKey(code)) { notes.add(behaviour.get(code)); } });
        return notes;
    }
}
