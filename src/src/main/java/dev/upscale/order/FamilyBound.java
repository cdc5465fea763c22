package dev.upscale.order;

import java.util.ArrayList;
import java.util.List;

/**
 * No family that keeps the sets already kept and takes others from the open ones can be worth more than this. The open
 * sets are put into groups, most valuable first: of a group whose sets conflict in pairs (beside the kept ones) at most one
 * can be taken, of a group in which all triples conflict at most two.
 */
final class FamilyBound {

    private final TripleConflicts conflicts;
    private final double[] values;
    private final int[] byValue;
    private final int words;

    FamilyBound(Family family, TripleConflicts conflicts) {
        this.conflicts = conflicts;
        this.values = family.values();
        this.words = (family.size() + 63) / 64;
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < values.length; i++) {
            order.add(i);
        }
        order.sort((a, b) -> Double.compare(values[b], values[a]));
        byValue = order.stream().mapToInt(Integer::intValue).toArray();
    }

    /** What the open sets can add to the kept ones at most. */
    double of(long[] kept, long[] open) {
        List<Group> groups = new ArrayList<>();
        double bound = 0;
        for (int s : byValue) {
            if (!has(open, s)) {
                continue;
            }
            long[] pairs = besideKept(s, kept);
            if (joins(groups, s, pairs)) {
                continue;
            }
            bound += values[s];
            pairUp(groups, s, open);
        }
        return bound;
    }

    /** What {@link #of} does, in the unit of {@link Budget}. */
    long effort(long[] open) {
        long count = 0;
        for (long word : open) {
            count += Long.bitCount(word);
        }
        return count * count * words / 8;
    }

    /** The sets that conflict with {@code s} and one that is kept, or a block. */
    private long[] besideKept(int s, long[] kept) {
        long[] pairs = new long[words];
        for (int w = 0; w < words; w++) {
            for (long left = kept[w]; left != 0; left &= left - 1) {
                or(pairs, conflicts.with(s, 64 * w + Long.numberOfTrailingZeros(left)));
            }
        }
        for (int block = values.length; block < conflicts.items(); block++) {
            or(pairs, conflicts.with(s, block));
        }
        return pairs;
    }

    private boolean joins(List<Group> groups, int s, long[] pairs) {
        for (Group group : groups) {
            if (group.atMostOne && within(group.members, pairs)) {
                group.add(s);
                return true;
            }
        }
        for (Group group : groups) {
            if (group.count >= 2 && !group.atMostOne && allTriplesConflict(group, s)) {
                group.add(s);
                return true;
            }
        }
        return false;
    }

    /** Opens a group with {@code s}: beside the lone set with which most others conflict, or alone. */
    private void pairUp(List<Group> groups, int s, long[] open) {
        Group partner = null;
        int most = 0;
        for (Group group : groups) {
            if (group.count == 1) {
                int common = countBoth(conflicts.with(group.first, s), open);
                if (common > most) {
                    most = common;
                    partner = group;
                }
            }
        }
        if (partner == null) {
            groups.add(new Group(s, words));
        } else {
            partner.add(s);
            partner.atMostOne = false;
        }
    }

    private boolean allTriplesConflict(Group group, int s) {
        for (int w = 0; w < words; w++) {
            for (long left = group.members[w]; left != 0; left &= left - 1) {
                int a = 64 * w + Long.numberOfTrailingZeros(left);
                long[] with = conflicts.with(a, s);
                for (int v = 0; v < words; v++) {
                    long others = v == w ? group.members[v] & ~(1L << a) : group.members[v];
                    if ((others & ~with[v]) != 0) {
                        return false;
                    }
                }
            }
        }
        return true;
    }

    private static boolean within(long[] inner, long[] outer) {
        for (int w = 0; w < inner.length; w++) {
            if ((inner[w] & ~outer[w]) != 0) {
                return false;
            }
        }
        return true;
    }

    private static int countBoth(long[] a, long[] b) {
        int count = 0;
        for (int w = 0; w < a.length; w++) {
            count += Long.bitCount(a[w] & b[w]);
        }
        return count;
    }

    private static void or(long[] into, long[] bits) {
        for (int w = 0; w < into.length; w++) {
            into[w] |= bits[w];
        }
    }

    private static boolean has(long[] bits, int i) {
        return (bits[i >> 6] >> i & 1) != 0;
    }

    private static final class Group {
        final int first;
        final long[] members;
        int count = 1;
        boolean atMostOne = true;

        Group(int first, int words) {
            this.first = first;
            members = new long[words];
            members[first >> 6] |= 1L << first;
        }

        void add(int s) {
            members[s >> 6] |= 1L << s;
            count++;
        }
    }
}
