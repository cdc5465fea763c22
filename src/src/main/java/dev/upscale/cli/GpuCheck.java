package dev.upscale.cli;

import dev.upscale.Upscale;
import dev.upscale.compile.Precision;
import dev.upscale.compile.Variant;
import dev.upscale.plan.Plan;
import dev.upscale.runtime.Profile;
import dev.upscale.runtime.SessionOptions;
import dev.upscale.runtime.cuda.CudaCatalog;
import dev.upscale.runtime.cuda.CudaExecutable;
import dev.upscale.runtime.cuda.CudaSession;
import dev.upscale.runtime.cuda.DeviceDescription;
import dev.upscale.runtime.cuda.Gpu;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One variant of a network on a GPU: compiled for it, verified, timed. */
final class GpuCheck {
    private static final int PROFILED_RUNS = 20;

    private final Gpu gpu;
    private final DeviceDescription description;
    private final Networks networks;
    private final Precision precision;
    private final List<String> engines;
    private final int replays;

    GpuCheck(Gpu gpu, DeviceDescription description, Networks networks, Precision precision, List<String> engines, int replays) {
        this.gpu = gpu;
        this.description = description;
        this.networks = networks;
        this.precision = precision;
        this.engines = engines;
        this.replays = replays;
    }

    /** What passes, relative (L2): in f32 what the CPU's kernels are held to, with rounded factors what rounding costs deep networks. */
    static double tolerance(Precision precision) {
        return switch (precision) {
            case F32 -> VerifyCommand.TOLERANCE;
            case TF32, F16 -> 3e-2;
            case BF16 -> VerifyCommand.BF16_TOLERANCE;
        };
    }

    /** The variant's fields in the report; what goes wrong is one of them. */
    Map<String, Object> run(Variant variant) {
        Map<String, Object> fields = new LinkedHashMap<>();
        try {
            long begun = System.nanoTime();
            Plan plan = Upscale.compileForGpu(networks.of(variant), description,
                    CudaCatalog.options(variant, description, precision).withEngines(engines));
            fields.putAll(PlanFields.of(plan));
            fields.put("compileMs", (System.nanoTime() - begun) / 1e6);
            try (CudaExecutable executable = CudaExecutable.prepare(plan, gpu)) {
                fields.put("kernels", executable.kernelOrigin());
                fields.put("constantBytes", executable.constantBytes());
                verify(executable, variant, fields);
                if (!gpu.isSimulated()) {
                    time(executable, fields);
                }
            }
        } catch (RuntimeException e) {
            fields.put("error", String.valueOf(e.getMessage()));
            fields.put("passed", false);
        }
        return fields;
    }

    private Map<String, float[]> given(Plan plan) {
        Map<String, float[]> given = new LinkedHashMap<>();
        plan.inputs().forEach(port -> given.put(port.name(), port.inMemoryOrder(networks.inputs().get(port.name()).floats())));
        return given;
    }

    /** Step by step and from the graph, in memory full of NaN. */
    private void verify(CudaExecutable executable, Variant variant, Map<String, Object> fields) {
        try (CudaSession session = executable.open(SessionOptions.threads(1).withPoison())) {
            fields.put("deviceBytes", session.deviceBytes());
            Map<String, float[]> given = given(executable.plan());
            Difference first = difference(session, given, variant);
            Difference replayed = difference(session, given, variant);
            int[] parts = session.graphParts();
            fields.put("graph", Map.of("filledByCudnn", parts[0], "captured", parts[1]));
            fields.put("maxAbs", Math.max(first.maxAbs(), replayed.maxAbs()));
            fields.put("relL2", Math.max(first.relL2(), replayed.relL2()));
            fields.put("passed", first.isWithin(tolerance(precision)) && replayed.isWithin(tolerance(precision)));
        }
    }

    private Difference difference(CudaSession session, Map<String, float[]> given, Variant variant) {
        return Difference.of(new ArrayList<>(session.run(given).values()), networks.truth(variant));
    }

    private void time(CudaExecutable executable, Map<String, Object> fields) {
        Map<String, float[]> given = given(executable.plan());
        try (CudaSession session = executable.open(SessionOptions.threads(1))) {
            session.run(given);
            session.timeReplays(Math.max(1, replays / 10));
            fields.putAll(Timing.of(Arrays.stream(session.timeReplays(replays)).asDoubleStream().toArray()).fields());
        }
        try (CudaSession session = executable.open(SessionOptions.threads(1).withProfile(PROFILED_RUNS))) {
            for (int run = 0; run <= PROFILED_RUNS; run++) {
                session.run(given);
            }
            Profile profile = session.profile();
            List<Map<String, Object>> steps = new ArrayList<>();
            for (int step = 0; step < profile.steps().size(); step++) {
                steps.add(Map.of("name", profile.steps().get(step).name(), "kernel", profile.steps().get(step).kernel(), "medianNs",
                        profile.medianNs(step)));
            }
            fields.put("stepTimes", steps);
        }
    }
}
