package dev.upscale.graph;

/**
 * Input that cannot be used: a damaged file, an operator that is not supported, a pattern that names a missing
 * tensor. The message is one line that names the file, the node and the cure; the command line prints it and
 * exits with code 2.
 */
public final class InvalidInput extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public InvalidInput(String message) {
        super(oneLine(message));
    }

    public InvalidInput(String message, Throwable cause) {
        super(oneLine(message), cause);
    }

    /** The same complaint, told with where it was found, for example a file's name. */
    public InvalidInput in(String where) {
        return new InvalidInput(where + ": " + getMessage(), this);
    }

    private static String oneLine(String message) {
        return message.replaceAll("\\s*\\R\\s*", " ").strip();
    }
}
