package dev.upscale.compile;

import dev.upscale.plan.View;
import java.util.ArrayList;
import java.util.List;

/**
 * Neighbouring channels that an index chooses one after the other: what works channel by channel does them in one call, without a copy.
 *
 * @param at the first of them, as a position in the index
 * @param first the first of them, as a channel of the source
 * @param span how many they are
 */
record ChannelRun(int at, int first, int span) {

    /** The longest runs, in the order of the index. */
    static List<ChannelRun> of(int[] index) {
        List<ChannelRun> runs = new ArrayList<>();
        int begin = 0;
        for (int k = 1; k <= index.length; k++) {
            if (k == index.length || index[k] != index[k - 1] + 1) {
                runs.add(new ChannelRun(begin, index[begin], k - begin));
                begin = k;
            }
        }
        return runs;
    }

    View source(View whole) {
        return whole.slice(1, first, span);
    }

    View destination(View chosen) {
        return chosen.slice(1, at, span);
    }
}
