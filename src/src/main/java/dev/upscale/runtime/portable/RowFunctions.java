package dev.upscale.runtime.portable;

import dev.upscale.graph.Op;
import dev.upscale.runtime.portable.Elementwise.RowFunction;

/** What the elementwise operations compute of their sources' rows. */
final class RowFunctions {
    private RowFunctions() {}

    static RowFunction of(Op.Binary.Kind kind) {
        return switch (kind) {
            case ADD -> (rows, count) -> {
                for (int i = 0; i < count; i++) {
                    rows[0][i] += rows[1][i];
                }
            };
            case SUB -> (rows, count) -> {
                for (int i = 0; i < count; i++) {
                    rows[0][i] -= rows[1][i];
                }
            };
            case MUL -> (rows, count) -> {
                for (int i = 0; i < count; i++) {
                    rows[0][i] *= rows[1][i];
                }
            };
            case DIV -> (rows, count) -> {
                for (int i = 0; i < count; i++) {
                    rows[0][i] /= rows[1][i];
                }
            };
            case POW -> (rows, count) -> {
                for (int i = 0; i < count; i++) {
                    rows[0][i] = (float) Math.pow(rows[0][i], rows[1][i]);
                }
            };
            case MIN -> (rows, count) -> {
                for (int i = 0; i < count; i++) {
                    rows[0][i] = Math.min(rows[0][i], rows[1][i]);
                }
            };
            case MAX -> (rows, count) -> {
                for (int i = 0; i < count; i++) {
                    rows[0][i] = Math.max(rows[0][i], rows[1][i]);
                }
            };
        };
    }

    /** Of source and slope. */
    static RowFunction prelu() {
        return (rows, count) -> {
            for (int i = 0; i < count; i++) {
                float x = rows[0][i];
                rows[0][i] = x < 0 ? rows[1][i] * x : x;
            }
        };
    }

    /** Of source, scale and shift. */
    static RowFunction scaleShift() {
        return (rows, count) -> {
            for (int i = 0; i < count; i++) {
                rows[0][i] = rows[1][i] * rows[0][i] + rows[2][i];
            }
        };
    }

    /** Of source, scale, shift, mean and variance. */
    static RowFunction batchNorm(double epsilon) {
        return (rows, count) -> {
            for (int i = 0; i < count; i++) {
                double scale = rows[1][i] / Math.sqrt(rows[4][i] + epsilon);
                rows[0][i] = (float) (scale * ((double) rows[0][i] - rows[3][i]) + rows[2][i]);
            }
        };
    }
}
