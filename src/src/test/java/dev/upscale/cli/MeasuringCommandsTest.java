package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.upscale.Upscale;
import dev.upscale.channels.PatternFile;
import dev.upscale.compile.Technique;
import dev.upscale.prune.Heuristic;
import dev.upscale.prune.PruneOptions;
import dev.upscale.prune.Pruner;
import dev.upscale.runtime.cpu.CpuCatalog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** verify, bench and demo. */
class MeasuringCommandsTest {
    private static final List<String> VARIANTS = List.of("unpruned", "constrained", "baseline", "paper", "upscale");

    @TempDir
    private Path folder;

    private Path model;
    private Path pattern;

    @BeforeEach
    void prune() throws IOException {
        model = DemoFiles.model(folder);
        pattern = folder.resolve("pattern.json");
        PatternFile.write(Pruner.prune(Upscale.read(model), Heuristic.L2, 0.5, PruneOptions.Method.UNCONSTRAINED), pattern);
    }

    @Test
    void allVariantsComputeWhatTheMaskedModelComputes() {
        for (int batch : new int[] {1, 3}) {
            JsonNode report = CommandLineRun.of("verify", model, "--pattern", pattern, "--batch", batch, "--costs", "builtin", "--json").json();
            for (String variant : VARIANTS) {
                JsonNode difference = report.get("variants").get(variant);
                assertTrue(difference.get("relL2").doubleValue() < 2e-5 && difference.get("maxAbs").doubleValue() < 1e-3, variant + " " + difference);
            }
        }
    }

    @Test
    void bf16HasAToleranceOfItsOwn() {
        assumeTrue(CpuCatalog.hasBf16(), "this CPU has no AVX-512 BF16");
        JsonNode report = CommandLineRun.of("verify", model, "--pattern", pattern, "--precision", "bf16", "--costs", "builtin", "--json").json();
        assertEquals(1e-1, report.get("tolerance").doubleValue());
        assertTrue(report.get("passed").booleanValue());
        double difference = report.get("variants").get("upscale").get("relL2").doubleValue();
        assertTrue(2e-5 < difference && difference < 2e-2, "relative L2 " + difference);
        assertEquals(1, CommandLineRun.of("verify", model, "--precision", "bf16", "--tolerance", "2e-5", "--costs", "builtin").exitCode());
    }

    @Test
    void benchTimesPrecisionsSideBySide() {
        assumeTrue(CpuCatalog.hasBf16(), "this CPU has no AVX-512 BF16");
        JsonNode variants = CommandLineRun.of("bench", model, "--variants", "unpruned", "--precision", "f32,bf16", "--seconds", "0.05", "--costs",
                "builtin", "--json").json().get("variants");
        assertTrue(variants.get("unpruned").get("relL2").doubleValue() < 2e-5);
        assertTrue(variants.get("unpruned@bf16").get("relL2").doubleValue() > 2e-5);
        assertTrue(variants.get("unpruned@bf16").get("ratioToUnpruned").doubleValue() > 0);
    }

    @Test
    void aDifferenceAboveTheToleranceFails() {
        CommandLineRun run = CommandLineRun.of("verify", model, "--pattern", pattern, "--variants", "upscale", "--tolerance", "1e-12");
        assertEquals(1, run.exitCode());
        assertTrue(run.out().contains("ABOVE"), run.out());
    }

    @Test
    void benchTimesEveryVariant() {
        JsonNode report = CommandLineRun.of("bench", model, "--pattern", pattern, "--seconds", "0.05", "--costs", "builtin", "--json").json();
        assertEquals(1, report.get("batch").intValue());
        assertEquals(1, report.get("threads").intValue());
        for (String variant : VARIANTS) {
            JsonNode fields = report.get("variants").get(variant);
            long median = fields.get("medianNs").longValue();
            assertTrue(0 < fields.get("p25Ns").longValue() && fields.get("p25Ns").longValue() <= median
                    && median <= fields.get("p75Ns").longValue(), variant + " " + fields);
            assertTrue(fields.get("ratioToUnpruned").doubleValue() > 0, variant);
            assertTrue(fields.get("copies").isIntegralNumber() && fields.get("arenaBytes").isIntegralNumber(), variant);
        }
        assertEquals(1, report.get("variants").get("unpruned").get("ratioToUnpruned").doubleValue());
    }

    @Test
    void enginesAreTimedInTheSameTurns() {
        JsonNode report = CommandLineRun.of("bench", model, "--pattern", pattern, "--seconds", "0.05", "--variants", "unpruned,upscale",
                "--engines", "upscale,onednn,xnnpack", "--engines", "java", "--costs", "builtin", "--json").json();
        assertEquals(List.of("unpruned", "upscale", "unpruned@java", "upscale@java"), List.copyOf(report.get("variants").propertyNames()));
    }

    @Test
    void whatIsLeftOutIsLeftOutOnTheFirstEngines() {
        JsonNode report = CommandLineRun.of("bench", model, "--pattern", pattern, "--seconds", "0.05", "--variants", "upscale", "--without", "order",
                "--engines", "java", "--engines", "upscale,onednn,xnnpack", "--costs", "builtin", "--profile", "--json").json();
        JsonNode steps = report.get("variants").get("upscale-order").get("profile").get("steps");
        assertTrue(steps.valueStream().allMatch(step -> step.get("kernel").stringValue().startsWith("java.")), steps.toString());
    }

    @Test
    void onSeveralThreadsTheDistanceOfTheCoresIsSampledInEachRound() {
        Object[] line = {"bench", model, "--variants", "unpruned", "--seconds", "0.05", "--costs", "builtin", "--json", "--threads", "1"};
        assertTrue(CommandLineRun.of(line).json().get("coreDistance").isEmpty());
        line[line.length - 1] = "2";
        JsonNode report = CommandLineRun.of(line).json();
        JsonNode distance = report.get("coreDistance");
        assertEquals(report.get("rounds").intValue(), distance.get("runs").intValue());
        assertTrue(distance.get("p25Ns").longValue() > 0 && distance.get("medianNs").longValue() >= distance.get("p25Ns").longValue(), distance.toString());
    }

    @Test
    void eachTechniqueCanBeLeftOutAndEveryResultStaysRight() {
        String all = String.join(",", Arrays.stream(Technique.values()).map(Technique::label).toList());
        CommandLineRun run = CommandLineRun.of("bench", model, "--pattern", pattern, "--seconds", "0.02", "--variants", "unpruned,upscale,copy-free",
                "--without", all, "--costs", "builtin", "--json");
        assertEquals(0, run.exitCode(), run.err());
        JsonNode variants = run.json().get("variants");
        assertEquals(3 + Technique.values().length, variants.size());
        assertEquals(0, variants.get("upscale").get("copies").intValue());
        assertTrue(variants.get("upscale-index").get("copies").intValue() > 0, variants.toString());
        assertTrue(variants.get("upscale-fusion").get("steps").intValue() > variants.get("upscale").get("steps").intValue());
        assertTrue(variants.get("upscale-order").has("relL2") && !variants.get("copy-free").has("relL2"), "a bound has no valid results");
        assertTrue(variants.get("upscale").get("ratioToCopyFree").doubleValue() > 0, variants.toString());
        assertTrue(variants.valueStream().filter(fields -> fields.has("ratioToCopyFree")).count() == 1, "a bound of one plan alone");
    }

    @Test
    void aProfileSaysWhereTheTimeGoesAndHowWellItWasPredicted() {
        JsonNode profile = CommandLineRun.of("bench", model, "--pattern", pattern, "--seconds", "0.05", "--variants", "upscale",
                "--costs", "measured", "--profile", "--json").json().get("variants").get("upscale").get("profile");
        long sum = 0;
        for (JsonNode step : profile.get("steps")) {
            sum += step.get("ns").longValue();
        }
        assertEquals(profile.get("totalNs").longValue(), sum);
        JsonNode prediction = profile.get("prediction");
        assertTrue(prediction.get("steps").intValue() > 0 && prediction.get("median").doubleValue() > 0, prediction.toString());
        assertTrue(prediction.get("least").doubleValue() <= prediction.get("median").doubleValue(), prediction.toString());
    }

    @Test
    void aPeerIsTimedOnTheNetworkAndOnItsExport() {
        JsonNode report = CommandLineRun.of("bench", model, "--pattern", pattern, "--seconds", "0.05", "--variants", "unpruned",
                "--peers", "interpreter", "--costs", "builtin", "--json").json();
        for (String network : List.of("unpruned", "export")) {
            JsonNode fields = report.get("peers").get("interpreter").get(network);
            assertTrue(fields.get("medianNs").longValue() > 0 && fields.get("ratioToUnpruned").doubleValue() > 0, network + " " + fields);
            assertTrue(fields.get("relL2").doubleValue() < 2e-5, network + " " + fields);
        }
    }

    @Test
    void argumentsThatCannotBeAreRefused() {
        CommandLineRun.of("bench", model, "--variants", "fast").refused("fast");
        CommandLineRun.of("bench", model, "--threads", "-1").refused("--threads");
        CommandLineRun.of("bench", model, "--seconds", "0").refused("--seconds");
        CommandLineRun.of("bench", model, "--peers", "nobody", "--variants", "unpruned").refused("nobody");
        CommandLineRun.of("verify", model, "--engines", "magic").refused("magic");
        CommandLineRun.of("verify", model, "--costs", "guessed").refused("guessed", "builtin");
        CommandLineRun.of("verify", model, "--input", folder.resolve("absent.npy")).refused("absent.npy");
        CommandLineRun.of("demo", "--amount", "1.5", "--html", folder.resolve("x.html")).refused("amount 1.5");
        CommandLineRun.of("demo", "--images", "7").refused("--images 7");
    }

    @Test
    void theDemonstrationShowsAllVariantsAndWritesAPage() throws IOException {
        Path html = folder.resolve("demo.html");
        JsonNode report = CommandLineRun.of("demo", "--images", 40, "--seconds", "0.05", "--curve", "none", "--html", html, "--json").json();
        for (String variant : VARIANTS) {
            JsonNode fields = report.get("variants").get(variant);
            assertTrue(fields.get("relL2").doubleValue() < 2e-5, variant);
            assertTrue(fields.get("top1").doubleValue() >= 0 && fields.get("medianNs").longValue() > 0, variant);
        }
        assertTrue(report.get("variants").get("unpruned").get("top1").doubleValue() > 0.8);
        String page = Files.readString(html);
        assertTrue(page.startsWith("<!doctype html>") && page.contains("prefers-color-scheme: dark") && page.contains("viewport"));
        assertTrue(VARIANTS.stream().allMatch(page::contains));
        assertTrue(!page.contains("http") && !page.contains("<script"), "the page stands alone");
    }
}
