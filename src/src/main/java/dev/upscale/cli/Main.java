package dev.upscale.cli;

import dev.upscale.graph.InvalidInput;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Where the command line starts. */
@Command(
        name = "upscale",
        description = "Compiles networks pruned without constraints into plans without copies, and runs them.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {
            DemoCommand.class,
            InspectCommand.class,
            PruneCommand.class,
            CompileCommand.class,
            ExplainCommand.class,
            ExportCommand.class,
            RunCommand.class,
            VerifyCommand.class,
            BenchCommand.class,
            EvalCommand.class,
            StudyCommand.class,
            TuneCommand.class,
            DoctorCommand.class,
            OrderCommand.class,
            CopiesCommand.class,
            GpuCheckCommand.class,
        })
public final class Main implements Runnable {
    /** Exit code of a check that failed, and of failures that are not the user's. */
    static final int FAILED = 1;

    /** Exit code of input that cannot be used. */
    static final int BAD_INPUT = 2;

    @Spec
    private CommandSpec spec;

    private Main() {}

    /** Runs one command and leaves with its exit code. */
    public static void main(String[] arguments) {
        PrintWriter out = new PrintWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8), false);
        PrintWriter err = new PrintWriter(new OutputStreamWriter(System.err, StandardCharsets.UTF_8), true);
        int exitCode = run(out, err, arguments);
        out.flush();
        err.flush();
        System.exit(exitCode);
    }

    /** Runs one command in this process: results go to {@code out}, progress and errors to {@code err}. */
    static int run(PrintWriter out, PrintWriter err, String... arguments) {
        int exitCode;
        try {
            exitCode = execute(out, err, arguments);
        } catch (OutOfMemoryError e) {
            err.println("upscale: the Java heap of " + Table.bytes(Runtime.getRuntime().maxMemory())
                    + " is too small for this; give it more with UPSCALE_JAVA_OPTIONS=-Xmx16g");
            exitCode = BAD_INPUT;
        }
        out.flush();
        return exitCode;
    }

    private static int execute(PrintWriter out, PrintWriter err, String... arguments) {
        return new CommandLine(new Main())
                .setOut(out)
                .setErr(err)
                .setUsageHelpWidth(110)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler(explain())
                .setExecutionExceptionHandler(report())
                .execute(arguments);
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }

    private static IParameterExceptionHandler explain() {
        return (ParameterException problem, String[] arguments) -> {
            CommandLine command = problem.getCommandLine();
            command.getErr().println("upscale: " + oneLine(problem.getMessage()) + "; '"
                    + command.getCommandSpec().qualifiedName() + " --help' lists what there is");
            return BAD_INPUT;
        };
    }

    private static IExecutionExceptionHandler report() {
        return (Exception problem, CommandLine command, CommandLine.ParseResult parsed) -> {
            if (problem instanceof InvalidInput) {
                command.getErr().println("upscale: " + problem.getMessage());
                return BAD_INPUT;
            }
            if (System.getenv("UPSCALE_DEBUG") != null) {
                problem.printStackTrace(command.getErr());
            }
            StackTraceElement[] trace = problem.getStackTrace();
            command.getErr().println("upscale: internal error, please report it: " + oneLine(problem.toString())
                    + (trace.length > 0 ? " at " + trace[0] : "") + " (UPSCALE_DEBUG=1 prints the stack)");
            return FAILED;
        };
    }

    static String oneLine(String message) {
        return String.join(" ", Arrays.stream(String.valueOf(message).split("\\R")).map(String::strip).toList());
    }

    /** The version that Maven built. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"upscale " + BuildVersion.read()};
        }
    }
}
