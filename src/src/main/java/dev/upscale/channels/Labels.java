package dev.upscale.channels;

import java.util.Arrays;

/** Channel labels under union: channels that operations tie together (the two operands of an addition) share one. */
final class Labels {
    private int[] parent = new int[1024];
    private int count;

    /** {@code size} new labels, none of them tied to another. */
    int[] fresh(int size) {
        int[] labels = new int[size];
        if (count + size > parent.length) {
            parent = Arrays.copyOf(parent, Math.max(2 * parent.length, count + size));
        }
        for (int k = 0; k < size; k++) {
            parent[count] = count;
            labels[k] = count++;
        }
        return labels;
    }

    int find(int label) {
        while (parent[label] != label) {
            parent[label] = parent[parent[label]];
            label = parent[label];
        }
        return label;
    }

    /** Ties channel k of one list to channel k of the other; the smaller label stands for both. */
    void tie(int[] one, int[] other) {
        for (int k = 0; k < one.length; k++) {
            int a = find(one[k]);
            int b = find(other[k]);
            parent[Math.max(a, b)] = Math.min(a, b);
        }
    }

    int count() {
        return count;
    }
}
