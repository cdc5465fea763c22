package dev.upscale.cli;

import dev.upscale.Upscale;
import dev.upscale.channels.Pattern;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.RecogniseShuffles;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Tensor;
import dev.upscale.onnx.ImportOptions;
import dev.upscale.plan.Plan;
import dev.upscale.prune.Heuristic;
import dev.upscale.prune.PruneOptions;
import dev.upscale.prune.Pruner;
import dev.upscale.report.Curves;
import dev.upscale.report.StepComparison;
import dev.upscale.runtime.SessionOptions;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "demo",
        description = {
            "The main job on a bundled network and images: prunes a trained DenseNet without constraints, compiles all variants, compares"
                    + " each with the reference engine, measures accuracy and time, prints a table and writes a report (HTML)."
        })
final class DemoCommand extends Console {
    private static final String NETWORK = "densenet";
    private static final float MEAN = 0.2860f;
    private static final float DEVIATION = 0.3530f;
    private static final int BATCH = 40;
    private static final int MOST_THREADS = 256;
    private static final int PROFILED_RUNS = 100;

    @Option(names = "--amount", paramLabel = "A", defaultValue = "0.1", description = "share of each convolution's input channels to prune (default: ${DEFAULT-VALUE})")
    private double amount;

    @Option(names = "--heuristic", paramLabel = "H", defaultValue = "l2", description = "l1 or l2 (default)")
    private Heuristic heuristic;

    @Option(names = "--images", paramLabel = "N", defaultValue = "2000", description = "test images for the accuracy, up to 2000 (default)")
    private int images;

    @Option(names = "--threads", paramLabel = "T", defaultValue = "1", description = "threads of a run (default: 1)")
    private int threads;

    @Option(names = "--seconds", paramLabel = "S", defaultValue = "2", description = "timing for each variant (default: 2 s)")
    private double seconds;

    @Option(names = "--curve", paramLabel = "A,A", split = ",", defaultValue = "0.05,0.1,0.15,0.2",
            description = "amounts for the report's curves of accuracy over time, or none (default: ${DEFAULT-VALUE})")
    private List<String> curve;

    @Option(names = {"--report", "--html"}, paramLabel = "FILE", defaultValue = "upscale-demo.html", description = "where to write the report"
            + " (default: ${DEFAULT-VALUE})")
    private Path html;

    /** One variant on the bench. */
    private record Entry(Variant variant, Plan plan, Runner runner) {}

    @Override
    public Integer call() {
        requirePossible();
        List<Double> amounts = curveAmounts();
        LabelledImages data = new LabelledImages(IdxFile.parse("images", resource("images-idx3-ubyte.gz")),
                IdxFile.parse("labels", resource("labels-idx1-ubyte.gz")));
        byte[] model = resource(NETWORK + ".onnx");
        progress("read %s, trained on Fashion-MNIST, and prune %.0f %% of the input channels of every convolution ...", NETWORK, 100 * amount);
        Graph graph = read(model, 1);
        Pattern pattern = Pruner.prune(RecogniseShuffles.apply(graph), heuristic, amount, PruneOptions.Method.UNCONSTRAINED);
        Tensor image = firstImage(data, graph);
        Networks networks = new Networks(graph, pattern, Map.of(graph.inputs().getFirst(), image));
        DemoReport report = new DemoReport(NETWORK, heuristic.name().toLowerCase(Locale.ROOT), amount, data.count(), images, threads);
        List<Entry> entries = new ArrayList<>();
        Map<String, Peer.Session> peers = new LinkedHashMap<>();
        List<StepComparison.Timed> compared = new ArrayList<>();
        try {
            for (Variant variant : Variant.values()) {
                progress("compile and verify %s ...", variant.label());
                Plan plan = Upscale.compile(networks.of(variant), EngineArguments.chosenBy("measured", threads, CompileOptions.of(variant)));
                entries.add(new Entry(variant, plan, Runner.open(plan, SessionOptions.threads(threads), networks.inputs())));
                report.put(variant, plan, VerifyCommand.difference(plan, networks, variant, threads));
            }
            Map<Variant, Double> accuracies = accuracies(model, pattern, data);
            accuracies.forEach(report::accuracy);
            openPeers(model, networks, peers);
            report.times(contest(entries, peers), peers.keySet());
            entries.stream().filter(entry -> entry.variant == Variant.BASELINE || entry.variant == Variant.UPSCALE)
                    .forEach(entry -> compared.add(profiled(entry, networks)));
        } finally {
            entries.forEach(entry -> entry.runner.close());
            peers.values().forEach(Peer.Session::close);
        }
        List<Curves.Series> curves = amounts.isEmpty() ? List.of() : new DemoCurves(graph, read(model, BATCH), heuristic, image).measure(amounts,
                threads, seconds, (runner, variant) -> data.top1(runner, BATCH, count(data), MEAN, DEVIATION), text -> progress("%s", text));
        OutputFile.write(html, path -> Files.writeString(path, report.html(compared, curves)));
        print(report.document(html), report.text() + "\nThe report: " + html + "\n");
        return report.passed() ? 0 : Main.FAILED;
    }

    private void requirePossible() {
        if (images < BATCH || images % BATCH != 0) {
            throw new InvalidInput("--images " + images + " is not a multiple of " + BATCH);
        }
        if (threads < 1 || threads > MOST_THREADS) {
            throw new InvalidInput("--threads " + threads + " is not a number from 1 to " + MOST_THREADS);
        }
        if (!(seconds > 0 && seconds <= 3600)) {
            throw new InvalidInput("--seconds " + seconds + " is not a time up to an hour");
        }
    }

    private List<Double> curveAmounts() {
        if (curve.equals(List.of("none"))) {
            return List.of();
        }
        List<Double> amounts = new ArrayList<>();
        for (String text : curve) {
            try {
                amounts.add(Double.parseDouble(text));
            } catch (NumberFormatException e) {
                throw new InvalidInput("--curve " + text + " is not an amount; give numbers from 0 to 1 with commas between them, or none", e);
            }
            if (!(amounts.getLast() >= 0 && amounts.getLast() < 1)) {
                throw new InvalidInput("--curve " + text + " is not from 0 to 1");
            }
        }
        return amounts;
    }

    private int count(LabelledImages data) {
        return Math.min(images, data.count() / BATCH * BATCH);
    }

    /** A variant's steps, timed in a session of their own. */
    private StepComparison.Timed profiled(Entry entry, Networks networks) {
        return PlanSections.timed(entry.variant.label(),
                Runner.profile(entry.plan, SessionOptions.threads(threads), networks.inputs(), PROFILED_RUNS, Runner.Watch.NONE), entry.plan);
    }

    /** A peer that does not run here is no reason to stop. */
    private void openPeers(byte[] model, Networks networks, Map<String, Peer.Session> peers) {
        for (Peer peer : Peers.all()) {
            try {
                peers.put(peer.name(), peer.open(model, threads, BenchCommand.peerInputs(networks)));
            } catch (RuntimeException | LinkageError e) {
                progress("%s does not run here and is left out: %s", peer.name(), Main.oneLine(e.toString()));
            }
        }
    }

    private Contest contest(List<Entry> entries, Map<String, Peer.Session> peers) {
        Contest contest = new Contest();
        entries.forEach(entry -> contest.add(entry.variant.label(), entry.runner::run));
        peers.forEach((name, session) -> contest.add(name, session::run));
        int contenders = entries.size() + peers.size();
        progress("time %d contenders in turns for %.0f s ...", contenders, seconds * contenders);
        contest.run(Duration.ofMillis((long) (1000 * seconds * contenders)), 5);
        return contest;
    }

    private Map<Variant, Double> accuracies(byte[] model, Pattern pattern, LabelledImages data) {
        int count = count(data);
        progress("classify %d test images with every variant ...", count);
        Graph graph = read(model, BATCH);
        Networks networks = new Networks(graph, pattern, Map.of());
        Map<Variant, Double> accuracies = new EnumMap<>(Variant.class);
        for (Variant variant : Variant.values()) {
            Plan plan = Upscale.compile(networks.of(variant), CompileOptions.of(variant));
            Tensor nothing = Tensor.of(graph.type(graph.inputs().getFirst()), new float[(int) graph.type(graph.inputs().getFirst()).elements()]);
            try (Runner runner = Runner.open(plan, SessionOptions.threads(threads), Map.of(graph.inputs().getFirst(), nothing))) {
                accuracies.put(variant, data.top1(runner, BATCH, count, MEAN, DEVIATION));
            }
        }
        return accuracies;
    }

    private static Tensor firstImage(LabelledImages data, Graph graph) {
        float[] values = new float[Math.toIntExact(graph.type(graph.inputs().getFirst()).elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = ((data.images().bytes()[i] & 0xff) / 255f - MEAN) / DEVIATION;
        }
        return Tensor.of(graph.type(graph.inputs().getFirst()), values);
    }

    private static Graph read(byte[] model, int batch) {
        try {
            Path file = Files.createTempFile("upscale-demo", ".onnx");
            try {
                Files.write(file, model);
                return Upscale.read(file, ImportOptions.defaults().withBatch(batch));
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the temporary folder cannot be written to", e);
        }
    }

    private static byte[] resource(String name) {
        try (InputStream resource = DemoCommand.class.getResourceAsStream("/dev/upscale/demo/" + name)) {
            if (resource == null) {
                throw new IllegalStateException("the jar lacks dev/upscale/demo/" + name + "; build it again");
            }
            return InputFile.unpacked(name, resource.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
