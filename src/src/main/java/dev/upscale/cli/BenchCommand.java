package dev.upscale.cli;

import dev.upscale.Upscale;
import dev.upscale.compile.CompileOptions;
import dev.upscale.compile.Technique;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Graph;
import dev.upscale.graph.InvalidInput;
import dev.upscale.plan.Plan;
import dev.upscale.runtime.Profile;
import dev.upscale.runtime.SessionMemory;
import dev.upscale.runtime.SessionOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "bench",
        description = {
            "Times variants, engines and peers in turns in one process: medians and quartiles, ratios to the unpruned network, copies, bytes.",
            "Every output is compared with the reference engine before anything is timed; exit code 1 where one is off."
        })
final class BenchCommand extends Console {
    private static final int MOST_THREADS = 256;
    private static final int PROFILED_RUNS = 20;
    private static final int SLOWEST_STEPS = 8;
    /** A plan and its bound hardly differ: so many rounds tell them apart. */
    private static final int BOUND_ROUNDS = 60;
    /** That they may take, of the time for a contender. */
    private static final int MOST_TIMES_FOR_A_BOUND = 10;

    @Mixin
    private ModelArguments model;

    @Option(names = "--variants", paramLabel = "V,V", split = ",", description = "unpruned, constrained, baseline, paper, upscale (default: all),"
            + " or copy-free: upscale with each copy left out, a bound (its results are not valid)")
    private List<String> variants = Arrays.stream(Variant.values()).map(Variant::label).toList();

    @Option(names = "--engines", paramLabel = "E,E", description = "engines whose kernels may be used: upscale, onednn, xnnpack, or java alone (default: all)."
            + " Given again, each set is timed; a variant of a later set is called VARIANT@E+E")
    private List<String> engineSets = List.of();

    @Option(names = "--without", paramLabel = "T,T", split = ",", description = "an ablation: times variant upscale without each of these, one at a time,"
            + " on the first set of engines: order, exact-order, index, concats-in-place, joint-storage, hoisting, folding, supersets, sums, siblings,"
            + " micro-batches, fusion, winograd, fetch-ahead (called upscale-T)")
    private List<String> ablations = List.of();

    @Option(names = "--profile", description = "each kernel's share of the time, the slowest steps, and, with measured costs, how well they predict")
    private boolean profiled;

    @Option(names = "--peers", paramLabel = "P,P", split = ",", description = "other runtimes to compare with: onnxruntime, or pytorch where it was built in; each on the unpruned"
            + " network, and on what export writes of the pattern (called PEER@export)")
    private List<String> peers = List.of();

    @Option(names = "--no-winograd", description = "computes all 3x3 convolutions of ours by direct sums")
    private boolean direct;

    @Option(names = "--input-layout", paramLabel = "L", defaultValue = "model", description = "how images lie in memory, for all variants: model"
            + " (NCHW, default) or channels-last (NHWC); peers get NCHW")
    private String inputLayout;

    @Option(names = "--gathers", paramLabel = "G", defaultValue = "avoid", description = "when channels are gathered for a library: avoid"
            + " (default) or weigh")
    private String gathers;

    @Option(names = "--precision", paramLabel = "P,P", split = ",", description = "in what convolutions multiply: f32 (default), bf16; of several, each is"
            + " timed, and a variant of a later one is called VARIANT@P")
    private List<String> precisions = List.of("f32");

    @Option(names = "--costs", paramLabel = "C", defaultValue = "measured", description = "how kernels are chosen: measured or builtin (default: measured)")
    private String costs;

    @Option(names = "--threads", paramLabel = "T", defaultValue = "1", description = "threads of a run (default: 1)")
    private int threads;

    @Option(names = "--seconds", paramLabel = "S", defaultValue = "2", description = "time for each contender (default: 2 s)")
    private double seconds;

    @Mixin
    private TraceArguments traces;

    @Option(names = "--report", paramLabel = "FILE.html", description = "write a page: times, the network by segments, baseline and upscale step by"
            + " step, the arena over time")
    private Path report;

    @Option(names = "--page", paramLabel = "PICTURE.png", description = "for networks that mark pixels: the picture that the input was made from;"
            + " the report shows each network's first output as a map over it")
    private Path page;

    @Option(names = "--compensated", paramLabel = "MODEL.onnx", description = "with --page: the pruned network with weights of its own, whose zeros are"
            + " its pattern; its map is shown too")
    private Path compensated;

    @Option(names = "--no-check", description = "do not compare outputs with the reference engine first")
    private boolean unchecked;

    /**
     * The result.
     *
     * @param coreDistance nanoseconds of a cache line's way from one core to another and back, sampled in each round; empty on one thread
     */
    record Report(String model, int batch, int threads, int rounds, Map<String, Object> coreDistance, Map<String, Map<String, Object>> variants,
            Map<String, Map<String, Map<String, Object>>> peers) {}

    /** What a contender without its copies is called. */
    private static final String COPY_FREE = "copy-free";

    /** One variant compiled in one way. */
    private record Entry(String name, Variant variant, CompileOptions options, Plan plan) {}

    /** An entry that is ready to run; without a truth, its results are not valid. */
    private record Contender(String name, Variant variant, CompileOptions options, Plan plan, Runner runner) {
        boolean isValid() {
            return !name.startsWith(COPY_FREE);
        }
    }

    /** A peer on the network that {@code export} writes of a variant; of {@code unpruned}, on the network as it is. */
    private record Rival(String peer, Variant variant, Peer.Session session) {
        String network() {
            return variant == Variant.UNPRUNED ? "unpruned" : "export";
        }

        String name() {
            return variant == Variant.UNPRUNED ? peer : peer + "@export";
        }
    }

    @Override
    public Integer call() {
        requirePositive();
        if (report == null && (page != null || compensated != null)) {
            throw new InvalidInput("--page and --compensated show maps in a report; say where with --report FILE.html");
        }
        Graph graph = model.read();
        Networks networks = new Networks(graph, model.pattern(graph), model.inputs(graph));
        List<Entry> entries = compiled(networks);
        List<Contender> contenders = new ArrayList<>();
        List<Rival> rivals = new ArrayList<>();
        SessionMemory memory = SessionMemory.of(threads, entries.stream().map(Entry::plan).toList());
        try {
            for (Entry entry : entries) {
                contenders.add(open(entry, contenders, memory, networks));
            }
            for (String peer : peers) {
                rivals.add(open(peer, Variant.UNPRUNED, model.forPeers(graph), networks));
                rivals.add(open(peer, Variant.UPSCALE, ModelFile.onnx(ExportCommand.exported(networks.of(Variant.UPSCALE), Variant.UPSCALE)), networks));
            }
            return compare(networks, contenders, rivals);
        } finally {
            contenders.forEach(contender -> contender.runner.close());
            rivals.forEach(rival -> rival.session.close());
            memory.close();
        }
    }

    private void requirePositive() {
        if (threads < 1 || threads > MOST_THREADS) {
            throw new InvalidInput("--threads " + threads + " is not a number from 1 to " + MOST_THREADS);
        }
        if (!(seconds > 0 && seconds <= 3600)) {
            throw new InvalidInput("--seconds " + seconds + " is not a time up to an hour");
        }
    }

    private List<Entry> compiled(Networks networks) {
        List<Entry> entries = new ArrayList<>();
        for (String engines : engineSets.isEmpty() ? List.of("") : engineSets) {
            for (String precision : precisions) {
                for (String variant : variants) {
                    entries.add(compile(variant, engines, precision, networks, entries));
                }
            }
        }
        for (String technique : ablations) {
            entries.add(compile("upscale-" + technique, on(Variant.UPSCALE, engineSets.isEmpty() ? "" : engineSets.getFirst())
                    .without(EngineArguments.technique(technique)), networks));
        }
        return entries;
    }

    /** A bound has the plan of what it bounds. */
    private Entry compile(String label, String engines, String precision, Networks networks, List<Entry> others) {
        Variant variant = label.equals(COPY_FREE) ? Variant.UPSCALE : EngineArguments.variant(label);
        String name = engines.isEmpty() || engines.equals(engineSets.getFirst()) ? label : label + "@" + engines.replace(',', '+');
        CompileOptions options = on(variant, engines);
        String full = precision.equals(precisions.getFirst()) ? name : name + "@" + precision;
        Optional<Entry> same = others.stream().filter(other -> full.equals(other.name.replaceFirst(Variant.UPSCALE.label(), COPY_FREE))).findFirst();
        return same.map(valid -> new Entry(full, valid.variant, valid.options, valid.plan))
                .orElseGet(() -> compile(full, options.withPrecision(EngineArguments.precision(precision)), networks));
    }

    /** @param engines as they are named on the command line; "" for all */
    private static CompileOptions on(Variant variant, String engines) {
        return engines.isEmpty() ? CompileOptions.of(variant) : new CompileOptions(variant, EngineArguments.known(List.of(engines.split(","))));
    }

    private Entry compile(String name, CompileOptions chosen, Networks networks) {
        progress("compile %s ...", name);
        CompileOptions options = EngineArguments.chosenBy(costs, threads,
                EngineArguments.gathering(gathers,
                        EngineArguments.laidOut(inputLayout, direct ? chosen.without(Technique.WINOGRAD) : chosen)));
        return new Entry(name, options.variant(), options, Upscale.compile(networks.of(options.variant()), options));
    }

    /**
     * All run in the same memory, inputs and outputs included, so that where the system puts pages favours none. Those of one plan share its
     * packed weights too: nothing differs between a plan and its bound but the copies.
     */
    private Contender open(Entry entry, List<Contender> others, SessionMemory memory, Networks networks) {
        SessionOptions session = session(entry.name, entry.options).withMemory(memory);
        Optional<Contender> same = others.stream().filter(other -> other.plan == entry.plan).findFirst();
        Runner runner = same.isPresent() ? same.get().runner.beside(session)
                : others.isEmpty() ? Runner.open(entry.plan, session, networks.inputs())
                : others.getFirst().runner.beside(entry.plan, session, networks.inputs());
        return new Contender(entry.name, entry.variant, entry.options, entry.plan, runner);
    }

    private SessionOptions session(String contender, CompileOptions options) {
        SessionOptions session = SessionOptions.threads(threads);
        if (options.without().contains(Technique.FETCH_AHEAD)) {
            session = session.withoutFetching();
        }
        return contender.startsWith(COPY_FREE) ? session.withoutCopies() : session;
    }

    private Rival open(String peer, Variant variant, byte[] network, Networks networks) {
        progress("open %s on the %s network ...", peer, variant == Variant.UNPRUNED ? "unpruned" : "exported");
        return new Rival(peer, variant, Peers.named(peer).open(network, threads, peerInputs(networks)));
    }

    static List<Peer.Input> peerInputs(Networks networks) {
        return networks.inputs().entrySet().stream().map(input -> new Peer.Input(input.getKey(),
                input.getValue().type().dims().stream().mapToLong(Integer::longValue).toArray(), input.getValue().floats())).toList();
    }

    private int compare(Networks networks, List<Contender> contenders, List<Rival> rivals) {
        Map<String, Difference> differences = new LinkedHashMap<>();
        if (!unchecked) {
            for (Contender contender : contenders) {
                progress("check %s ...", contender.name);
                if (contender.isValid()) {
                    contender.runner.run();
                    differences.put(contender.name, Difference.of(contender.runner.outputs(), networks.truth(contender.variant)));
                }
            }
            for (Rival rival : rivals) {
                progress("check %s ...", rival.name());
                rival.session.run();
                differences.put(rival.name(), Difference.of(rival.session.outputs(), networks.truth(rival.variant)));
            }
        }
        Contest contest = new Contest().pauseBeforeTurns(threads == 1 ? Duration.ZERO : rivals.stream().map(rival -> Peers.named(rival.peer).spinning())
                .max(Comparator.naturalOrder()).orElse(Duration.ZERO));
        contenders.forEach(contender -> contest.add(contender.name, contender.runner::run));
        rivals.forEach(rival -> contest.add(rival.name(), rival.session::run));
        int count = contenders.size() + rivals.size();
        progress("time %d contenders for %.0f s ...", count, seconds * count);
        CoreDistance distance = new CoreDistance();
        if (threads > 1) {
            contest.beforeRounds(distance::sample);
        }
        contest.run(Duration.ofMillis((long) (1000 * seconds * count)), 5);
        Map<String, Double> overBounds = overBounds(contenders);
        Map<String, StepTimes> steps = new LinkedHashMap<>();
        if (profiled) {
            contenders.forEach(contender -> steps.put(contender.name, steps(contender, networks)));
        }
        if (traces.isAskedFor()) {
            traces.write(watch -> {
                Map<String, Profile> profiles = new LinkedHashMap<>();
                contenders.stream().filter(Contender::isValid).forEach(contender -> profiles.put(contender.name, profile(contender, networks, watch)));
                return profiles;
            });
        }
        if (report != null) {
            write(networks, contenders, rivals, contest, differences);
        }
        Optional<Timing> apart = threads > 1 ? Optional.of(distance.timing()) : Optional.empty();
        print(report(networks, contenders, rivals, contest, apart, differences, overBounds, steps),
                describe(contenders, rivals, contest, differences) + describeBounds(overBounds) + apart.map(BenchCommand::describe).orElse("") + describe(steps));
        boolean passed = contenders.stream().filter(contender -> differences.containsKey(contender.name))
                        .allMatch(contender -> differences.get(contender.name).isWithin(VerifyCommand.tolerance(contender.options.precision())))
                && rivals.stream().filter(rival -> differences.containsKey(rival.name()))
                        .allMatch(rival -> differences.get(rival.name()).isWithin(VerifyCommand.TOLERANCE));
        return passed ? 0 : Main.FAILED;
    }

    private StepTimes steps(Contender contender, Networks networks) {
        int stepThreads = threads / contender.plan.workers(threads);
        return StepTimes.of(profile(contender, networks), contender.options.costs().map(costs -> costs.onThreads(stepThreads)));
    }

    /** Where a contender's time goes, in a session that keeps the times of its steps. */
    private Profile profile(Contender contender, Networks networks) {
        return profile(contender, networks, Runner.Watch.NONE);
    }

    private Profile profile(Contender contender, Networks networks, Runner.Watch watch) {
        progress("profile %s ...", contender.name);
        return Runner.profile(contender.plan, session(contender.name, contender.options), networks.inputs(), PROFILED_RUNS, watch);
    }

    private void write(Networks networks, List<Contender> contenders, List<Rival> rivals, Contest contest, Map<String, Difference> differences) {
        BenchPage pageOf = new BenchPage(model.name(), threads, contest);
        contenders.forEach(contender -> pageOf.add(contender.name, contender.plan, differences.get(contender.name)));
        rivals.forEach(rival -> pageOf.add(rival.name(), differences.get(rival.name())));
        if (page != null) {
            pageOf.show(maps(contenders, networks));
        }
        for (Contender contender : compared(contenders)) {
            pageOf.compare(contender.name, contender.plan, profile(contender, networks));
        }
        OutputFile.write(report, file -> Files.writeString(file, pageOf.html()));
        progress("the report is in %s", report);
    }

    /** The baseline and ours, or what comes first and last. */
    private static List<Contender> compared(List<Contender> contenders) {
        List<Contender> both = contenders.stream().filter(one -> List.of(Variant.BASELINE.label(), Variant.UPSCALE.label()).contains(one.name)).toList();
        return both.size() == 2 || contenders.size() == 1 ? both.isEmpty() ? contenders : both : List.of(contenders.getFirst(), contenders.getLast());
    }

    private TextMaps maps(List<Contender> contenders, Networks networks) {
        TextMaps maps = new TextMaps(page, contenders.getFirst().plan);
        contenders.stream().filter(contender -> contender.variant == Variant.UNPRUNED || contender.variant == Variant.UPSCALE)
                .filter(Contender::isValid).forEach(contender -> {
                    contender.runner.run();
                    maps.put(contender.name, contender.runner.outputs().getFirst());
                });
        if (compensated != null) {
            Graph graph = model.read(compensated);
            Plan plan = Upscale.compile(graph);
            try (Runner runner = Runner.open(plan, SessionOptions.threads(threads), networks.inputs())) {
                runner.run();
                maps.put("upscale, compensated", runner.outputs().getFirst());
            }
        }
        return maps;
    }

    private static String describe(Map<String, StepTimes> steps) {
        StringBuilder text = new StringBuilder();
        steps.forEach((name, times) -> text.append('\n').append(name).append('\n').append(times.describe(SLOWEST_STEPS)));
        return text.toString();
    }

    private static String describe(Timing distance) {
        return String.format(Locale.ROOT, "%ncores are %.0f ns apart (a cache line there and back; quartiles %.0f to %.0f)%n",
                distance.medianNs(), distance.p25Ns(), distance.p75Ns());
    }

    private Report report(Networks networks, List<Contender> contenders, List<Rival> rivals, Contest contest, Optional<Timing> distance,
            Map<String, Difference> differences, Map<String, Double> overBounds, Map<String, StepTimes> steps) {
        Map<String, Map<String, Object>> byVariant = new LinkedHashMap<>();
        for (Contender contender : contenders) {
            Map<String, Object> fields = PlanFields.of(contender.plan);
            fields.putAll(times(contender.name, contest, differences));
            if (overBounds.containsKey(contender.name)) {
                fields.put("ratioToCopyFree", overBounds.get(contender.name));
            }
            fields.put("gflops", 2 * contender.plan.multiplyAdds() / contest.timing(contender.name).medianNs());
            if (profiled) {
                fields.put("profile", steps.get(contender.name));
            }
            byVariant.put(contender.name, fields);
        }
        Map<String, Map<String, Map<String, Object>>> byPeer = new LinkedHashMap<>();
        rivals.forEach(rival -> byPeer.computeIfAbsent(rival.peer, peer -> new LinkedHashMap<>())
                .put(rival.network(), times(rival.name(), contest, differences)));
        int batch = networks.inputs().values().stream().findFirst().map(input -> input.type().rank() == 0 ? 1 : input.type().dim(0)).orElse(1);
        return new Report(model.name(), batch, threads, contest.rounds(), distance.map(Timing::fields).orElse(Map.of()), byVariant, byPeer);
    }

    private static String describeBounds(Map<String, Double> overBounds) {
        StringBuilder text = new StringBuilder();
        overBounds.forEach((name, ratio) -> text.append(String.format(Locale.ROOT, "%n%s takes %.3f times as long as without its copies%n", name, ratio)));
        return text.toString();
    }

    /** The time of each plan over that of its bound, the two by themselves. */
    private Map<String, Double> overBounds(List<Contender> contenders) {
        Map<String, Double> ratios = new LinkedHashMap<>();
        for (Contender contender : contenders) {
            boundOf(contender, contenders).ifPresent(bound -> {
                progress("time %s and %s ...", contender.name, bound.name);
                Contest contest = new Contest().add(contender.name, contender.runner::run).add(bound.name, bound.runner::run);
                contest.runWarm(BOUND_ROUNDS, Duration.ofMillis((long) (1000 * MOST_TIMES_FOR_A_BOUND * seconds)));
                ratios.put(contender.name, contest.ratio(contender.name, bound.name));
            });
        }
        return ratios;
    }

    private static Optional<Contender> boundOf(Contender contender, List<Contender> contenders) {
        return contenders.stream().filter(other -> contender.isValid() && !other.isValid() && other.plan == contender.plan).findFirst();
    }

    private Map<String, Object> times(String name, Contest contest, Map<String, Difference> differences) {
        Map<String, Object> fields = contest.timing(name).fields();
        if (variants.contains(Variant.UNPRUNED.label())) {
            fields.put("ratioToUnpruned", contest.ratio(name, Variant.UNPRUNED.label()));
        }
        if (differences.containsKey(name)) {
            fields.put("maxAbs", differences.get(name).maxAbs());
            fields.put("relL2", differences.get(name).relL2());
        }
        return fields;
    }

    private String describe(List<Contender> contenders, List<Rival> rivals, Contest contest, Map<String, Difference> differences) {
        Table table = new Table("variant", "median", "quartiles", "of unpruned", "copies", "copied", "difference");
        for (Contender contender : contenders) {
            Map<String, Object> fields = PlanFields.of(contender.plan);
            row(table, contender.name, contest, differences, String.valueOf(fields.get("copies")), Table.bytes((long) fields.get("copyBytes")));
        }
        rivals.forEach(rival -> row(table, rival.name(), contest, differences, "", ""));
        return table.toString();
    }

    private void row(Table table, String name, Contest contest, Map<String, Difference> differences, String copies, String copied) {
        Timing timing = contest.timing(name);
        table.row(name, Table.time(timing.medianNs()), Table.time(timing.p25Ns()) + " to " + Table.time(timing.p75Ns()),
                variants.contains(Variant.UNPRUNED.label())
                        ? String.format(Locale.ROOT, "%.3f", contest.ratio(name, Variant.UNPRUNED.label())) : "",
                copies, copied,
                differences.containsKey(name) ? String.format(Locale.ROOT, "%.1e", differences.get(name).relL2()) : "not checked");
    }
}
