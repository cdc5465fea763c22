package dev.upscale.plan;

import dev.upscale.plan.View.Place;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** Which stretches of the arena and the outputs some step has written to, gaps between the elements of a view included. */
final class WrittenMemory {
    /** For each place, disjoint stretches: first byte to the byte after the last. */
    private final Map<Place, TreeMap<Long, Long>> stretches = new HashMap<>();

    void add(View view) {
        long begin = view.offset();
        long end = begin + view.extentBytes();
        if (begin == end) {
            return;
        }
        TreeMap<Long, Long> known = stretches.computeIfAbsent(view.place(), place -> new TreeMap<>());
        for (Map.Entry<Long, Long> below = known.lowerEntry(end);
                below != null && below.getValue() >= begin;
                below = known.lowerEntry(end)) {
            begin = Math.min(begin, below.getKey());
            end = Math.max(end, below.getValue());
            known.remove(below.getKey());
        }
        known.put(begin, end);
    }

    boolean contains(Place place) {
        return stretches.containsKey(place);
    }

    /** Whether something of the view's memory was written, or is there from the start. */
    boolean mayHold(View view) {
        Place.Kind kind = view.place().kind();
        if (kind == Place.Kind.INPUT || kind == Place.Kind.CONSTANT || view.elements() == 0) {
            return true;
        }
        TreeMap<Long, Long> known = stretches.getOrDefault(view.place(), new TreeMap<>());
        Map.Entry<Long, Long> below = known.lowerEntry(view.offset() + view.extentBytes());
        return below != null && below.getValue() > view.offset();
    }
}
