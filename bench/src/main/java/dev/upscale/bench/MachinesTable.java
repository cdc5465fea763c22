package dev.upscale.bench;

import dev.upscale.bench.ResultsTables.Setting;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/** The headline figures of all machines side by side. */
final class MachinesTable {
    private static final String PEER = "onnxruntime";
    private static final String NONE = "Not measured yet: `bench/measure.sh` and `bench/kernels.sh` measure.\n";

    private final Set<String> processors = new LinkedHashSet<>();
    /** By the name of a figure, then by processor. */
    private final Map<String, Map<String, String>> figures = new LinkedHashMap<>();

    private MachinesTable() {}

    /** The table of folders of results; what two of them hold of one processor is taken from the first. */
    static String of(List<Path> folders) throws IOException {
        List<ResultsDocument> networks = new ArrayList<>();
        List<KernelResults> kernels = new ArrayList<>();
        for (Path folder : folders) {
            networks.addAll(ResultsDocument.readAll(folder));
            kernels.addAll(KernelResults.readAll(folder));
        }
        return of(networks, kernels);
    }

    static String of(List<ResultsDocument> networks, List<KernelResults> kernels) {
        MachinesTable table = new MachinesTable();
        networks.forEach(document -> table.processors.add(document.origin().processor()));
        kernels.forEach(document -> table.processors.add(document.processor()));
        table.networks(networks);
        table.kernels(kernels);
        return table.processors.isEmpty() ? NONE : table.text();
    }

    private void networks(List<ResultsDocument> documents) {
        ResultsTables.bySetting(documents).forEach((setting, all) -> {
            Map<String, Map<String, ResultsDocument>> byProcessor = new LinkedHashMap<>();
            all.forEach(document -> byProcessor.computeIfAbsent(document.origin().processor(), processor -> new TreeMap<>())
                    .putIfAbsent(document.network(), document));
            byProcessor.forEach((processor, networks) -> network(setting, processor, List.copyOf(networks.values())));
        });
    }

    private void network(Setting setting, String processor, List<ResultsDocument> documents) {
        String name = ResultsTables.capital(setting.toString());
        figure(name + ": ours over ONNX Runtime, unpruned", processor,
                KernelResults.ratio(ResultsTables.mean(documents, document -> document.ratio("unpruned", PEER))));
        figure(name + ": `upscale` over unpruned", processor, KernelResults.ratio(ResultsTables.mean(documents, document -> document.ratio("upscale"))));
    }

    private void kernels(List<KernelResults> documents) {
        kernels(documents, "our kernels over the best library", document ->
                KernelResults.ratio(document.mean(KernelResults.Row::overLibraries)) + ", worst " + KernelResults.ratio(document.worst(KernelResults.Row::overLibraries)));
        kernels(documents, "by index over dense, median", document ->
                KernelResults.ratio(document.median(KernelResults.Row::indexOverDense)) + ", worst " + KernelResults.ratio(document.worst(KernelResults.Row::indexOverDense)));
    }

    private void kernels(List<KernelResults> documents, String what, Function<KernelResults, String> figure) {
        documents.forEach(document -> figure(KernelResults.setting(document.isa(), document.threads()) + ": " + what, document.processor(),
                figure.apply(document)));
    }

    private void figure(String name, String processor, String value) {
        figures.computeIfAbsent(name, key -> new LinkedHashMap<>()).putIfAbsent(processor, value);
    }

    private String text() {
        List<String> heads = new ArrayList<>(List.of("geometric means"));
        heads.addAll(processors);
        MarkdownTable table = new MarkdownTable(heads.toArray(String[]::new));
        figures.forEach((name, values) -> {
            List<String> cells = new ArrayList<>(List.of(name));
            processors.forEach(processor -> cells.add(values.getOrDefault(processor, "–")));
            table.row(cells.toArray(String[]::new));
        });
        return table.toString();
    }
}
