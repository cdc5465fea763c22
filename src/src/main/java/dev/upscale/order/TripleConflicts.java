package dev.upscale.order;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * Which three sets cannot be contiguous together, all triples at once: it depends only on which of the seven regions of
 * their Venn diagram are empty. Generic sets leave none empty, and then no three of them are compatible; this table tells
 * so without a reduction, and gives the bounds of {@link FamilySearch}. Blocks are sets that are always kept.
 */
final class TripleConflicts {

    /** By the set of regions that are not empty; bit {@code r - 1} for the region in the sets of the bits of {@code r}. */
    private static final boolean[] CONFLICT = new boolean[1 << 7];

    static {
        for (int regions = 0; regions < CONFLICT.length; regions++) {
            int count = Integer.bitCount(regions);
            PqTree tree = PqTree.of(count + 1);
            for (int set = 0; set < 3 && tree != null; set++) {
                int[] leaves = new int[count];
                int size = 0;
                int leaf = 0;
                for (int r = 1; r < 8; r++) {
                    if ((regions >> (r - 1) & 1) != 0) {
                        if ((r >> set & 1) != 0) {
                            leaves[size++] = leaf;
                        }
                        leaf++;
                    }
                }
                tree = tree.reduce(Arrays.copyOf(leaves, size));
            }
            CONFLICT[regions] = tree == null;
        }
    }

    /** The table takes the cube of this, in bits. */
    private static final int MOST_ITEMS = 600;

    private final int sets;
    private final int words;
    /** {@code table[a][b]}: the sets that conflict with items a and b; items are the sets, then the blocks. */
    private final long[][][] table;
    private final long[][] none;

    private TripleConflicts(int sets, int items) {
        this.sets = sets;
        this.words = (sets + 63) / 64;
        this.table = new long[items][][];
        this.none = new long[1][words];
    }

    /** All triples with at least one set; over {@code budget}, those found until it was spent; none of very many items. */
    static TripleConflicts of(Family family, Budget budget) {
        List<int[]> all = new ArrayList<>(family.sets());
        all.addAll(family.blocks());
        int items = all.size();
        TripleConflicts conflicts = new TripleConflicts(family.size(), items);
        if (items > MOST_ITEMS) {
            return conflicts;
        }
        int leaves = family.base().leafCount();
        long[][] members = new long[items][];
        for (int i = 0; i < items; i++) {
            BitSet set = new BitSet(leaves);
            for (int leaf : all.get(i)) {
                set.set(leaf);
            }
            members[i] = Arrays.copyOf(set.toLongArray(), (leaves + 63) / 64);
        }
        BitSet[] overlapping = overlaps(members);
        for (int a = 0; a < conflicts.sets && !budget.spent(); a++) {
            for (int b = a + 1; b < items; b++) {
                // A triple can only conflict where two of its pairs overlap: c overlaps a or b.
                BitSet near = (BitSet) overlapping[a].clone();
                if (overlapping[a].get(b)) {
                    near.or(overlapping[b]);
                } else {
                    near.and(overlapping[b]);
                }
                for (int c = near.nextSetBit(b + 1); c >= 0; c = near.nextSetBit(c + 1)) {
                    if (CONFLICT[regions(members[a], members[b], members[c])]) {
                        conflicts.add(a, b, c);
                    }
                }
                // Most triples are told apart by their first few words.
                budget.spend(2L * near.cardinality() * Math.min(4, members[a].length));
            }
        }
        return conflicts;
    }

    /** The pairs that overlap: neither disjoint nor one within the other. */
    static BitSet[] overlaps(long[][] members) {
        BitSet[] overlapping = new BitSet[members.length];
        Arrays.setAll(overlapping, i -> new BitSet(members.length));
        for (int a = 0; a < members.length; a++) {
            for (int b = a + 1; b < members.length; b++) {
                boolean both = false;
                boolean onlyA = false;
                boolean onlyB = false;
                for (int w = 0; w < members[a].length; w++) {
                    both |= (members[a][w] & members[b][w]) != 0;
                    onlyA |= (members[a][w] & ~members[b][w]) != 0;
                    onlyB |= (members[b][w] & ~members[a][w]) != 0;
                }
                if (both && onlyA && onlyB) {
                    overlapping[a].set(b);
                    overlapping[b].set(a);
                }
            }
        }
        return overlapping;
    }

    /** The sets that cannot be contiguous together with items {@code a} and {@code b}, as bits; not to be changed. */
    long[] with(int a, int b) {
        return table[a] == null || table[a][b] == null ? none[0] : table[a][b];
    }

    /** Number of sets and blocks. */
    int items() {
        return table.length;
    }

    private static int regions(long[] a, long[] b, long[] c) {
        int regions = 0;
        for (int w = 0; w < a.length && regions != 127; w++) {
            long x = a[w];
            long y = b[w];
            long z = c[w];
            regions |= (x & ~y & ~z) != 0 ? 1 : 0;
            regions |= (~x & y & ~z) != 0 ? 1 << 1 : 0;
            regions |= (x & y & ~z) != 0 ? 1 << 2 : 0;
            regions |= (~x & ~y & z) != 0 ? 1 << 3 : 0;
            regions |= (x & ~y & z) != 0 ? 1 << 4 : 0;
            regions |= (~x & y & z) != 0 ? 1 << 5 : 0;
            regions |= (x & y & z) != 0 ? 1 << 6 : 0;
        }
        return regions;
    }

    private void add(int a, int b, int c) {
        mark(a, b, c);
        mark(b, a, c);
        mark(a, c, b);
        mark(c, a, b);
        mark(b, c, a);
        mark(c, b, a);
    }

    private void mark(int a, int b, int set) {
        if (set >= sets) {
            return;
        }
        if (table[a] == null) {
            table[a] = new long[table.length][];
        }
        if (table[a][b] == null) {
            table[a][b] = new long[words];
        }
        table[a][b][set >> 6] |= 1L << set;
    }
}
