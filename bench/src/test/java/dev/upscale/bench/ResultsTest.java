package dev.upscale.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What measured documents become. */
class ResultsTest {
    private static final Path PROJECT = Files.exists(Path.of("README.md")) ? Path.of("") : Path.of("..");

    private static final String DOCTOR = """
            {"version": "9.9", "java": {"version": "25.0.1", "home": "/secret/jdk"}, "system": "Linux amd64", "cores": 4,
             "processor": {"processor": "Example CPU", "vectors": ["avx2", "fma"], "caches": ["32 kB", "1 MB"]},
             "libraries": [{"name": "oneDNN", "found": true, "version": "3.13", "instructionSet": "avx2", "file": "/secret/libdnnl.so"},
                           {"name": "XNNPACK", "found": false}],
             "peers": [{"name": "onnxruntime", "version": "1.29.0"}]}""";

    private static final String BENCH = """
            {"model": "MODEL.onnx.gz", "batch": 1, "threads": 1, "variants": {
              "unpruned":    {"copies": 0, "copyBytes": 0,       "hiddenCopyBytes": 0, "foldedBytes": 0,    "multiplyAdds": 2000000000,
                              "medianNs": 80000000, "p25Ns": 79000000, "p75Ns": 81000000, "ratioToUnpruned": 1,   "relL2": 2e-7},
              "constrained": {"copies": 0, "copyBytes": 0,       "hiddenCopyBytes": 0, "foldedBytes": 0,    "multiplyAdds": 1040000000,
                              "medianNs": 44000000, "p25Ns": 44000000, "p75Ns": 45000000, "ratioToUnpruned": 0.55, "relL2": 1e-7},
              "baseline":    {"copies": 9, "copyBytes": 4321000, "hiddenCopyBytes": 0, "foldedBytes": 0,    "multiplyAdds": 1000000000,
                              "medianNs": 72000000, "p25Ns": 70000000, "p75Ns": 79200000, "ratioToUnpruned": 0.9,  "relL2": 1e-7},
              "paper":       {"copies": 4, "copyBytes": 99900,   "hiddenCopyBytes": 0, "foldedBytes": 0,    "multiplyAdds": 1000000000,
                              "medianNs": 64000000, "p25Ns": 64000000, "p75Ns": 65000000, "ratioToUnpruned": 0.8,  "relL2": 1e-7},
              "upscale":     {"copies": 0, "copyBytes": 0,       "hiddenCopyBytes": 0, "foldedBytes": 2500, "multiplyAdds": 1000000000,
                              "medianNs": 40000000, "p25Ns": 40000000, "p75Ns": 41000000, "ratioToUnpruned": UPSCALE, "relL2": 3e-7}},
             "peers": PEERS}""";

    private static final String PEERS = """
            {"onnxruntime": {"unpruned": {"medianNs": 100000000, "p25Ns": 99000000, "p75Ns": 101000000, "ratioToUnpruned": 1.25, "relL2": 1e-7},
                             "export":   {"medianNs": 60000000,  "p25Ns": 60000000, "p75Ns": 61000000,  "ratioToUnpruned": 0.75, "relL2": 4e-7}}}""";

    /** One network against a peer, and another that was measured without it. */
    private static final List<ResultsDocument> DOCUMENTS =
            List.of(ResultsDocument.of(document("first", "0.5", PEERS)), ResultsDocument.of(document("second_net", "0.72", "{}")));

    @TempDir
    private Path folder;

    private static JsonNode document(String model, String upscale, String peers) {
        String bench = BENCH.replace("MODEL", model).replace("UPSCALE", upscale).replace("PEERS", peers);
        return ResultsDocument.assemble(JsonMapper.shared().readTree(DOCTOR), JsonMapper.shared().readTree(bench), "l2_0.5", "2026-01-02", "abc1234");
    }

    @Test
    void theReadmeShowsRatiosAndCopies() {
        assertEquals("""
                Time of the pruned network over the unpruned one's (lower is better), and its share of multiply-adds; of every convolution but the \
                first and the depthwise ones, the 50 % of input channels with the smallest L2 norms are pruned.
                Batch 1, one thread; Example CPU, 4 cores (avx2, fma; caches of 32 kB, 1 MB), Linux amd64.

                ![The figures of the table below as bars](docs/figures/networks.svg)

                | network | multiply-adds left | baseline | paper | upscale | copies left (baseline, paper, upscale) |
                | --- | ---: | ---: | ---: | ---: | ---: |
                | first | 0.50 | 0.90 | 0.80 | **0.50** | 9, 4, 0 |
                | second_net | 0.50 | 0.90 | 0.80 | **0.72** | 9, 4, 0 |
                | geometric mean | 0.50 | 0.90 | 0.80 | **0.60** |  |

                `bench/measure.sh` measures again, on your machine, and rewrites this table.
                """, ResultsTables.readme(DOCUMENTS));
    }

    @Test
    void theReadmeComparesWithThePeerWhereAllNetworksWere() {
        String page = ResultsTables.readme(DOCUMENTS.subList(0, 1));
        assertTrue(page.contains("| over ONNX Runtime | unpruned | pruned |\n| --- | ---: | ---: |\n"
                + "| batch 1, one thread | 0.80 (at most 0.80) | 0.67 (at most 0.67) |\n"), page);
    }

    @Test
    void techniquesBoundsAndPredictionsAreShownWhereTheyWereMeasured() {
        String bench = BENCH.replace("MODEL", "first").replace("UPSCALE", "0.5").replace("PEERS", "{}").replace("\"variants\": {", """
                "variants": {
                  "upscale-index": {"copies": 2, "copyBytes": 50000, "hiddenCopyBytes": 0, "foldedBytes": 0, "multiplyAdds": 1000000000,
                                    "medianNs": 44000000, "p25Ns": 44000000, "p75Ns": 45000000, "ratioToUnpruned": 0.55, "relL2": 1e-7},
                  "copy-free": {"copies": 0, "copyBytes": 0, "hiddenCopyBytes": 0, "foldedBytes": 0, "multiplyAdds": 1000000000,
                                "medianNs": 40000000, "p25Ns": 40000000, "p75Ns": 41000000, "ratioToUnpruned": 0.499,
                                "profile": {"totalNs": 1, "steps": [{"name": "left out"}]}},""");
        JsonNode kept = ResultsDocument.assemble(JsonMapper.shared().readTree(DOCTOR), JsonMapper.shared().readTree(bench), "l2_0.5", "2026-01-02", "abc1234");
        assertFalse(kept.toString().contains("left out"), kept.toString());
        String page = ResultsTables.benchmarks(List.of(ResultsDocument.of(kept)));
        assertTrue(page.contains("| without | first |\n| --- | ---: |\n| `index` | **1.10**, 2 copies (50.0 kB) |\n"), page);
        assertTrue(page.contains("`upscale` takes 1.002 times as long as `copy-free`, its bound (geometric mean; at most 1.002)."), page);
        String within = JsonMapper.shared().writeValueAsString(kept).replace("\"ratioToUnpruned\":0.5,", "\"ratioToUnpruned\":0.5,\"ratioToCopyFree\":1.001,");
        String exact = ResultsTables.benchmarks(List.of(ResultsDocument.of(JsonMapper.shared().readTree(within))));
        assertTrue(exact.contains("`upscale` takes 1.001 times as long as `copy-free`"), exact);
        assertFalse(ResultsTables.benchmarks(DOCUMENTS).contains("Ablation"));
    }

    @Test
    void theBenchmarksPageShowsAllFigures() {
        assertEquals("""
                ### Batch 1, one thread

                Example CPU, 4 cores (avx2, fma; caches of 32 kB, 1 MB), Linux amd64; upscale 9.9, JDK 25.0.1, oneDNN 3.13 (avx2), onnxruntime 1.29.0; measured on \
                2026-01-02 at commit abc1234.
                Of every convolution but the first and the depthwise ones, the 50 % of input channels with the smallest L2 norms are pruned.

                **Unpruned**, against ONNX Runtime:

                | network | 10⁹ multiply-adds | ours | GFLOP/s | ONNX Runtime | GFLOP/s | ours over ONNX Runtime |
                | --- | ---: | ---: | ---: | ---: | ---: | ---: |
                | first | 2.000 | 80.00 ms | 50.0 | 100.00 ms | 40.0 | 0.80 |
                | second_net | 2.000 | 80.00 ms | 50.0 |  |  |  |
                | geometric mean |  |  |  |  |  | 0.80 |

                **Pruned**: time over the unpruned network's, on our kernels:

                | network | multiply-adds left | constrained | baseline | paper | upscale |
                | --- | ---: | ---: | ---: | ---: | ---: |
                | first | 0.50 | 0.55 | 0.90 | 0.80 | 0.50 |
                | second_net | 0.50 | 0.55 | 0.90 | 0.80 | 0.72 |
                | geometric mean | 0.50 | 0.55 | 0.90 | 0.80 | 0.60 |

                **Copies** in one run, and what they write; what `upscale` writes because a gather was folded into a kernel, and within libraries:

                | network | unpruned | constrained | baseline | paper | upscale | folded | in libraries |
                | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
                | first | 0 | 0 | 9 (4.32 MB) | 4 (99.9 kB) | 0 | 2.5 kB | 0 |
                | second_net | 0 | 0 | 9 (4.32 MB) | 4 (99.9 kB) | 0 | 2.5 kB | 0 |

                **ONNX Runtime on the export** of `upscale`:

                | network | ONNX Runtime | over ONNX Runtime, unpruned | `upscale` over ONNX Runtime on the export |
                | --- | ---: | ---: | ---: |
                | first | 60.00 ms | 0.60 | 0.67 |
                | second_net |  |  |  |
                | geometric mean |  | 0.60 | 0.67 |

                Largest relative L2 difference of any output from the reference engine: 4.0e-07 (`onnxruntime@export` of first).
                The quartiles of a contender's times lie apart by 2.4 % of its median (median over all contenders; at most 12.8 %).

                """, ResultsTables.benchmarks(DOCUMENTS));
    }

    @Test
    void theFigureDrawsWhatTheTableSays() throws Exception {
        String svg = ResultsFigure.svg(DOCUMENTS);
        Document document = DocumentBuilderFactory.newInstance().newDocumentBuilder()
                .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
        assertEquals("svg", document.getDocumentElement().getTagName());
        assertTrue(svg.contains("prefers-color-scheme: dark"));
        assertFalse(Pattern.compile("href|url\\(|<script").matcher(svg).find(), "the figure stands alone");
        // The axis ends at 1, 232 units from where bars begin.
        for (String bar : List.of("baseline\" x=\"144.0\" y=\"107.0\" width=\"208.8", "upscale\" x=\"144.0\" y=\"133.0\" width=\"116.0")) {
            assertTrue(svg.contains("<rect class=\"" + bar + "\""), bar + "\n" + svg);
        }
        for (String text : List.of("batch 1, one thread, Example CPU; lower is better", "second_net", "copies 9, 4, 0", "geometric mean", "0.72")) {
            assertTrue(svg.contains(">" + text + "</text>"), text);
        }
    }

    @Test
    void theMachineIsDescribedWithoutItsPaths() {
        assertFalse(document("first", "0.5", PEERS).toString().contains("secret"));
    }

    @Test
    void patternsAreComparedAtEqualTimeBetweenTheNeighboursOnTheFrontier() {
        String point = """
                {"network": "first", "heuristic": "l2", "method": "METHOD", "amount": AMOUNT, "compensated": true, "top1": TOP1, "timeRatio": TIME}""";
        List<String> points = new ArrayList<>();
        for (String[] values : new String[][] {{"unconstrained", "0.5", "0.5", "0.4"}, {"unconstrained", "0.4", "0.45", "0.5"}, {"constrained", "0.5", "0.7", "0.7"}}) {
            points.add(point.replace("METHOD", values[0]).replace("AMOUNT", values[1]).replace("TOP1", values[2]).replace("TIME", values[3]));
        }
        String tables = PruningResults.of(JsonMapper.shared().readTree("""
                {"images": 100, "timesDate": "2026-01-02", "unpruned": {"first": 0.8}, "points": POINTS, "large": [], "tune": [
                  {"network": "first", "latencyRatio": 0.7, "predictedRatio": 0.69, "measuredRatio": 0.7, "timeRatio": 0.7, "top1": 0.66},
                  {"network": "first", "latencyRatio": 0.3, "predictedRatio": 0.29, "measuredRatio": 0.3, "top1": 0.4}]}""".replace("POINTS", points.toString()))).tables();
        // The slower, less accurate point is none of the frontier: half of the way from (0.4, 0.5) to the unpruned (1, 0.8).
        assertTrue(tables.contains("| first, 0.7 | 0.690 | 0.700 | 0.700 | 0.6600 | 0.6500 | 0.7000 |\n"), tables);
        assertTrue(tables.contains("| first, 0.3 | 0.290 | 0.300 | – | 0.4000 | – | – |\n"), tables);
        assertTrue(tables.contains("0 of the 1 that were timed"), tables);
    }

    @Test
    void aFileThatIsNotOneIsNamed() throws Exception {
        for (String content : List.of("{\"network\": \"first\"}", "{", "[]", "")) {
            Files.writeString(folder.resolve("broken.json"), content);
            String message = assertThrows(IllegalArgumentException.class, () -> ResultsDocument.readAll(folder)).getMessage();
            assertTrue(message.contains("broken.json"), message);
        }
    }

    @Test
    void thePagesSayWhatTheResultsSay() throws Exception {
        Path results = PROJECT.resolve("docs/results");
        List<ResultsDocument> documents = ResultsDocument.readAll(results);
        for (String page : Results.PAGES) {
            assertEquals(Results.page(PROJECT.resolve(page), results), Files.readString(PROJECT.resolve(page)),
                    page + ": bench/measure.sh --page rewrites it");
        }
        if (!documents.isEmpty()) {
            assertEquals(ResultsFigure.svg(ResultsTables.headline(documents)), Files.readString(PROJECT.resolve("docs/figures/networks.svg")),
                    "docs/figures/networks.svg: bench/measure.sh --page rewrites it");
        }
    }

    @Test
    void plansForGpusThatFailedOrWereNotMadeAreShown() {
        GpuPlans.Row built = new GpuPlans.Row("net", "half", "h100", "f16", "paper", 12, 12, 3, "", 2, 1_500_000, 250_000, 20, 25, 18, 2, 100);
        GpuPlans.Row failed = GpuPlans.Row.failed("net", "half", "h100", "f16", "upscale", "no kernel", 1);
        String page = GpuResults.plans(List.of(built, failed));
        assertTrue(page.contains("Built: 12 of 12 convolutions in 2 plans; 1 plan failed."), page);
        assertTrue(page.contains("| net | half | h100 | f16 | –, 12, failed | –, 12, failed | –, 1.50, failed | –, 0.25, failed | –, 0.1, failed |\n"), page);
        assertTrue(page.contains("| `paper` | 12 | 3 | 1.50 | 0.25 | 0 of 1 | 0.1, 0.1 |\n"), page);
        assertTrue(page.contains("| `upscale` | 0 | 0 | 0.00 | 0.00 | 0 of 0 | – |\n"), page);
    }

    @Test
    void bf16StandsBesideF32AndApartFromTheOtherDocuments() throws Exception {
        String times = "\"copies\": 0, \"copyBytes\": 0, \"hiddenCopyBytes\": 0, \"foldedBytes\": 0, \"multiplyAdds\": 1000000, \"p25Ns\": 1, \"p75Ns\": 1, ";
        String bench = """
                {"model": "first.onnx", "batch": 1, "threads": 1, "peers": {}, "variants": {
                  "unpruned":      {TIMES "medianNs": 80000000, "ratioToUnpruned": 1,    "relL2": 2e-7},
                  "unpruned@bf16": {TIMES "medianNs": 60000000, "ratioToUnpruned": 0.75, "relL2": 3e-3},
                  "upscale":       {TIMES "medianNs": 40000000, "ratioToUnpruned": 0.5,  "relL2": 2e-7},
                  "upscale@bf16":  {TIMES "medianNs": 25000000, "ratioToUnpruned": 0.3,  "relL2": 4e-4}}}""".replace("TIMES", times);
        JsonNode kept = ResultsDocument.assemble(JsonMapper.shared().readTree(DOCTOR), JsonMapper.shared().readTree(bench), "l2_0.5", "2026-01-02", "abc1234");
        Files.writeString(folder.resolve("bf16.first.batch1.threads1.json"), kept.toString());
        assertEquals(List.of(), ResultsDocument.readAll(folder));
        String table = PrecisionResults.tables(ResultsDocument.readAll(folder, PrecisionResults.PREFIX));
        assertTrue(table.contains("| first | 80.00 | 60.00 | 0.75 | 3.0e-03 | 40.00 | 25.00 | 0.60 | 4.0e-04 |"), table);
        assertTrue(table.contains("| geometric mean |  |  | 0.75 |  |  |  | 0.60 |  |"), table);
        assertTrue(table.contains("Example CPU, 4 cores (avx2, fma; caches of 32 kB, 1 MB), Linux amd64; upscale 9.9"), table);
    }

    @Test
    void ourTimeIsComparedWithTheBestPeerOfEachNetwork() throws Exception {
        String pytorch = """
                , "pytorch": {"unpruned": {"medianNs": 90000000, "p25Ns": 90000000, "p75Ns": 90000000, "ratioToUnpruned": 1.125, "relL2": 1e-7},
                              "export":   {"medianNs": 70000000, "p25Ns": 70000000, "p75Ns": 70000000, "ratioToUnpruned": 0.875, "relL2": 4e-7}}}""";
        String peers = PEERS.substring(0, PEERS.lastIndexOf('}')) + pytorch;
        Files.writeString(folder.resolve("pytorch.first.batch1.threads1.json"), document("first", "0.5", peers).toString());
        assertEquals(List.of(), ResultsDocument.readAll(folder));
        String tables = PytorchResults.tables(ResultsDocument.readAll(folder, PytorchResults.PREFIX));
        assertTrue(tables.contains("| first | 80.00 | 100.00 | 90.00 | 0.89 | 40.00 | 60.00 | 70.00 | 0.67 |\n"), tables);
        assertTrue(tables.contains("PyTorch takes 0.9 and 1.2 times as long as ONNX Runtime"), tables);
    }
}
