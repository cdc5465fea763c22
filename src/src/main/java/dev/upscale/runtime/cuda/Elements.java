package dev.upscale.runtime.cuda;

import dev.upscale.plan.Element;
import dev.upscale.plan.Operand;
import dev.upscale.plan.View;
import java.util.List;
import java.util.Locale;

/** Types of elements as our kernels are named by them. */
final class Elements {
    private static final int VECTOR_BYTES = 16;

    private Elements() {}

    /** The type that a step computes from; constants among its sources are brought into it. */
    static Element of(List<Operand> sources, View destination) {
        List<Element> known = sources.stream().map(Operand::view).filter(view -> view.place().kind() != View.Place.Kind.CONSTANT)
                .map(View::element).distinct().toList();
        Unsuited.unless(known.size() <= 1, "sources of different types");
        return known.isEmpty() ? destination.element() : known.getFirst();
    }

    /** How many elements of a destination one thread of a vectorised kernel writes. */
    static int vector(View destination) {
        return VECTOR_BYTES / destination.element().bytes();
    }

    /** The name of a kernel that reads one type and writes another. */
    static String kernel(String stem, Element source, View destination) {
        Unsuited.unless(source == destination.element() || source == Element.F32 || destination.element() == Element.F32,
                "reads " + source + " and writes " + destination.element());
        return (stem + "_" + source + "_" + destination.element()).toLowerCase(Locale.ROOT);
    }
}
