package dev.upscale.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * What all commands share: {@code --json}, the result on standard output, progress on standard error.
 *
 * <p>A command gathers its whole result first and prints it last, so that a failure leaves standard output empty.
 */
@Command(mixinStandardHelpOptions = true, usageHelpAutoWidth = true, sortOptions = false)
abstract class Console implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--json", description = "print one JSON document on standard output")
    private boolean json;

    /** Whether the result is to be one JSON document. */
    final boolean json() {
        return json;
    }

    /** Standard output, for the result. */
    final PrintWriter out() {
        return spec.commandLine().getOut();
    }

    /** Prints the result: the document with {@code --json}, otherwise the text. */
    final void print(Object document, String text) {
        if (json) {
            out().println(Json.write(document));
        } else {
            out().print(text);
        }
        out().flush();
    }

    /** Shows on standard error how far something has come. */
    final ProgressBar bar(String title) {
        return new ProgressBar(spec.commandLine().getErr(), title);
    }

    /** Says on standard error what is being done now. */
    final void progress(String format, Object... arguments) {
        spec.commandLine().getErr().println("upscale: " + String.format(java.util.Locale.ROOT, format, arguments));
    }
}
