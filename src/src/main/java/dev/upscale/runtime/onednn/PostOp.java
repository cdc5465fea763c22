package dev.upscale.runtime.onednn;

import static dev.upscale.bindings.onednn.dnnl_h.*;

import dev.upscale.graph.Function;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;

/** What a primitive does to its result before it writes it, in order. */
public sealed interface PostOp {
    /** Adds what the destination held before ({@code sum}). */
    record Sum() implements PostOp {}

    /** Applies a function ({@code eltwise}); {@link #covers} tells which there are. */
    record Eltwise(Function function) implements PostOp {}

    /**
     * Combines with a second tensor, whose dimensions of 1 are broadcast ({@code binary}); the execution's operand
     * {@code POST_OP + place in the list} says where it lies.
     */
    record Binary(BinaryOp op, MemoryDescriptor operand) implements PostOp {}

    /** What a binary post-op computes of the result and the operand. */
    enum BinaryOp { ADD, SUB, MUL, DIV, MIN, MAX }

    /** Whether oneDNN has the function as an eltwise post-op with the same meaning. */
    static boolean covers(Function function) {
        return eltwise(function).isPresent();
    }

    /** Attributes: these post-ops, and a scratchpad that the user owns. Lives as long as {@code call}. */
    static MemorySegment attributes(Arena call, String subject, List<PostOp> postOps) {
        MemorySegment attributes = OneDnn.create(call, "dnnl_primitive_attr_create", subject, out -> dnnl_primitive_attr_create(out),
                pointer -> dnnl_primitive_attr_destroy(pointer));
        OneDnn.check(dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user()),
                "dnnl_primitive_attr_set_scratchpad_mode", subject);
        MemorySegment chain = OneDnn.create(call, "dnnl_post_ops_create", subject, out -> dnnl_post_ops_create(out),
                pointer -> dnnl_post_ops_destroy(pointer));
        postOps.forEach(postOp -> append(chain, subject, postOp));
        OneDnn.check(dnnl_primitive_attr_set_post_ops(attributes, chain), "dnnl_primitive_attr_set_post_ops", subject);
        return attributes;
    }

    private static void append(MemorySegment chain, String subject, PostOp postOp) {
        switch (postOp) {
            case Sum() -> OneDnn.check(dnnl_post_ops_append_sum(chain, 1, 0, dnnl_f32()), "dnnl_post_ops_append_sum", subject);
            case Eltwise(Function function) -> {
                Algorithm algorithm = eltwise(function)
                        .orElseThrow(() -> new IllegalArgumentException(subject + ": oneDNN has no post-op for " + function.kind()));
                OneDnn.check(dnnl_post_ops_append_eltwise(chain, algorithm.kind(), algorithm.alpha(), algorithm.beta()),
                        "dnnl_post_ops_append_eltwise", subject);
            }
            case Binary(BinaryOp op, MemoryDescriptor operand) -> OneDnn.check(
                    dnnl_post_ops_append_binary(chain, code(op), operand.handle()), "dnnl_post_ops_append_binary", subject);
        }
    }

    /** An eltwise algorithm with its parameters. */
    record Algorithm(int kind, float alpha, float beta) {}

    private static Optional<Algorithm> eltwise(Function function) {
        float a = function.a();
        float b = function.b();
        return Optional.ofNullable(switch (function.kind()) {
            case RELU -> new Algorithm(dnnl_eltwise_relu(), 0, 0);
            case LEAKY_RELU -> new Algorithm(dnnl_eltwise_relu(), a, 0);
            case CLIP -> new Algorithm(dnnl_eltwise_clip(), a, b);
            case SIGMOID -> new Algorithm(dnnl_eltwise_logistic(), 0, 0);
            case SILU -> new Algorithm(dnnl_eltwise_swish(), 1, 0);
            case HARD_SIGMOID -> new Algorithm(dnnl_eltwise_hardsigmoid(), a, b);
            case HARD_SWISH -> new Algorithm(dnnl_eltwise_hardswish(), 1f / 6, 0.5f);
            case TANH -> new Algorithm(dnnl_eltwise_tanh(), 0, 0);
            case ELU -> new Algorithm(dnnl_eltwise_elu(), a, 0);
            case GELU -> new Algorithm(dnnl_eltwise_gelu_erf(), 0, 0);
            case GELU_TANH -> new Algorithm(dnnl_eltwise_gelu_tanh(), 0, 0);
            case MISH -> new Algorithm(dnnl_eltwise_mish(), 0, 0);
            case NONE, SELU, SOFTPLUS, ERF, EXP, LOG, SQRT, ABS, NEG, RECIPROCAL, FLOOR, CEIL, ROUND, SIGN -> null;
        });
    }

    /** oneDNN's number for it. */
    static int code(BinaryOp op) {
        return switch (op) {
            case ADD -> dnnl_binary_add();
            case SUB -> dnnl_binary_sub();
            case MUL -> dnnl_binary_mul();
            case DIV -> dnnl_binary_div();
            case MIN -> dnnl_binary_min();
            case MAX -> dnnl_binary_max();
        };
    }
}
