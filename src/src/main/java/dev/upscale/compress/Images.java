package dev.upscale.compress;

/** Inputs of a network, without labels. Safe for use by any number of threads. */
public interface Images {

    /** How many there are. */
    int count();

    /**
     * Writes the elements of some of them, as the network takes them, row-major.
     *
     * @param into room for {@code count} images
     */
    void fill(int first, int count, float[] into);

    /** The first {@code most} of them. */
    default Images limit(int most) {
        Images all = this;
        return most >= count() ? this : new Images() {
            @Override
            public int count() {
                return most;
            }

            @Override
            public void fill(int first, int count, float[] into) {
                all.fill(first, count, into);
            }
        };
    }
}
