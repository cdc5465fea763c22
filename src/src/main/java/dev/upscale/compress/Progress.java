package dev.upscale.compress;

/** Is told how far long work has come. Called from one thread at a time. */
@FunctionalInterface
public interface Progress {
    /** Tells nobody. */
    Progress NONE = (done, total, what) -> { };

    /**
     * Some of the work is done.
     *
     * @param what what is being worked on, for people
     */
    void at(int done, int total, String what);
}
