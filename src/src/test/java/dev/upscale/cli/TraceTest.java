package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.Upscale;
import dev.upscale.plan.Plan;
import dev.upscale.plan.PlanFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The times of steps, as other tools read them. */
class TraceTest {
    private static final int RUNS = 20;

    @TempDir
    private Path folder;

    @Test
    void aTraceAndAFlightRecordingTellTheSameSteps() throws IOException {
        Path model = DemoFiles.model(folder);
        Path file = folder.resolve("plan");
        CommandLineRun.of("compile", model, "--costs", "builtin", "-o", file, "--json").json();
        Path input = folder.resolve("x.npy");
        NpyFile.write(input, dev.upscale.graph.Tensor.of(Upscale.read(model).type("input"), new float[28 * 28]));
        CommandLineRun.of("run", file, "--input", input, "--output", folder.resolve("y.npy"), "--trace", folder.resolve("t.json"), "--jfr",
                folder.resolve("t.jfr"), "--json").json();
        Plan plan = PlanFile.read(file);
        List<JsonNode> steps = new ArrayList<>();
        JsonMapper.shared().readTree(Files.readString(folder.resolve("t.json"))).get("traceEvents").forEach(event -> {
            if (event.get("ph").stringValue().equals("X")) {
                steps.add(event);
            }
        });
        assertEquals(RUNS * plan.steps().size(), steps.size());
        double end = 0;
        for (int i = 0; i < plan.steps().size(); i++) {
            JsonNode step = steps.get(i);
            assertEquals(plan.steps().get(i).name(), step.get("name").stringValue());
            assertTrue(step.get("ts").doubleValue() >= end && step.get("dur").doubleValue() > 0, "steps follow each other: " + step);
            end = step.get("ts").doubleValue() + step.get("dur").doubleValue();
        }
        List<RecordedEvent> events = RecordingFile.readAllEvents(folder.resolve("t.jfr")).stream()
                .filter(event -> event.getEventType().getName().equals("dev.upscale.Step"))
                .sorted(Comparator.comparing(RecordedEvent::getStartTime)).toList();
        assertEquals(RUNS * plan.steps().size(), events.size(), "without the runs that warm up");
        RecordedEvent last = events.getLast();
        JsonNode same = steps.getLast();
        assertEquals(same.get("name").stringValue(), last.getString("nodes"));
        assertEquals(same.get("args").get("kernel").stringValue(), last.getString("kernel"));
        assertEquals(same.get("dur").doubleValue(), last.getDuration("time").toNanos() / 1e3, 1e-9, "from one clock");
    }
}
