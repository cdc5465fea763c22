package dev.upscale.runtime.cudnn;

import java.util.Set;

/**
 * An execution plan that cuDNN built for an operation graph on a device.
 *
 * @param rank its place in the order of the library's heuristics, from 0
 * @param engine the engine's number
 * @param workspaceBytes memory that it needs while it runs
 * @param notes what the library says about it
 * @param json the plan itself, to be loaded where the device is
 */
public record Candidate(int rank, long engine, long workspaceBytes, Set<Note> notes, String json) {

    /** What cuDNN says about an engine's arithmetic and behaviour. */
    public enum Note {
        TENSOR_CORE, DOWN_CONVERT_INPUTS, REDUCED_PRECISION_REDUCTION, FFT, NONDETERMINISTIC, WINOGRAD, STRICT_NAN,
        /** Compiled when the plan is loaded. */
        RUNTIME_COMPILATION,
        /** Can be put into a CUDA graph without capturing a stream. */
        CUDA_GRAPH_NATIVE;

        /** Whether an engine with these notes rounds f32 factors on their way into the multiplier (to TF32, or another narrower type). */
        public static boolean roundFactors(Set<Note> notes) {
            return notes.contains(TENSOR_CORE) || notes.contains(DOWN_CONVERT_INPUTS);
        }
    }

    public Candidate {
        notes = Set.copyOf(notes);
    }

    /** Whether f32 factors are rounded ({@link Note#roundFactors}). */
    public boolean roundsFactors() {
        return Note.roundFactors(notes);
    }
}
