package dev.upscale.order;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds minimal families of sets and blocks that cannot be contiguous together. A family is built by insertion: the set
 * at which the sets before it first fail belongs to the conflict; it goes to the front, and the rest is tried again, until
 * what is at the front fails by itself. What results is minimal by deletion.
 */
final class ConflictFinder {

    private final ChannelClasses classes;
    private final PqTree free;
    private final List<int[]> sets;
    private final List<int[]> blocks;
    private PqTree blockTree;

    ConflictFinder(OrderingProblem problem) {
        List<int[]> all = new ArrayList<>(problem.sets());
        all.addAll(problem.blocks());
        classes = ChannelClasses.of(problem.n(), all);
        free = PqTree.of(classes.count());
        sets = classes.classesOf(problem.sets());
        blocks = classes.classesOf(problem.blocks());
    }

    /** A minimal list of blocks that cannot be contiguous together; empty where all can. */
    List<Integer> conflictingBlocks() {
        List<Integer> conflict = minimal(free, indices(blocks.size()), blocks);
        Collections.sort(conflict);
        return conflict;
    }

    /** The smallest of these conflicts; where there is none, that of the first set that fails beside those before it. */
    Certificate smallest(Collection<Certificate.Conflict> known) {
        if (!known.isEmpty()) {
            return Collections.min(known, Comparator.comparingInt(ConflictFinder::size));
        }
        PqTree tree = blockTree();
        List<Integer> before = new ArrayList<>();
        for (int i = 0; i < sets.size(); i++) {
            tree = tree.reduce(sets.get(i));
            if (tree == null) {
                return obstacle(i, before);
            }
            before.add(i);
        }
        return new Certificate.AllContiguous();
    }

    /** For each set that is not in {@code kept} but conflicts with those that are: why. */
    Map<Integer, Certificate.Conflict> obstacles(BitSet kept) {
        Map<Integer, Certificate.Conflict> obstacles = new LinkedHashMap<>();
        List<Integer> keptList = kept.stream().boxed().toList();
        for (int i = kept.nextClearBit(0); i < sets.size(); i = kept.nextClearBit(i + 1)) {
            Certificate.Conflict conflict = obstacle(i, keptList);
            if (conflict != null) {
                obstacles.put(i, conflict);
            }
        }
        return obstacles;
    }

    /** A minimal conflict of one set with some of {@code others}; {@code null} where there is none. */
    Certificate.Conflict obstacle(int set, List<Integer> others) {
        List<Integer> order = new ArrayList<>(others.size() + 1);
        order.add(set);
        order.addAll(others);
        List<Integer> conflict = minimal(blockTree(), order, sets);
        if (conflict.isEmpty()) {
            return null;
        }
        PqTree background = free;
        for (int i : conflict) {
            background = background == null ? null : background.reduce(sets.get(i));
        }
        List<Integer> inBlocks = background == null ? List.of() : minimal(background, indices(blocks.size()), blocks);
        Collections.sort(conflict);
        return new Certificate.Conflict(conflict, inBlocks.stream().sorted().toList());
    }

    /** The tree of all orders that respect the blocks. */
    PqTree blockTree() {
        if (blockTree == null) {
            PqTree tree = free;
            for (int[] block : blocks) {
                tree = tree.reduce(block);
                if (tree == null) {
                    throw new IllegalArgumentException("blocks " + conflictingBlocks()
                            + " cannot be contiguous together; state blocks that one order can respect");
                }
            }
            blockTree = tree;
        }
        return blockTree;
    }

    /** The classes that the leaves of {@link #blockTree} are. */
    ChannelClasses classes() {
        return classes;
    }

    /** An order that respects the blocks; throws where there is none, naming the blocks that conflict. */
    int[] anyOrder() {
        return classes.expand(blockTree().frontier());
    }

    private static List<Integer> minimal(PqTree background, List<Integer> candidates, List<int[]> from) {
        List<Integer> conflict = new ArrayList<>();
        List<Integer> rest = new ArrayList<>(candidates);
        PqTree front = background;
        while (true) {
            PqTree tree = front;
            int failed = -1;
            for (int at = 0; at < rest.size() && failed < 0; at++) {
                tree = tree.reduce(from.get(rest.get(at)));
                failed = tree == null ? at : -1;
            }
            if (failed < 0) {
                return conflict.isEmpty() ? new ArrayList<>() : conflict;
            }
            int member = rest.get(failed);
            conflict.add(member);
            front = front.reduce(from.get(member));
            if (front == null) {
                return conflict;
            }
            rest = new ArrayList<>(rest.subList(0, failed));
        }
    }

    private static int size(Certificate.Conflict conflict) {
        return conflict.sets().size() + conflict.blocks().size();
    }

    private static List<Integer> indices(int count) {
        List<Integer> indices = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            indices.add(i);
        }
        return indices;
    }
}
