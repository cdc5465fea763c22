package dev.upscale.runtime;

import dev.upscale.plan.PlanSummary;
import dev.upscale.plan.Step;
import java.util.List;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Enabled;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/**
 * One step of a run, for Java's flight recorder. Emitted by every session while a recording has the event
 * {@code dev.upscale.Step} enabled, which none has unless it is told to; then a run allocates.
 */
@Name("dev.upscale.Step")
@Label("Plan Step")
@Category("upscale")
@Description("One kernel call of a compiled network")
@Enabled(false)
@StackTrace(false)
final class StepEvent extends Event {
    private static final StepEvent PROBE = new StepEvent();

    @Label("Model")
    private String model;

    @Label("Step")
    @Description("Position in the plan")
    private int position;

    @Label("Nodes")
    @Description("The nodes of the model that it computes")
    private String nodes;

    @Label("Kernel")
    private String kernel;

    @Label("Copy")
    @Description("Whether it moves activations and computes nothing")
    private boolean copy;

    @Label("Bytes Written")
    @DataAmount
    private long bytesWritten;

    @Label("Multiply-Adds")
    private long multiplyAdds;

    @Label("Time")
    @Description("As the session's profile has it")
    @Timespan(Timespan.NANOSECONDS)
    private long time;

    /** Whether a recording asks for it. */
    static boolean isAskedFor() {
        return PROBE.isEnabled();
    }

    /** Emits an event for each step, from the times that profiles have too. */
    static final class Emitter {
        private final String model;
        private final List<Step> steps;
        private StepEvent event;

        Emitter(String model, List<Step> steps) {
            this.model = model;
            this.steps = steps;
        }

        /** The next step begins. */
        void begins() {
            event = new StepEvent();
            event.begin();
        }

        /** It has ended. */
        void ended(int step, long ns) {
            event.end();
            if (event.shouldCommit()) {
                Step done = steps.get(step);
                event.model = model;
                event.position = step;
                event.nodes = done.name();
                event.kernel = done.kernel();
                event.copy = PlanSummary.copyOf(done).isPresent();
                event.bytesWritten = done.destination().bytes();
                event.multiplyAdds = done.multiplyAdds();
                event.time = ns;
                event.commit();
            }
        }
    }
}
