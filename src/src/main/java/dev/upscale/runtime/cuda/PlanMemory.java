package dev.upscale.runtime.cuda;

import dev.upscale.plan.Element;
import dev.upscale.plan.Plan;
import dev.upscale.plan.View;
import dev.upscale.plan.View.Place;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Where a plan's memories lie: the arena, the inputs and the outputs one after the other in one piece of device memory; constants in
 * their own.
 */
final class PlanMemory implements DeviceAddresses {
    private static final long ALIGNMENT = 256;
    /** What vector kernels may read beyond the last tensor. */
    private static final long PADDING = 256;

    private final ConstantArea constants;
    private final Map<Place, Long> offsets = new LinkedHashMap<>();
    private final long bytes;
    private long base;

    PlanMemory(Plan plan, ConstantArea constants) {
        this.constants = constants;
        long end = 0;
        offsets.put(Place.ARENA, end);
        end = after(end, plan.arenaBytes());
        for (Plan.Port port : plan.inputs()) {
            offsets.put(new Place(Place.Kind.INPUT, port.name()), end);
            end = after(end, port.bytes());
        }
        for (Plan.Port port : plan.outputs()) {
            offsets.put(new Place(Place.Kind.OUTPUT, port.name()), end);
            end = after(end, port.bytes());
        }
        bytes = end + PADDING;
    }

    private static long after(long offset, long size) {
        return Math.ceilDiv(offset + size, ALIGNMENT) * ALIGNMENT;
    }

    /** What is to be allocated. */
    long bytes() {
        return bytes;
    }

    /** Says where it was allocated. */
    void lieAt(long address) {
        base = address;
    }

    long of(Place place) {
        return base + offsets.get(place);
    }

    @Override
    public long of(View view, Element element) {
        return view.place().kind() == Place.Kind.CONSTANT ? constants.of(view, element) : of(view.place()) + view.offset();
    }

    @Override
    public long constant(String name, Element element) {
        return constants.constant(name, element);
    }

    long filter(String name, Element element) {
        return constants.filter(name, element);
    }

    @Override
    public long index(String name) {
        return constants.index(name);
    }

    @Override
    public int entries(String index) {
        return constants.entries(index);
    }

    @Override
    public long table(int[] values) {
        return constants.table(values);
    }

    @Override
    public long table(float[] values) {
        return constants.table(values);
    }
}
