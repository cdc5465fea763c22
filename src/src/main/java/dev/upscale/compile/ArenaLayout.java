package dev.upscale.compile;

import dev.upscale.plan.MemoryPlan;
import dev.upscale.plan.MemoryPlanner;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The arena: every storage gets an offset, and the steps' views are told it.
 *
 * @param steps the steps, whose views in the arena no longer name storages
 */
record ArenaLayout(List<Step> steps, long bytes, long lowerBoundBytes) {

    static ArenaLayout of(Collection<Storage> storages, List<Step> steps) {
        List<MemoryPlanner.Buffer> buffers = new ArrayList<>();
        for (Storage storage : storages) {
            if (storage.last() >= 0) {
                buffers.add(new MemoryPlanner.Buffer(storage.name(), storage.bytes(), storage.first(), storage.last()));
            }
        }
        MemoryPlan plan = MemoryPlanner.plan(buffers);
        Map<String, Long> offsets = new HashMap<>();
        buffers.forEach(buffer -> offsets.put(buffer.name(), plan.offset(buffer.name())));
        return new ArenaLayout(
                steps.stream().map(step -> placed(step, offsets)).toList(), plan.arenaBytes(), plan.lowerBoundBytes());
    }

    private static Step placed(Step step, Map<String, Long> offsets) {
        return switch (step) {
            case Step.Convolve s -> new Step.Convolve(s.name(), s.kernel(), s.conv(), placed(s.source(), offsets),
                    s.weights(), s.bias(), s.addend().map(addend -> placed(addend, offsets)), s.activation(),
                    placed(s.destination(), offsets), s.workspace().map(view -> placed(view, offsets)), s.multiplyAdds(),
                    s.libraryPlan(), s.choices());
            case Step.Compute s -> new Step.Compute(s.name(), s.kernel(), s.op(),
                    s.sources().stream().map(source -> placed(source, offsets)).toList(), s.activation(),
                    placed(s.destination(), offsets), s.workspace().map(view -> placed(view, offsets)));
            case Step.Copy s -> new Step.Copy(s.name(), s.kernel(), s.kind(), placed(s.source(), offsets),
                    placed(s.destination(), offsets), s.reason(), s.choices());
        };
    }

    private static Operand placed(Operand operand, Map<String, Long> offsets) {
        return new Operand(placed(operand.view(), offsets), operand.index());
    }

    private static View placed(View view, Map<String, Long> offsets) {
        return view.place().kind() == View.Place.Kind.ARENA
                ? new View(View.Place.ARENA, view.offset() + offsets.get(view.place().name()), view.dims(), view.strides(), view.halves())
                : view;
    }
}
