package dev.upscale.compile;

import dev.upscale.compile.Fusion.Fused;
import dev.upscale.graph.Function;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.TensorType;
import dev.upscale.graph.Window;
import dev.upscale.plan.Accelerator;
import dev.upscale.plan.Constant;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Plan;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * From a graph to a plan: nodes are fused, tensors get a place, kernels are chosen, copies are inserted where no kernel
 * reads or writes a tensor where it lies, and the arena is laid out.
 *
 * <p>Images and matrices lie channels-last. Slices, takes of channels, reshapes, transpositions and expansions are other
 * views of the same memory as long as their readers take them; concats are written in place by their producers.
 */
final class Lowering {

    /** Room behind each tensor that vector kernels may read beyond it, in bytes. */
    private static final int PADDING_BYTES = 128;

    private final Graph graph;
    private final CompileOptions options;
    private final Map<String, String> obstacles;
    private final KernelCatalog catalog;
    private final KernelChoice kernels;
    private final Map<String, Accelerator.LibraryPlan> libraryPlans = new LinkedHashMap<>();
    private final List<Fused> fused;
    private final Placement placement;
    private final ProductLayout products;
    private final Map<String, String> roots;
    private final Map<String, Integer> readsLeft = new HashMap<>();
    private final Map<String, Location> locations = new HashMap<>();
    private final Map<String, View> dense = new HashMap<>();
    private final Map<String, Storage> storages = new LinkedHashMap<>();
    private final Map<String, Constant> constants = new LinkedHashMap<>();
    private final Map<List<Integer>, String> indices = new HashMap<>();
    private final List<Step> steps = new ArrayList<>();
    private int compiledForSteps;

    /**
     * Where a tensor is read: a view, and the channels of it if they are not all of them in order.
     *
     * @param index the name of the index constant, or ""
     */
    private record Location(View view, String index) {
        Operand operand() {
            return new Operand(view, index);
        }
    }

    private Lowering(Graph graph, KernelCatalog catalog, CompileOptions options, Map<String, String> obstacles) {
        this.graph = graph;
        this.options = options;
        this.obstacles = obstacles;
        this.catalog = catalog;
        this.kernels = new KernelChoice(catalog, options);
        this.fused = options.uses(Technique.FUSION) ? Fusion.of(graph) : Fusion.none(graph);
        this.placement = Placement.of(graph, fused, options);
        this.products = ProductLayout.of(graph, fused, options);
        this.roots = Placement.roots(graph);
    }

    /**
     * The plan of a graph that passes have folded, ordered and pruned.
     *
     * @param obstacles by node, why what it reads is not contiguous, where it is not
     */
    static Plan lower(
            Graph graph, KernelCatalog catalog, CompileOptions options, int consumers, Map<String, String> obstacles) {
        return SiblingChoice.of(graph, options, merged -> SegmentChoice.of(merged, options,
                chosen -> new Lowering(chosen, catalog, options, obstacles).lower(consumers))).complete(catalog);
    }

    /**
     * A plan without what the catalog adds to it.
     *
     * @param compiledForSteps steps whose library compiles code for them when the plan is loaded
     */
    record Lowered(Plan plan, List<Accelerator.LibraryPlan> libraryPlans, int compiledForSteps) {
        Lowered withPlan(Plan other) {
            return new Lowered(other, libraryPlans, compiledForSteps);
        }

        private Plan complete(KernelCatalog catalog) {
            return catalog.complete(plan, libraryPlans);
        }
    }

    private Lowered lower(int consumers) {
        placement.storages().forEach(storage -> storages.put(storage.name(), storage));
        List<Plan.Port> inputs = graph.inputs().stream().map(this::input).toList();
        inputs.forEach(port -> locations.put(port.name(), new Location(port.view(View.Place.Kind.INPUT), "")));
        countReads();
        for (Fused step : fused) {
            emit(step);
            step.inputs().stream().map(this::root).distinct().forEach(owner -> readsLeft.merge(owner, -1, Integer::sum));
        }
        graph.outputs().forEach(this::emitOutput);
        ArenaLayout arena = ArenaLayout.of(storages.values(), steps);
        Plan plan = new Plan(graph.name(), options.variant().label(), options.target().name(), inputs,
                graph.outputs().stream().map(this::output).toList(), arena.steps(), usedConstants(), arena.bytes(),
                arena.lowerBoundBytes(), consumers);
        return new Lowered(plan, List.copyOf(libraryPlans.values()), compiledForSteps);
    }

    private Plan.Port input(String tensor) {
        TensorType type = graph.type(tensor);
        boolean channelsLast = options.channelsLastInputs() && type.rank() == 4;
        return new Plan.Port(tensor, type.dims(), channelsLast ? Optional.of(Plan.PortLayout.CHANNELS_LAST) : Optional.empty());
    }

    private Plan.Port output(String tensor) {
        return new Plan.Port(tensor, graph.type(tensor).dims());
    }

    /** How many steps, views among them, still read the memory of a tensor, by the tensor that owns it. */
    private void countReads() {
        for (Fused step : fused) {
            step.inputs().stream().map(this::root).distinct().forEach(owner -> readsLeft.merge(owner, 1, Integer::sum));
        }
        graph.outputs().forEach(output -> readsLeft.merge(root(output), 1, Integer::sum));
    }

    private String root(String tensor) {
        return roots.getOrDefault(tensor, tensor);
    }

    private void emit(Fused step) {
        switch (step.node().op()) {
            case Op.Conv conv -> convolve(step, conv, graph.type(step.node().input(0)).dims());
            case Op.Linear linear -> {
                Window pixel = Window.square(1, 1, 0);
                TensorType type = graph.type(step.node().input(0));
                int inner = type.dim(type.rank() - 1);
                convolve(step, new Op.Conv(pixel, 1), List.of((int) (type.elements() / inner), inner));
            }
            case Op.Concat concat -> concat(step, concat);
            case Op.Slice slice when slice.axis() == 1 && options.variant() == Variant.BASELINE && slice.step() > 0 -> {
                View source = plain(step.node().input(0), step.name());
                View part = Views.slice(source, slice.axis(), slice.start(), slice.size(), slice.step());
                locations.put(step.output(), new Location(part, ""));
                packed(step.output(), Step.Copy.Kind.GATHER, "the baseline gathers all channels that are not the whole");
                locations.put(step.output(), new Location(dense.get(step.output()), ""));
            }
            case Op.Slice slice when slice.step() > 0 && slice.axis() == 1 && isIndexed(step.node().input(0)) ->
                select(step, HoistSelections.selection(step.node()).orElseThrow());
            case Op.Slice slice when slice.step() > 0 -> {
                View source = plain(step.node().input(0), step.name());
                View view = Views.slice(source, slice.axis(), slice.start(), slice.size(), slice.step());
                locations.put(step.output(), new Location(view, ""));
            }
            case Op.Take take when take.axis() == 1 && Placement.isImage(graph.type(step.output())) ->
                select(step, take.indices());
            case Op.Transpose transpose -> {
                View source = plain(step.node().input(0), step.name());
                locations.put(step.output(), new Location(Views.transpose(source, transpose.permutation()), ""));
            }
            case Op.Expand expand -> {
                View source = plain(step.node().input(0), step.name());
                locations.put(step.output(), new Location(Views.expand(source, expand.dims()), ""));
            }
            case Op.Reshape reshape -> reshape(step, reshape);
            default -> compute(step);
        }
    }

    private boolean isIndexed(String tensor) {
        return !location(tensor).index().isEmpty();
    }

    /** Channels of a tensor, where they lie. */
    private void select(Fused step, List<Integer> channels) {
        Location source = location(step.node().input(0));
        List<Integer> positions = channels;
        if (!source.index().isEmpty()) {
            int[] before = constants.get(source.index()).ints();
            positions = channels.stream().map(channel -> before[channel]).toList();
        }
        locations.put(step.output(), new Location(source.view(), index(positions)));
    }

    /** Where a tensor lies, weights included. */
    private Location location(String tensor) {
        if (graph.isWeight(tensor)) {
            return new Location(constantView(tensor, graph.type(tensor).dims()), "");
        }
        return locations.get(tensor);
    }

    private View constantView(String weight, List<Integer> dims) {
        constants.computeIfAbsent(weight, name ->
                Constant.f32(graph.type(weight).dims(), graph.weight(weight).floats()));
        return View.rowMajor(new View.Place(View.Place.Kind.CONSTANT, weight), 0, dims);
    }

    private String index(List<Integer> positions) {
        return indices.computeIfAbsent(positions, key -> {
            String name = "index." + indices.size();
            constants.put(name, Constant.i32(positions.stream().mapToInt(Integer::intValue).toArray()));
            return name;
        });
    }

    /** A view without an index: takes are gathered. */
    private View plain(String tensor, String reader) {
        Location location = location(tensor);
        return location.index().isEmpty()
                ? location.view()
                : packed(tensor, Step.Copy.Kind.GATHER, "the view that " + reader + " takes of it has no index");
    }

    /** A dense copy of a tensor in the layout that kernels like best; made once. */
    private View packed(String tensor, Step.Copy.Kind kind, String reason) {
        return packed(tensor, kind, reason, Optional.empty());
    }

    private View packed(String tensor, Step.Copy.Kind kind, String reason, Optional<List<Step.Copy.Choice>> choices) {
        return dense.computeIfAbsent(tensor, key -> {
            Location location = location(tensor);
            Storage storage = storage(tensor + ".packed", graph.type(tensor));
            View view = dense(storage.place(), graph.type(tensor));
            add(kernels.copy(new Step.Copy(tensor, "", kind, location.operand(), view, reason, choices)));
            return view;
        });
    }

    private void copy(String name, Step.Copy.Kind kind, Operand source, View destination, String reason) {
        add(kernels.copy(new Step.Copy(name, "", kind, source, destination, reason)));
    }

    private View dense(View.Place place, TensorType type) {
        return Placement.dense(place, type, options.target().element());
    }

    private Storage storage(String stem, TensorType type) {
        String name = stem;
        for (int number = 1; storages.containsKey(name); number++) {
            name = stem + "." + number;
        }
        return storage(name, dense(View.Place.ARENA, type).extentBytes());
    }

    private Storage storage(String name, long bytes) {
        Storage storage = new Storage(name, bytes + PADDING_BYTES);
        storages.put(name, storage);
        return storage;
    }

    /** Adds a step; its workspace becomes a storage of its own. */
    private void add(KernelChoice.Chosen chosen) {
        Step step = chosen.step();
        int place = steps.size();
        chosen.libraryPlan().ifPresent(plan -> libraryPlans.put(plan.name(), plan));
        compiledForSteps += chosen.isCompiledForStep() ? 1 : 0;
        if (chosen.workspaceBytes() > 0) {
            Storage workspace = storage("workspace." + place, chosen.workspaceBytes());
            workspace.touch(place);
            View view = View.rowMajor(workspace.place(), 0,
                    List.of(Math.toIntExact(Math.ceilDiv(chosen.workspaceBytes(), View.ELEMENT_BYTES))));
            step = KernelChoice.withWorkspace(step, view);
        }
        steps.add(step);
        touch(step.destination(), place);
        step.sources().forEach(source -> touch(source.view(), place));
    }

    private void touch(View view, int step) {
        if (view.place().kind() == View.Place.Kind.ARENA) {
            storages.get(view.place().name()).touch(step);
        }
    }

    /** Where a step's result goes: where placement wants it, in place of a source that dies with it, or new memory. */
    private View destination(Fused step, List<String> inPlace) {
        TensorType type = graph.type(step.output());
        Optional<View> placed = placement.view(step.output());
        if (placed.isPresent()) {
            return placed.get();
        }
        for (String candidate : inPlace) {
            if (dies(candidate) && graph.type(candidate).equals(type)) {
                Location location = location(candidate);
                if (location.index().isEmpty() && location.view().equals(dense(location.view().place(), type))
                        && location.view().place().kind() == View.Place.Kind.ARENA) {
                    return location.view();
                }
            }
        }
        View.Place place = storage(step.output(), type).place();
        return products.view(step.output(), place, type, options.target().element()).orElseGet(() -> dense(place, type));
    }

    /** Whether a tensor has memory to itself, and the step at hand is the last to read it. */
    private boolean dies(String tensor) {
        return !graph.isWeight(tensor)
                && root(tensor).equals(tensor)
                && readsLeft.getOrDefault(tensor, 0) == 1
                && placement.view(tensor).isEmpty();
    }

    private void convolve(Fused step, Op.Conv conv, List<Integer> sourceDims) {
        Node node = step.node();
        TensorType type = graph.type(step.output());
        List<Integer> rows = sourceDims.size() == 2 ? List.of(sourceDims.get(0), type.dim(type.rank() - 1)) : type.dims();
        TensorType weight = graph.type(node.input(1));
        List<Integer> weightDims = weight.rank() == 2 ? List.of(weight.dim(0), weight.dim(1), 1, 1) : weight.dims();
        constants.putIfAbsent(node.input(1), Constant.f32(weightDims, graph.weight(node.input(1)).floats()));
        String bias = node.inputs().size() > 2 ? node.input(2) : "";
        if (!bias.isEmpty()) {
            constantView(bias, graph.type(bias).dims());
        }
        long outputs = rows.stream().mapToLong(Integer::longValue).reduce(1, (a, b) -> a * b);
        long multiplyAdds = outputs * weightDims.get(1) * weightDims.get(2) * weightDims.get(3);
        // In place of the addend, unless the convolution still reads it while it writes.
        List<String> inPlace = step.addend().stream()
                .filter(addend -> !options.target().isGpu()) // cuDNN does not say that a result may overwrite what is added
                .filter(addend -> !root(addend).equals(root(node.input(0))))
                .toList();
        Operand source = rowsOf(node.input(0), sourceDims);
        Optional<Operand> addend = step.addend().map(tensor -> rowsOf(tensor, rows));
        java.util.function.Function<View, Step.Convolve> into = place -> new Step.Convolve(step.name(), "", conv, source, node.input(1), bias,
                addend, step.activation(), shaped(place, rows), Optional.empty(), multiplyAdds);
        View destination = destination(step, inPlace);
        Step.Convolve exact = into.apply(destination);
        boolean addsInPlace = step.addend().isPresent() && exact.addend().get().view().equals(exact.destination());
        if (addsInPlace && (kernels.copiesInside(exact)
                || !kernels.take(exact) && kernels.take(into.apply(dense(View.Place.ARENA, type))))) {
            // Without a kernel that adds, the sum is a step of its own, and needs the addend after the convolution.
            destination = destination(step, List.of());
            exact = into.apply(destination);
        }
        List<KernelChoice.Chosen> chosen = kernels.convolve(exact, new Detours(exact, node.input(0), sourceDims));
        chosen.forEach(this::add);
        locations.put(step.output(), new Location(destination, ""));
    }

    /** Of one convolution, which reads a tensor. */
    private final class Detours implements KernelChoice.Detours {
        private final Step.Convolve exact;
        private final String tensor;
        private final List<Integer> sourceDims;

        Detours(Step.Convolve exact, String tensor, List<Integer> sourceDims) {
            this.exact = exact;
            this.tensor = tensor;
            this.sourceDims = sourceDims;
        }

        @Override
        public Operand pack(String reason) {
            Operand source = exact.source();
            View packed = source.isIndexed()
                    ? packed(tensor, Step.Copy.Kind.GATHER, obstacles.getOrDefault(exact.name(), reason) + "; " + notFolded(), choices())
                    : packed(tensor, kindOf(source.view()), reason);
            return Operand.of(shaped(packed, sourceDims));
        }

        @Override
        public Optional<List<KernelChoice.Chosen>> cover(KernelChoice kernels) {
            int[] positions = constants.get(exact.source().index()).ints();
            if (exact.conv().groups() == positions.length) {
                return depthwise(kernels, positions);
            }
            if (exact.conv().groups() != 1) {
                return Optional.empty();
            }
            ReadChoice choice = ReadChoice.of(ReadChoice.Read.of(exact, positions), options);
            if (!choice.isCovered() || options.weighsGathers() && choice.gatherNanos() < choice.coverNanos()) {
                return Optional.empty();
            }
            List<Step.Convolve> parts = choice.cover().runs().stream().map(run -> part(choice.cover(), run)).toList();
            return Accumulation.of(kernels, exact, parts, () -> {
                Storage scratch = storage(exact.name() + ".part", exact.destination().bytes());
                View place = exact.destination().rank() == 4
                        ? View.channelsLast(scratch.place(), 0, exact.destination().dims(), exact.destination().dim(1))
                        : View.rowMajor(scratch.place(), 0, exact.destination().dims());
                return place.of(exact.destination().element());
            });
        }

        /** Each run of channels by itself. */
        private Optional<List<KernelChoice.Chosen>> depthwise(KernelChoice kernels, int[] positions) {
            List<KernelChoice.Chosen> steps = new ArrayList<>();
            int multiplier = exact.destination().dim(1) / positions.length;
            for (ChannelRun run : ChannelRun.of(positions)) {
                ChannelRun outputs = new ChannelRun(run.at() * multiplier, 0, run.span() * multiplier);
                Optional<Operand> addend = exact.addend().map(operand -> Operand.of(outputs.destination(operand.view())));
                Optional<List<KernelChoice.Chosen>> part = kernels.fusedOrSplit(new Step.Convolve(exact.name(), "",
                        new Op.Conv(exact.conv().window(), run.span()), Operand.of(run.source(exact.source().view())),
                        rows(exact.weights(), outputs), exact.bias().isEmpty() ? "" : rows(exact.bias(), outputs), addend,
                        exact.activation(), outputs.destination(exact.destination()), Optional.empty(),
                        exact.multiplyAdds() / positions.length * run.span()));
                if (part.isEmpty() || exact.addend().filter(Operand::isIndexed).isPresent()) {
                    return Optional.empty();
                }
                steps.addAll(part.get());
            }
            return Optional.of(steps);
        }

        /** Some rows of a weight tensor or a bias. */
        private String rows(String weights, ChannelRun rows) {
            String name = weights + " from " + rows.at() + " to " + (rows.at() + rows.span() - 1);
            constants.computeIfAbsent(name, key -> {
                Constant whole = constants.get(weights);
                List<Integer> dims = new ArrayList<>(whole.dims());
                int row = whole.elements() / dims.getFirst();
                dims.set(0, rows.span());
                return Constant.f32(dims, Arrays.copyOfRange(whole.floats(), rows.at() * row, (rows.at() + rows.span()) * row));
            });
            return name;
        }

        private Step.Convolve part(Cover cover, Cover.Run run) {
            String name = exact.weights() + " over " + exact.source().index() + " from " + run.first();
            constants.computeIfAbsent(name, key -> cover.weights(constants.get(exact.weights()), run));
            boolean first = run.equals(cover.runs().getFirst());
            return new Step.Convolve(exact.name(), "", exact.conv(), Operand.of(exact.source().view().slice(1, run.first(), run.span())), name,
                    first ? exact.bias() : "", Optional.empty(), Function.NONE, exact.destination(), Optional.empty(),
                    exact.multiplyAdds() / cover.positions().length * run.span());
        }

        /** What there is to choose from beside the gather, and what each is estimated to take. */
        private Optional<List<Step.Copy.Choice>> choices() {
            if (exact.conv().groups() != 1 || options.target().isGpu()) {
                return Optional.empty();
            }
            ReadChoice.Read read = ReadChoice.Read.of(exact, constants.get(exact.source().index()).ints());
            List<Step.Copy.Choice> choices = ReadChoice.of(read, options).described(read, options);
            if (maker() instanceof Op.Binary) {
                choices.add(new Step.Copy.Choice("the addition made again for these channels", Math.round(
                        LibraryCosts.add(read.pixels() * read.channels())
                                + LibraryCosts.addAgain(read.pixels() * read.positions().length, true))));
            }
            choices.add(new Step.Copy.Choice("a kernel that reads by index (engine upscale)", 0));
            return Optional.of(choices);
        }

        /** Why the gather is no part of the pass before it. */
        private String notFolded() {
            return switch (maker()) {
                case null -> "it cannot be folded into an input of the network";
                case Op.Concat concat -> "it cannot be folded into a concat, whose parts their producers write";
                case Op.Binary sum -> "it is not folded into the addition before it, since "
                        + (options.gathers() ? "the variant gathers" : "that is estimated to take longer, or left out");
                default -> "it cannot be folded into a " + maker().getClass().getSimpleName()
                        + ", whose kernels write one output, and whose result others read whole";
            };
        }

        /** The operation whose result the channels are chosen from, activations apart. */
        private Op maker() {
            Node node = graph.producer(root(tensor)).orElse(null);
            while (node != null && node.op() instanceof Op.Apply) {
                node = graph.producer(root(node.input(0))).orElse(null);
            }
            return node == null ? null : node.op();
        }
    }

    private static Step.Copy.Kind kindOf(View source) {
        return source.pixelStride() < 0 ? Step.Copy.Kind.LAYOUT : Step.Copy.Kind.SLICE;
    }

    /** A tensor as a matrix of rows, if that is asked for; where its memory does not allow it, it is packed. */
    private Operand rowsOf(String tensor, List<Integer> dims) {
        Location location = location(tensor);
        if (location.view().rank() == dims.size()) {
            return location.operand();
        }
        View view = plain(tensor, "a matrix product");
        return Operand.of(Views.reshape(view, dims)
                .orElseGet(() -> shaped(packed(tensor, Step.Copy.Kind.LAYOUT, "its rows do not follow each other"), dims)));
    }

    private static View shaped(View view, List<Integer> dims) {
        return view.dims().equals(dims) ? view : Views.reshape(view, dims).orElseThrow(() ->
                new IllegalStateException("no view " + dims + " of " + view));
    }

    private void compute(Fused step) {
        Node node = step.node();
        boolean elementwise = node.op() instanceof Op.Apply || node.op() instanceof Op.ScaleShift
                || node.op() instanceof Op.Binary;
        List<Operand> sources = node.inputs().stream().map(input -> location(input).operand()).toList();
        // In place of a source, unless another source is the same memory read in another order.
        List<String> inPlace = node.inputs().stream()
                .filter(candidate -> elementwise && node.inputs().stream().noneMatch(other ->
                        root(other).equals(root(candidate)) && !location(other).equals(location(candidate))))
                .toList();
        View destination = destination(step, inPlace);
        Step.Compute candidate = new Step.Compute(
                step.name(), "", node.op(), sources, step.activation(), destination, Optional.empty());
        add(kernels.compute(candidate, (input, reason) -> {
            String tensor = node.input(input);
            Location location = location(tensor);
            return Operand.of(packed(tensor,
                    location.operand().isIndexed() ? Step.Copy.Kind.GATHER : kindOf(location.view()), reason));
        }));
        locations.put(step.output(), new Location(destination, ""));
    }

    private void concat(Fused step, Op.Concat concat) {
        Node node = step.node();
        View whole = destination(step, List.of());
        locations.put(step.output(), new Location(whole, placement.positions(step.output()).map(this::index).orElse("")));
        if (placement.isElided(node)) {
            return;
        }
        int start = 0;
        for (String part : node.inputs()) {
            int size = graph.type(part).dim(concat.axis());
            View place = whole.slice(concat.axis(), start, size);
            Location location = location(part);
            if (!location.view().equals(place) || !location.index().isEmpty()) {
                copy(step.name() + " ← " + part, Step.Copy.Kind.CONCAT, location.operand(), place,
                        concat.axis() == 1 ? placement.refusal(part) : "a concat along another dimension than channels");
            }
            start += size;
        }
    }

    private void reshape(Fused step, Op.Reshape reshape) {
        String source = step.node().input(0);
        View view = plain(source, step.name());
        View reshaped = Views.reshape(view, reshape.dims()).orElseGet(() -> {
            Storage storage = storage(step.output(), graph.type(source));
            View rowMajor = View.rowMajor(storage.place(), 0, view.dims()).of(options.target().element());
            copy(step.name(), Step.Copy.Kind.LAYOUT, Operand.of(view), rowMajor,
                    "a reshape to " + reshape.dims() + " needs " + view.dims() + " in row-major order");
            return Views.reshape(rowMajor, reshape.dims()).orElseThrow();
        });
        locations.put(step.output(), new Location(reshaped, ""));
    }

    /** Brings an output of the network where the caller wants it, unless it was made there. */
    private void emitOutput(String output) {
        Location location = location(output);
        View.Place place = new View.Place(View.Place.Kind.OUTPUT, output);
        if (!location.view().place().equals(place)) {
            View wanted = View.rowMajor(place, 0, graph.type(output).dims());
            Step.Copy.Kind kind = location.operand().isIndexed() ? Step.Copy.Kind.GATHER : Step.Copy.Kind.LAYOUT;
            copy(output, kind, location.operand(), wanted, "outputs of the network are in row-major order");
        }
    }

    private Map<String, Constant> usedConstants() {
        Map<String, Constant> used = new LinkedHashMap<>();
        steps.forEach(step -> step.constants().forEach(name -> used.put(name, constants.get(name))));
        return used;
    }
}
