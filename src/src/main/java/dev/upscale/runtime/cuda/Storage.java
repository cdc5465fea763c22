package dev.upscale.runtime.cuda;

import dev.upscale.plan.Operand;
import dev.upscale.plan.View;
import java.util.List;
import java.util.Locale;

/** How elements lie in device memory. Sums are f32 in any case. */
enum Storage {
    F32(4),
    F16(2),
    BF16(2);

    private final int bytes;

    Storage(int bytes) {
        this.bytes = bytes;
    }

    /** The size of one element, in bytes. */
    int bytes() {
        return bytes;
    }

    /** Elements in 16 bytes, which is what one thread of a vectorised kernel writes. */
    int vector() {
        return 16 / bytes;
    }

    static Storage of(View view) {
        return F32;
    }

    /** The storage of what is computed among a step's sources; constants are brought into it. */
    static Storage of(List<Operand> sources, View destination) {
        List<Storage> known = sources.stream().map(Operand::view).filter(view -> view.place().kind() != View.Place.Kind.CONSTANT)
                .map(Storage::of).distinct().toList();
        Unsuited.unless(known.size() <= 1, "sources of different types");
        return known.isEmpty() ? of(destination) : known.getFirst();
    }

    /** The name of a kernel for sources of this storage and a destination. */
    String kernel(String stem, View destination) {
        return (stem + "_" + this + "_" + of(destination)).toLowerCase(Locale.ROOT);
    }
}
