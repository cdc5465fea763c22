package dev.upscale.report;

import dev.upscale.plan.PlanSummary;
import dev.upscale.plan.PlanText;
import dev.upscale.plan.Step;
import dev.upscale.runtime.Profile;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * Profiles in the Trace Event Format, which Perfetto, Chromium's {@code chrome://tracing} and other viewers show: one process for each
 * network, one complete event for each step of each run that the profile kept.
 */
public final class ChromeTrace {
    private static final double NANOS_PER_MICRO = 1e3;

    private ChromeTrace() {}

    /** One event of the format; times in microseconds. */
    private record Event(String name, String cat, String ph, double ts, double dur, int pid, int tid, Map<String, Object> args) {}

    /** The document, one line of JSON; {@code profiles} by name. */
    public static String of(Map<String, Profile> profiles) {
        List<Object> events = new ArrayList<>();
        long origin = profiles.values().stream().mapToLong(ChromeTrace::origin).min().orElse(0);
        int process = 0;
        for (Map.Entry<String, Profile> entry : profiles.entrySet()) {
            process++;
            events.add(name("process_name", process, entry.getKey()));
            events.add(name("thread_name", process, "steps"));
            add(events, process, entry.getValue(), origin);
        }
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("displayTimeUnit", "ns");
        document.put("traceEvents", events);
        return JsonMapper.shared().writeValueAsString(document);
    }

    private static long origin(Profile profile) {
        long origin = Long.MAX_VALUE;
        for (long[] starts : profile.startsNs()) {
            for (long start : starts) {
                origin = Math.min(origin, start);
            }
        }
        return origin;
    }

    private static Map<String, Object> name(String what, int process, String name) {
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("name", what);
        event.put("ph", "M");
        event.put("pid", process);
        event.put("tid", 1);
        event.put("args", Map.of("name", name));
        return event;
    }

    private static void add(List<Object> events, int process, Profile profile, long origin) {
        for (int run = 0; run < profile.runs(); run++) {
            for (int position = 0; position < profile.steps().size(); position++) {
                Step step = profile.steps().get(position);
                events.add(new Event(step.name(), PlanSummary.copyOf(step).isPresent() ? "copy" : "compute", "X",
                        (profile.startsNs()[position][run] - origin) / NANOS_PER_MICRO, profile.ns()[position][run] / NANOS_PER_MICRO, process, 1,
                        arguments(step, position)));
            }
        }
    }

    private static Map<String, Object> arguments(Step step, int position) {
        Map<String, Object> arguments = new LinkedHashMap<>();
        arguments.put("step", position);
        arguments.put("operation", PlanText.operation(step));
        arguments.put("kernel", step.kernel());
        arguments.put("bytesWritten", step.destination().bytes());
        arguments.put("multiplyAdds", step.multiplyAdds());
        return arguments;
    }
}
