package dev.upscale.bench;

import dev.upscale.BoundSession;
import dev.upscale.Upscale;
import dev.upscale.channels.PatternFile;
import dev.upscale.cli.Contest;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.TensorType;
import dev.upscale.onnx.ImportOptions;
import dev.upscale.plan.Plan;
import dev.upscale.runtime.Executable;
import dev.upscale.runtime.natives.NativeError;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * What {@code bench/bands.sh} calls: times chains of steps over large images ({@link Bands}) as they are and band by band, in turns, on our
 * kernels, and prints a row of a table for each network. Outputs are compared before anything is timed.
 */
public final class BandTable {
    private static final int LEAST_ROUNDS = 20;
    /** Results that leave the second cache before they are read: half of it. */
    private static final long LARGE_BYTES = 512 * 1024;
    /** What the bands of all steps of a chain write together. */
    private static final List<Long> BAND_BYTES = List.of(256L * 1024, 512L * 1024, 1024L * 1024);
    /** After which another session's threads no longer look for work. */
    private static final Duration ASLEEP = Duration.ofMillis(1);
    private static final double TOLERANCE = 1e-5;
    private static final String WHOLE = "whole";
    private static final String UNPRUNED = "unpruned";

    private final int threads;
    private final Duration budget;

    private BandTable(int threads, Duration budget) {
        this.threads = threads;
        this.budget = budget;
    }

    /** Measures one network; exit code 2, with one line, if it cannot, and 1 if bands compute something else. */
    public static void main(String[] arguments) {
        try {
            Map<String, String> options = new TreeMap<>(Map.of("mask", UNPRUNED, "size", "0", "threads", "1", "seconds", "1"));
            for (String argument : arguments) {
                int equals = argument.indexOf('=');
                options.put(argument.substring(0, equals), argument.substring(equals + 1));
            }
            Path model = Path.of(options.get("model"));
            String network = model.getFileName().toString().replaceFirst("\\.onnx(\\.gz)?$", "");
            String mask = options.get("mask");
            Graph graph = resized(Upscale.read(model, ImportOptions.defaults()), Integer.parseInt(options.get("size")));
            Graph masked = mask.equals(UNPRUNED) ? graph
                    : Upscale.prune(graph, PatternFile.read(model.resolveSibling(network + ".masks.json") + "#" + mask));
            int threads = Integer.parseInt(options.get("threads"));
            int size = graph.type(graph.inputs().getFirst()).dim(2);
            String row = new BandTable(threads, Duration.ofMillis((long) (1000 * Double.parseDouble(options.get("seconds")))))
                    .row(masked, mask.equals(UNPRUNED) ? Variant.UNPRUNED : Variant.UPSCALE);
            System.out.printf("| %s | %s | %d×%d | %d | %s%n", network, mask, size, size, threads, row);
        } catch (IllegalArgumentException | InvalidInput | NativeError e) {
            System.err.println("bands: " + e.getMessage());
            System.exit(2);
        } catch (IllegalStateException e) {
            System.err.println("bands: " + e.getMessage());
            System.exit(1);
        }
    }

    /** The network for square images of another size; 0 for its own. */
    private static Graph resized(Graph graph, int size) {
        if (size == 0) {
            return graph;
        }
        String input = graph.inputs().getFirst();
        Graph.Builder builder = Graph.builder(graph.name()).input(input, TensorType.f32(1, graph.type(input).dim(1), size, size));
        graph.weights().forEach(builder::weight);
        graph.nodes().forEach(builder::node);
        graph.outputs().forEach(builder::output);
        return builder.build();
    }

    private String row(Graph masked, Variant variant) {
        Plan plan = Upscale.compile(masked, new CompileOptions(variant, List.of("upscale")));
        double network = network(plan);
        List<Bands> chains = Bands.in(plan, LARGE_BYTES);
        double whole = 0;
        double kept = 0;
        double overwritten = 0;
        for (Bands chain : chains) {
            Map<String, Double> nanos = time(chain);
            whole += nanos.get(WHOLE);
            kept += fastest(nanos, "kept");
            overwritten += fastest(nanos, "overwritten");
            System.err.printf(Locale.ROOT, "%s to %s, %.1f MB: %s%n", chain.steps().getFirst().name(), chain.steps().getLast().name(),
                    chain.bytes() / 1e6, nanos);
        }
        return String.format(Locale.ROOT, "%.2f | %d | %.1f | %.0f %% | %.3f | %.3f |", network / 1e6, chains.size(),
                chains.stream().mapToLong(Bands::bytes).sum() / 1e6, 100 * whole / network, kept / whole, overwritten / whole);
    }

    /** Of the numbers of bands that were tried. */
    private static double fastest(Map<String, Double> nanos, String kind) {
        return nanos.entrySet().stream().filter(entry -> entry.getKey().endsWith(kind)).mapToDouble(Map.Entry::getValue).min().orElse(nanos.get(WHOLE));
    }

    private Map<String, Double> time(Bands chain) {
        Map<String, Plan> plans = new LinkedHashMap<>(Map.of(WHOLE, chain.whole()));
        for (long bytes : BAND_BYTES) {
            int bands = Math.clamp(Math.ceilDiv(chain.bytes(), bytes), 2, chain.height());
            plans.put(bands + " bands, kept", chain.banded(bands, Integer.MAX_VALUE));
            plans.put(bands + " bands, overwritten", chain.banded(bands, Math.ceilDiv(chain.steps().getFirst().destination().dim(2), bands)));
        }
        Map<String, Executable> executables = new LinkedHashMap<>();
        Map<String, BoundSession> sessions = new LinkedHashMap<>();
        try {
            Contest contest = new Contest().pauseBeforeTurns(threads == 1 ? Duration.ZERO : ASLEEP);
            plans.forEach((name, plan) -> {
                executables.put(name, Upscale.prepare(plan));
                sessions.put(name, BoundSession.open(executables.get(name), threads));
                contest.add(name, sessions.get(name)::run);
            });
            float[] expected = result(sessions.get(WHOLE));
            sessions.forEach((name, session) -> {
                double difference = difference(result(session), expected);
                if (name.endsWith("kept") && !(difference <= TOLERANCE)) {
                    throw new IllegalStateException(chain.steps().getFirst().name() + " in " + name + ": relative L2 difference " + difference);
                }
            });
            contest.run(budget, LEAST_ROUNDS);
            Map<String, Double> nanos = new LinkedHashMap<>();
            double whole = contest.timing(WHOLE).medianNs();
            plans.keySet().forEach(name -> nanos.put(name, whole * contest.ratio(name, WHOLE)));
            return nanos;
        } finally {
            sessions.values().forEach(BoundSession::close);
            executables.values().forEach(Executable::close);
        }
    }

    private static float[] result(BoundSession session) {
        for (int input = 0; input < session.plan().inputs().size(); input++) {
            Random random = new Random(input);
            FloatBuffer values = session.input(input);
            IntStream.range(0, values.capacity()).forEach(k -> values.put(k, random.nextFloat()));
        }
        session.run();
        float[] values = new float[session.output(0).capacity()];
        session.output(0).get(0, values);
        return values;
    }

    private static double difference(float[] actual, float[] expected) {
        double square = 0;
        double norm = 0;
        for (int k = 0; k < expected.length; k++) {
            square += Math.pow(actual[k] - expected[k], 2);
            norm += Math.pow(expected[k], 2);
        }
        return Math.sqrt(square / norm);
    }

    private double network(Plan plan) {
        Contest contest = new Contest();
        try (Executable executable = Upscale.prepare(plan); BoundSession session = BoundSession.open(executable, threads)) {
            contest.add("network", session::run);
            contest.run(budget, LEAST_ROUNDS);
        }
        return contest.timing("network").medianNs();
    }
}
