package dev.upscale.runtime.cuda;

import java.util.Arrays;

/**
 * One launch of one of our kernels.
 *
 * @param kernel its name in the module
 * @param arguments its argument structure, byte for byte
 * @param grid blocks in x, y and z
 * @param block threads in x and y
 */
record Launch(String kernel, byte[] arguments, int[] grid, int[] block) {
    static final int THREADS = 256;
    private static final int MOST_YZ = 65535;

    Launch {
        Unsuited.unless(Arrays.stream(grid).allMatch(size -> size > 0), "an empty tensor");
        Unsuited.unless(grid[1] <= MOST_YZ && grid[2] <= MOST_YZ, "more than " + MOST_YZ + " rows of blocks");
    }

    /** One thread for each of so many. */
    static Launch linear(String kernel, ArgumentBlock arguments, long threads, long bytes) {
        return new Launch(kernel, arguments.bytes(bytes), new int[] {blocks(threads, THREADS), 1, 1}, new int[] {THREADS, 1});
    }

    static int blocks(long count, int per) {
        return Math.toIntExact(Math.ceilDiv(count, per));
    }
}
