package dev.upscale.order;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Channels collapsed to classes: channels that are in exactly the same sets can always stand together, so a solver orders
 * classes and expands them at the end. Classes are numbered by their first channel; channels in no set are a class too.
 */
final class ChannelClasses {

    private final int[] classOf;
    private final int[][] channels;

    private ChannelClasses(int[] classOf, int count) {
        this.classOf = classOf;
        int[] sizes = new int[count];
        for (int k : classOf) {
            sizes[k]++;
        }
        channels = new int[count][];
        for (int k = 0; k < count; k++) {
            channels[k] = new int[sizes[k]];
        }
        Arrays.fill(sizes, 0);
        for (int c = 0; c < classOf.length; c++) {
            channels[classOf[c]][sizes[classOf[c]]++] = c;
        }
    }

    /** Splits the channels by every set in turn: linear in the sizes of the sets. */
    static ChannelClasses of(int n, List<int[]> sets) {
        int[] classOf = new int[n];
        int count = n == 0 ? 0 : 1;
        int[] sizes = new int[n + 1];
        int[] inside = new int[n + 1];
        int[] splitTo = new int[n + 1];
        sizes[0] = n;
        for (int[] set : sets) {
            for (int c : set) {
                inside[classOf[c]]++;
                splitTo[classOf[c]] = -1;
            }
            for (int c : set) {
                int k = classOf[c];
                if (splitTo[k] < 0) {
                    splitTo[k] = inside[k] == sizes[k] ? k : count++;
                }
            }
            for (int c : set) {
                int k = classOf[c];
                int to = splitTo[k];
                if (to != k) {
                    sizes[k]--;
                    inside[k]--;
                    sizes[to]++;
                    classOf[c] = to;
                }
            }
            for (int c : set) {
                inside[classOf[c]] = 0;
            }
        }
        return new ChannelClasses(renumbered(classOf, count), count);
    }

    private static int[] renumbered(int[] classOf, int count) {
        int[] number = new int[count];
        Arrays.fill(number, -1);
        int next = 0;
        int[] renumbered = new int[classOf.length];
        for (int c = 0; c < classOf.length; c++) {
            int k = classOf[c];
            if (number[k] < 0) {
                number[k] = next++;
            }
            renumbered[c] = number[k];
        }
        return renumbered;
    }

    int count() {
        return channels.length;
    }

    /** The channels of a class, ascending. */
    int[] channels(int k) {
        return channels[k];
    }

    /** The classes that a set consists of, ascending; the set must be one that the classes were made from. */
    int[] classesOf(int[] set) {
        boolean[] seen = new boolean[channels.length];
        int count = 0;
        for (int c : set) {
            if (!seen[classOf[c]]) {
                seen[classOf[c]] = true;
                count++;
            }
        }
        int[] classes = new int[count];
        for (int k = 0, at = 0; k < seen.length; k++) {
            if (seen[k]) {
                classes[at++] = k;
            }
        }
        return classes;
    }

    List<int[]> classesOf(List<int[]> sets) {
        List<int[]> classes = new ArrayList<>(sets.size());
        for (int[] set : sets) {
            classes.add(classesOf(set));
        }
        return classes;
    }

    /** An order of the channels from an order of the classes. */
    int[] expand(int[] classOrder) {
        int[] order = new int[classOf.length];
        int at = 0;
        for (int k : classOrder) {
            for (int c : channels[k]) {
                order[at++] = c;
            }
        }
        return order;
    }
}
