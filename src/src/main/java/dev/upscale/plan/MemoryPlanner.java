package dev.upscale.plan;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * Lays buffers with known lifetimes into one arena (dynamic storage allocation, which is NP-hard). Buffers are placed one
 * after the other, each into a gap between those already placed that live at the same time; what matters is the order. A
 * handful of orders is tried, each with the lowest and with the tightest gap; if none reaches the lower bound, the best is
 * improved by letting buffers at the top of the arena go earlier. The result depends on the list of buffers alone.
 */
public final class MemoryPlanner {

    /** Offsets, and the size of the arena, are multiples of this many bytes: a cache line, a vector register of AVX-512. */
    public static final int ALIGNMENT = 64;

    /** About so many comparisons of two buffers are spent on improvement: a tenth of a second. */
    private static final long IMPROVEMENT_EFFORT = 60_000_000;

    private static final int FEWEST_IMPROVEMENTS = 20;
    private static final int MOST_IMPROVEMENTS = 20_000;

    /**
     * Memory that is needed from the start of step {@code from} to the end of step {@code to}.
     *
     * @param name unique
     * @param bytes not negative; what a kernel may touch beyond its tensor is included by the caller
     * @param to not before {@code from}
     */
    public record Buffer(String name, long bytes, int from, int to) {
        public Buffer {
            if (bytes < 0 || from > to) {
                throw new IllegalArgumentException(name + ": " + bytes + " bytes, steps " + from + " to " + to);
            }
        }

        boolean livesWith(Buffer other) {
            return from <= other.to && other.from <= to;
        }

        long size() {
            return Math.multiplyExact(Math.ceilDiv(bytes, ALIGNMENT), ALIGNMENT);
        }

        long duration() {
            return (long) to - from + 1;
        }
    }

    /** A placement: the offset of each buffer, by its position in the list, and the end of the highest. */
    private record Layout(int[] order, boolean tightest, long[] offsets, long top) {}

    private final Buffer[] buffers;
    private final long[] sizes;

    private MemoryPlanner(List<Buffer> buffers) {
        this.buffers = buffers.toArray(new Buffer[0]);
        this.sizes = buffers.stream().mapToLong(Buffer::size).toArray();
    }

    /**
     * Places all buffers such that no two that live at once overlap.
     *
     * @throws IllegalArgumentException if two buffers have the same name
     */
    public static MemoryPlan plan(List<Buffer> buffers) {
        Set<String> names = new HashSet<>();
        for (Buffer buffer : buffers) {
            if (!names.add(buffer.name())) {
                throw new IllegalArgumentException("two buffers " + buffer.name());
            }
        }
        long bound = lowerBound(buffers);
        Layout layout = new MemoryPlanner(buffers).layout(bound);
        Map<String, Long> offsets = new LinkedHashMap<>();
        for (int i = 0; i < buffers.size(); i++) {
            offsets.put(buffers.get(i).name(), layout.offsets()[i]);
        }
        long unshared = buffers.stream().mapToLong(Buffer::size).reduce(0, Math::addExact);
        return new MemoryPlan(offsets, layout.top(), bound, unshared);
    }

    /** The largest sum of the sizes of the buffers that live during one step. */
    private static long lowerBound(List<Buffer> buffers) {
        TreeMap<Long, Long> changes = new TreeMap<>();
        for (Buffer buffer : buffers) {
            changes.merge((long) buffer.from(), buffer.size(), Math::addExact);
            changes.merge(buffer.to() + 1L, -buffer.size(), Math::addExact);
        }
        long live = 0;
        long most = 0;
        for (long change : changes.values()) {
            live = Math.addExact(live, change);
            most = Math.max(most, live);
        }
        return most;
    }

    private Layout layout(long bound) {
        Layout best = null;
        for (int[] order : orders()) {
            for (boolean tightest : new boolean[] {false, true}) {
                Layout layout = place(order, tightest, best == null ? Long.MAX_VALUE : best.top() - 1);
                best = layout == null ? best : layout;
                if (best.top() == bound) {
                    return best;
                }
            }
        }
        return improve(best, bound);
    }

    /** Orders that tend to be good: the large, the long-lived and those of crowded steps first; and as they come. */
    private List<int[]> orders() {
        Comparator<Integer> bySize = Comparator.comparingLong(i -> -sizes[i]);
        Comparator<Integer> byDuration = Comparator.comparingLong(i -> -buffers[i].duration());
        Comparator<Integer> byArea = Comparator.comparingDouble(i -> -(double) sizes[i] * buffers[i].duration());
        Comparator<Integer> byStart = Comparator.comparingInt(i -> buffers[i].from());
        Comparator<Integer> byEnd = Comparator.comparingInt(i -> -buffers[i].to());
        long[] crowds = crowds();
        Comparator<Integer> byCrowd = Comparator.comparingLong(i -> -crowds[i]);
        List<int[]> orders = new ArrayList<>();
        for (Comparator<Integer> comparator : List.of(
                bySize.thenComparing(byDuration), byDuration.thenComparing(bySize), byArea.thenComparing(bySize),
                byCrowd.thenComparing(bySize), byStart.thenComparing(bySize), byEnd.thenComparing(bySize))) {
            orders.add(sorted(comparator));
        }
        return orders;
    }

    private int[] sorted(Comparator<Integer> comparator) {
        Integer[] order = new Integer[buffers.length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, comparator);
        return Arrays.stream(order).mapToInt(Integer::intValue).toArray();
    }

    /** For each buffer the most bytes that are live during one of its steps; the peak begins where some buffer begins. */
    private long[] crowds() {
        Map<Integer, Long> live = new HashMap<>();
        long[] crowds = new long[buffers.length];
        for (Buffer start : buffers) {
            live.computeIfAbsent(start.from(), step -> {
                long sum = 0;
                for (int i = 0; i < buffers.length; i++) {
                    sum += buffers[i].from() <= step && step <= buffers[i].to() ? sizes[i] : 0;
                }
                return sum;
            });
        }
        for (int i = 0; i < buffers.length; i++) {
            Buffer buffer = buffers[i];
            for (Map.Entry<Integer, Long> entry : live.entrySet()) {
                if (buffer.from() <= entry.getKey() && entry.getKey() <= buffer.to()) {
                    crowds[i] = Math.max(crowds[i], entry.getValue());
                }
            }
        }
        return crowds;
    }

    /**
     * Places the buffers in the given order, each into the lowest or the tightest gap that is wide enough.
     *
     * @return null if that takes more than {@code limit} bytes
     */
    private Layout place(int[] order, boolean tightest, long limit) {
        long[] offsets = new long[order.length];
        int[] placed = new int[order.length]; // by ascending offset
        long top = 0;
        for (int count = 0; count < order.length; count++) {
            int next = order[count];
            offsets[next] = gap(next, offsets, placed, count, tightest);
            top = Math.max(top, offsets[next] + sizes[next]);
            if (top > limit) {
                return null;
            }
            int at = count;
            while (at > 0 && offsets[placed[at - 1]] > offsets[next]) {
                placed[at] = placed[at - 1];
                at--;
            }
            placed[at] = next;
        }
        return new Layout(order, tightest, offsets, top);
    }

    private long gap(int next, long[] offsets, int[] placed, int count, boolean tightest) {
        long free = 0;
        long best = -1;
        long bestWidth = Long.MAX_VALUE;
        for (int k = 0; k < count; k++) {
            int other = placed[k];
            if (!buffers[other].livesWith(buffers[next])) {
                continue;
            }
            long width = offsets[other] - free;
            if (width >= sizes[next] && width < bestWidth) {
                if (!tightest) {
                    return free;
                }
                best = free;
                bestWidth = width;
            }
            free = Math.max(free, offsets[other] + sizes[other]);
        }
        return best >= 0 ? best : free;
    }

    /**
     * Lets a buffer at the top of the arena go before one that lives at the same time and was placed earlier, keeps what is
     * no worse, and starts anew from the best when that has led nowhere for a while.
     */
    private Layout improve(Layout best, long bound) {
        int n = buffers.length;
        long tries = Math.clamp(IMPROVEMENT_EFFORT / Math.max(1, (long) n * n), FEWEST_IMPROVEMENTS, MOST_IMPROVEMENTS);
        SplittableRandom random = new SplittableRandom(n);
        Layout current = best;
        int stale = 0;
        for (long k = 0; k < tries && best.top() > bound; k++) {
            int[] order = promote(current, random);
            Layout layout = place(order, current.tightest(), current.top() + (stale > 2 * n ? bound / 50 : 0));
            stale = layout == null || layout.top() >= best.top() ? stale + 1 : 0;
            if (layout != null) {
                current = layout;
            }
            if (current.top() < best.top()) {
                best = current;
            } else if (stale > 4 * n) {
                current = best;
                stale = 0;
            }
        }
        return best;
    }

    private int[] promote(Layout layout, SplittableRandom random) {
        int[] order = layout.order().clone();
        int at = order.length - 1;
        while (layout.offsets()[order[at]] + sizes[order[at]] != layout.top()) {
            at--;
        }
        // A buffer below, down the stack of those that live together, may be what holds the highest up.
        int rival = rivalBefore(order, at, random);
        if (rival >= 0 && random.nextInt(3) == 0) {
            int below = rivalBefore(order, rival, random);
            if (below >= 0) {
                at = rival;
                rival = below;
            }
        }
        int to = rival >= 0 ? rival : random.nextInt(at + 1);
        int moved = order[at];
        System.arraycopy(order, to, order, to + 1, at - to);
        order[to] = moved;
        return order;
    }

    /** The position of a buffer before {@code at} that lives together with the one there; -1 if there is none. */
    private int rivalBefore(int[] order, int at, SplittableRandom random) {
        int[] rivals = new int[at];
        int count = 0;
        for (int k = 0; k < at; k++) {
            if (buffers[order[k]].livesWith(buffers[order[at]])) {
                rivals[count++] = k;
            }
        }
        return count == 0 ? -1 : rivals[random.nextInt(count)];
    }
}
