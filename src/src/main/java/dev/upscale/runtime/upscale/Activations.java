package dev.upscale.runtime.upscale;

import static dev.upscale.bindings.upscale.upscale_cpu_h.*;

import dev.upscale.bindings.upscale.up_act;
import dev.upscale.graph.Function;
import java.lang.foreign.MemorySegment;

/** The graph's functions in the library's words; it has each of them, with the same parameters. */
final class Activations {
    private Activations() {}

    static void write(MemorySegment act, Function function) {
        up_act.function(act, code(function.kind()));
        up_act.a(act, function.a());
        up_act.b(act, function.b());
    }

    private static int code(Function.Kind kind) {
        return switch (kind) {
            case NONE -> UP_NONE();
            case RELU -> UP_RELU();
            case CLIP -> UP_CLAMP();
            case SIGMOID -> UP_SIGMOID();
            case SILU -> UP_SILU();
            case HARD_SIGMOID -> UP_HARD_SIGMOID();
            case HARD_SWISH -> UP_HARD_SWISH();
            case LEAKY_RELU -> UP_LEAKY_RELU();
            case TANH -> UP_TANH();
            case GELU -> UP_GELU();
            case GELU_TANH -> UP_GELU_TANH();
            case ELU -> UP_ELU();
            case SELU -> UP_SELU();
            case MISH -> UP_MISH();
            case SOFTPLUS -> UP_SOFTPLUS();
            case ERF -> UP_ERF();
            case EXP -> UP_EXP();
            case LOG -> UP_LOG();
            case SQRT -> UP_SQRT();
            case ABS -> UP_ABS();
            case NEG -> UP_NEG();
            case RECIPROCAL -> UP_RECIPROCAL();
            case FLOOR -> UP_FLOOR();
            case CEIL -> UP_CEIL();
            case ROUND -> UP_ROUND();
            case SIGN -> UP_SIGN();
        };
    }
}
