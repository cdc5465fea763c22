package dev.upscale.plan;

import java.util.Objects;

/**
 * What a step reads: a view, and for kernels that read channels where they lie the name of an index constant: i32
 * positions, channel k of the operand being channel {@code index[k]} of the view. With an index, the operand has as many
 * channels as the index has entries, whatever the view holds.
 *
 * @param index the name of the constant, or "" to read all channels of the view
 */
public record Operand(View view, String index) {

    public Operand {
        Objects.requireNonNull(view);
        Objects.requireNonNull(index);
    }

    public static Operand of(View view) {
        return new Operand(view, "");
    }

    public boolean isIndexed() {
        return !index.isEmpty();
    }

    @Override
    public String toString() {
        return isIndexed() ? view + " by " + index : view.toString();
    }
}
