package dev.upscale.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What {@code bench/measure.sh}, {@code bench/kernels.sh}, {@code bench/exports.sh}, {@code bench/gpu.sh}, {@code bench/ordering.sh} and {@code bench/siblings.sh} call: keeps what a benchmark printed as a document of {@code docs/results}, and writes the
 * tables and the figure anew from these documents.
 */
public final class Results {
    private static final String MACHINES_BEGIN = "<!-- machines: written by bench/measure.sh and bench/kernels.sh from docs/results, not by hand -->\n";
    private static final String MACHINES_END = "<!-- machines: end -->\n";
    private static final String NETWORKS_BEGIN = "<!-- measured: written by bench/measure.sh from docs/results, not by hand -->\n";
    private static final String NETWORKS_END = "<!-- measured: end -->\n";
    private static final String KERNELS_BEGIN = "<!-- kernels: written by bench/kernels.sh from docs/results, not by hand -->\n";
    private static final String KERNELS_END = "<!-- kernels: end -->\n";
    private static final String PASSES_BEGIN = "<!-- passes: written by bench/kernels.sh from docs/results, not by hand -->\n";
    private static final String PASSES_END = "<!-- passes: end -->\n";
    private static final String EXPORTS_BEGIN = "<!-- exports: written by bench/exports.sh from docs/results, not by hand -->\n";
    private static final String EXPORTS_END = "<!-- exports: end -->\n";
    private static final String PYTORCH_BEGIN = "<!-- pytorch: written by bench/measure.sh from docs/results, not by hand -->\n";
    private static final String PYTORCH_END = "<!-- pytorch: end -->\n";
    private static final String PRECISIONS_BEGIN = "<!-- bf16: written by bench/measure.sh from docs/results, not by hand -->\n";
    private static final String PRECISIONS_END = "<!-- bf16: end -->\n";
    private static final String SIBLINGS_BEGIN = "<!-- siblings: written by bench/siblings.sh from docs/results, not by hand -->\n";
    private static final String SIBLINGS_END = "<!-- siblings: end -->\n";
    private static final String PRUNING_BEGIN = "<!-- pruning: written by bench/measure.sh --page from docs/results/pruning.json, not by hand -->\n";
    private static final String PRUNING_END = "<!-- pruning: end -->\n";

    private static final String ORDERING_BEGIN = "<!-- ordering: written by bench/ordering.sh from docs/results, not by hand -->\n";
    private static final String ORDERING_END = "<!-- ordering: end -->\n";

    private static final String LAYOUTS_BEGIN = "<!-- layouts: written by bench/gpu.sh from docs/results/gpu-layouts.json, not by hand -->\n";
    private static final String LAYOUTS_END = "<!-- layouts: end -->\n";
    private static final String PLANS_BEGIN = "<!-- plans: written by bench/gpu.sh from docs/results/gpu-plans.json, not by hand -->\n";
    private static final String PLANS_END = "<!-- plans: end -->\n";
    private static final String BRANCHES_BEGIN = "<!-- branches: written by bench/gpu.sh from docs/results/gpu-plans.json, not by hand -->\n";
    private static final String BRANCHES_END = "<!-- branches: end -->\n";
    private static final String CHOICES_BEGIN = "<!-- choices: written by bench/gpu.sh from docs/results/gpu-choices.json, not by hand -->\n";
    private static final String CHOICES_END = "<!-- choices: end -->\n";

    /** The pages with tables of what was measured. */
    static final List<String> PAGES = List.of("README.md", "docs/benchmarks.md", "docs/benchmarks-zen4.md", "docs/cpu-engines.md", "docs/gpu.md", "docs/ordering.md",
            "docs/pruning.md");

    /** The folder, in that of the results, of what was measured on a machine before: {@code docs/benchmarks-zen4.md} shows it. */
    private static final String EARLIER = "zen4";

    private static final String USAGE = "usage: Results keep DOCTOR.json BENCH.json PATTERN DATE COMMIT OUT.json | Results page PROJECT";

    private Results() {}

    /** Keeps a measurement or writes the pages; exit code 2, with one line, if it cannot. */
    public static void main(String[] arguments) throws IOException {
        try {
            switch (arguments.length == 0 ? "" : arguments[0]) {
                case "keep" -> keep(List.of(arguments).subList(1, arguments.length));
                case "page" -> writePages(Path.of(arguments.length == 2 ? arguments[1] : "."));
                default -> throw new IllegalArgumentException(USAGE);
            }
        } catch (IllegalArgumentException | JacksonException e) {
            System.err.println("measure: " + e.getMessage());
            System.exit(2);
        }
    }

    private static void keep(List<String> arguments) throws IOException {
        if (arguments.size() != 6) {
            throw new IllegalArgumentException(USAGE);
        }
        JsonMapper json = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
        Path out = Path.of(arguments.get(5));
        Files.createDirectories(out.toAbsolutePath().getParent());
        Files.writeString(out, json.writeValueAsString(ResultsDocument.assemble(json.readTree(Files.readString(Path.of(arguments.get(0)))),
                json.readTree(Files.readString(Path.of(arguments.get(1)))), arguments.get(2), arguments.get(3), arguments.get(4))) + "\n");
    }

    private static void writePages(Path project) throws IOException {
        Path results = project.resolve("docs/results");
        List<ResultsDocument> documents = ResultsDocument.readAll(results);
        for (String name : PAGES) {
            Path page = project.resolve(name);
            Files.writeString(page, page(page, results));
        }
        if (!documents.isEmpty()) {
            Path figure = project.resolve("docs/figures/networks.svg");
            Files.createDirectories(figure.getParent());
            Files.writeString(figure, ResultsFigure.svg(ResultsTables.headline(documents)));
        }
    }

    /** What a page is to say, given the documents of a folder. */
    static String page(Path page, Path results) throws IOException {
        String text = Files.readString(page);
        if (page.endsWith("README.md")) {
            return replaced(page, text, NETWORKS_BEGIN, NETWORKS_END, ResultsTables.readme(ResultsDocument.readAll(results)));
        }
        if (page.endsWith("docs/cpu-engines.md")) {
            return replaced(page, precisions(page, text, results), SIBLINGS_BEGIN, SIBLINGS_END, SiblingResults.table(results));
        }
        if (page.endsWith("docs/pruning.md")) {
            return replaced(page, text, PRUNING_BEGIN, PRUNING_END, PruningResults.read(results).tables());
        }
        if (page.endsWith("docs/ordering.md")) {
            return replaced(page, text, ORDERING_BEGIN, ORDERING_END, OrderingResults.table(results));
        }
        if (page.endsWith("docs/gpu.md")) {
            String layouts = replaced(page, text, LAYOUTS_BEGIN, LAYOUTS_END, GpuResults.layouts(GpuResults.layoutsIn(results)));
            String plans = replaced(page, layouts, PLANS_BEGIN, PLANS_END, GpuResults.plans(GpuResults.plansIn(results)));
            String branches = replaced(page, plans, BRANCHES_BEGIN, BRANCHES_END, GpuResults.branches(GpuResults.plansIn(results)));
            return replaced(page, branches, CHOICES_BEGIN, CHOICES_END, GpuResults.choices(GpuResults.choicesIn(results)));
        }
        if (page.endsWith("docs/benchmarks-zen4.md")) {
            Path earlier = results.resolve(EARLIER);
            return precisions(page, networksAndKernels(page, text, earlier), earlier);
        }
        String machines = replaced(page, text, MACHINES_BEGIN, MACHINES_END, MachinesTable.of(List.of(results, results.resolve(EARLIER))));
        String peers = replaced(page, networksAndKernels(page, machines, results), PYTORCH_BEGIN, PYTORCH_END, PytorchResults.tables(ResultsDocument.readAll(results, PytorchResults.PREFIX)));
        return replaced(page, peers, EXPORTS_BEGIN, EXPORTS_END, ExportResults.tables(ExportResults.readAll(results)));
    }

    private static String networksAndKernels(Path page, String text, Path results) throws IOException {
        String networks = replaced(page, text, NETWORKS_BEGIN, NETWORKS_END, ResultsTables.benchmarks(ResultsDocument.readAll(results)));
        String both = replaced(page, networks, KERNELS_BEGIN, KERNELS_END, KernelResults.tables(KernelResults.readAll(results)));
        return replaced(page, both, PASSES_BEGIN, PASSES_END, PassResults.tables(PassResults.readAll(results)));
    }

    private static String precisions(Path page, String text, Path results) throws IOException {
        return replaced(page, text, PRECISIONS_BEGIN, PRECISIONS_END, PrecisionResults.tables(ResultsDocument.readAll(results, PrecisionResults.PREFIX)));
    }

    private static String replaced(Path page, String text, String beginning, String ending, String tables) {
        int begin = text.indexOf(beginning);
        int end = text.indexOf(ending);
        if (begin < 0 || end < begin) {
            throw new IllegalArgumentException(page + " lacks the line " + beginning.strip() + " or, after it, " + ending.strip());
        }
        return text.substring(0, begin + beginning.length()) + "\n" + tables.stripTrailing() + "\n\n" + text.substring(end);
    }
}
