package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.upscale.Upscale;
import dev.upscale.channels.PatternFile;
import dev.upscale.prune.Heuristic;
import dev.upscale.prune.PruneOptions;
import dev.upscale.prune.Pruner;
import dev.upscale.report.Chromium;
import dev.upscale.report.Curves;
import dev.upscale.report.Page;
import dev.upscale.report.Section;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

/** The pages that commands write, in a real browser. Pictures of them are left in target/pages. */
class ReportPageTest {
    private static final Path PICTURES = Path.of("target", "pages");

    /** The colour of each text against that of the ground below it, as WCAG 2 defines contrast; those below 4.5 to 1. */
    private static final String POOR_CONTRASTS = """
            (() => {
              const parse = text => text.match(/[\\d.]+/g).map(Number);
              const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
                .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
              const ground = element => {
                for (let e = element; e; e = e.parentElement) {
                  const c = parse(getComputedStyle(e).backgroundColor);
                  if (c.length === 3 || c[3] > 0) return c;
                }
                return [255, 255, 255];
              };
              const poor = new Set();
              const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
              while (walker.nextNode()) {
                const element = walker.currentNode.parentElement;
                if (!walker.currentNode.textContent.trim() || element.closest('svg')) continue;
                const [a, b] = [light(parse(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
                if ((a + 0.05) / (b + 0.05) < 4.5) poor.add(element.className + ' ' + walker.currentNode.textContent.slice(0, 40));
              }
              return [...poor];
            })()""";

    /** Labels of axes and points that lie on each other, on a curve or on a point. */
    private static final String COLLISIONS = """
            [...document.querySelectorAll('.plot')].flatMap(plot => {
              const labels = [...plot.querySelectorAll('span')].map(e => [e.textContent, e.getBoundingClientRect()]);
              return labels.flatMap(([a, r], i) => labels.slice(i + 1)
                .filter(([b, s]) => r.left < s.right - 1 && s.left < r.right - 1 && r.top < s.bottom - 2 && s.top < r.bottom - 2)
                .map(([b]) => a + ' on ' + b));
            }).concat([...document.querySelectorAll('.plot')].flatMap(plot => {
              const tags = [...plot.querySelectorAll('.tag')].map(e => [e.textContent, e.getBoundingClientRect()]);
              return [...plot.querySelectorAll('.line, .mark')].flatMap(path => {
                const length = path.getTotalLength(), to = path.getScreenCTM();
                return Array.from({length: 401}, (_, i) => path.getPointAtLength(length * i / 400).matrixTransform(to)).flatMap(p => tags
                  .filter(([, r]) => p.x > r.left && p.x < r.right && p.y > r.top + 1 && p.y < r.bottom - 1)
                  .map(([text]) => text + ' on a curve'));
              });
            }))""";

    /** Labels below the axis of a plot whose middle is not where their value is, and plots with fewer than two, which give no scale. */
    private static final String SHIFTED = """
            [...document.querySelectorAll('.plot .xs')].flatMap(axis => {
              const r = axis.getBoundingClientRect(), labels = [...axis.querySelectorAll('span')];
              return labels.filter(e => {
                const s = e.getBoundingClientRect();
                return Math.abs((s.left + s.right) / 2 - r.left - parseFloat(e.style.left) / 100 * r.width) > 1 || s.right > innerWidth;
              }).map(e => e.textContent).concat(labels.length < 2 ? ['only ' + labels.length] : []);
            })""";

    /** Pictures without words for those who do not see them, and regions that scroll but cannot be reached by keyboard. */
    private static final String OUT_OF_REACH = """
            [...document.querySelectorAll('img:not([alt]), svg:not([aria-hidden]):not([aria-label]), svg[aria-label=""]')].map(e => e.outerHTML.slice(0, 80))
              .concat([...document.querySelectorAll('.scroll')].filter(e => e.tabIndex !== 0 || !e.getAttribute('aria-label')).map(e => e.className))""";

    @TempDir
    private static Path folder;

    private static Map<String, Path> pages = Map.of();
    private static Chromium browser;

    @BeforeAll
    static void write() throws IOException {
        assumeTrue(Chromium.installed().isPresent(), "no Chromium is installed here (Debian package chromium); pages are not looked at");
        Path model = DemoFiles.model(folder);
        Path pattern = folder.resolve("pattern.json");
        PatternFile.write(Pruner.prune(Upscale.read(model), Heuristic.L2, 0.3, PruneOptions.Method.UNCONSTRAINED), pattern);
        pages = Map.of("demo", folder.resolve("demo.html"), "bench", folder.resolve("bench.html"), "explain", folder.resolve("explain.html"), "curves",
                folder.resolve("curves.html"), "many", folder.resolve("many.html"));
        Files.writeString(pages.get("many"), new Page("Many curves", "", IntStream.range(0, 80).mapToObj(ReportPageTest::anyCurves).toList()).html());
        Files.writeString(pages.get("curves"), new Page("Curves", "", List.of(sixCurves())).html());
        CommandLineRun.of("demo", "--images", 200, "--seconds", "0.05", "--curve", "0.1,0.2", "--report", pages.get("demo"), "--json").json();
        CommandLineRun.of("bench", model, "--pattern", pattern, "--seconds", "0.05", "--costs", "builtin", "--peers", "interpreter", "--report",
                pages.get("bench"), "--json").json();
        for (String variant : List.of("baseline", "upscale")) {
            CommandLineRun.of("compile", model, "--pattern", pattern, "--costs", "builtin", "--variant", variant, "-o", folder.resolve(variant), "--json")
                    .json();
        }
        CommandLineRun.of("explain", folder.resolve("upscale"), "--against", folder.resolve("baseline"), "--report", pages.get("explain"), "--json").json();
        browser = Chromium.start(Chromium.installed().orElseThrow());
        Files.createDirectories(PICTURES);
    }

    /** Six curves from one point, as a study draws them. */
    private static Curves sixCurves() {
        return new Curves("Accuracy over time", "", Curves.Measure.number("time over the unpruned network's", 2), Curves.Measure.percent("top-1"),
                IntStream.range(0, 6).mapToObj(curve -> new Curves.Series("heuristic " + curve + ", unconstrained, compensated",
                        IntStream.range(0, 5).mapToObj(point -> new Curves.Point(10 * point + " %", 1 - 0.15 * point + 0.01 * curve * point,
                                0.91 - 0.002 * point * point * curve)).toList())).toList());
    }

    /** Curves as commands draw them, through points that nobody chose: times of any magnitude, accuracies that fall. */
    private static Section anyCurves(int seed) {
        Random random = new Random(seed);
        double unit = Math.pow(10, 4 + 4 * random.nextDouble());
        Curves.Measure x = seed % 2 == 0 ? Curves.Measure.time("time of one image") : Curves.Measure.number("time over the unpruned network's", 2);
        int amounts = 2 + random.nextInt(8);
        List<Curves.Series> series = IntStream.range(0, 1 + random.nextInt(6)).mapToObj(curve -> {
            double speed = 0.2 + random.nextDouble();
            double steepness = 4 * random.nextDouble();
            return new Curves.Series("curve " + curve, IntStream.range(0, amounts).mapToObj(i -> new Curves.Point(5 * i + " %",
                    (seed % 2 == 0 ? unit : 1) * (1 - speed * i / amounts + 0.05 * random.nextGaussian()),
                    0.9 - 0.8 * Math.pow((double) i / amounts, steepness) * random.nextDouble())).toList());
        }).toList();
        return new Curves("Curves " + seed, "", x, Curves.Measure.percent("top-1"), series);
    }

    /** Most curves have a point with room beside it for its name. */
    @Test
    void curvesAreNamedWhereThereIsRoom() {
        browser.open(pages.get("many").toUri(), 360, 800, false);
        int curves = browser.evaluate("document.querySelectorAll('.area .line').length").intValue();
        int tags = browser.evaluate("document.querySelectorAll('.tag').length").intValue();
        assertTrue(curves > 200 && tags > 0.8 * curves, tags + " of " + curves + " curves have a name");
    }

    @AfterAll
    static void close() {
        if (browser != null) {
            browser.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"demo, 1200, light", "demo, 1200, dark", "demo, 360, light", "demo, 360, dark", "bench, 1200, light", "bench, 360, dark", "explain, 1200, dark",
        "explain, 360, light", "curves, 360, light", "curves, 1200, dark", "many, 360, light", "many, 500, light", "many, 800, light", "many, 1200, dark"})
    void aPageStandsAloneAndCanBeRead(String page, int width, String scheme) throws IOException {
        browser.open(pages.get(page).toUri(), width, 800, scheme.equals("dark"));
        assertEquals(List.of(), browser.complaints());
        assertEquals(List.of(pages.get(page).toUri().toString()), browser.requests().stream().filter(url -> !url.startsWith("data:")).toList());
        assertTrue(browser.evaluate("document.documentElement.scrollWidth").intValue() <= width, "the page is wider than " + width + " pixels");
        assertEquals("[]", browser.evaluate(POOR_CONTRASTS).toString());
        assertEquals("[]", browser.evaluate(COLLISIONS).toString());
        assertEquals("[]", browser.evaluate(SHIFTED).toString());
        assertEquals("[]", browser.evaluate(OUT_OF_REACH).toString());
        int height = Math.min(9000, browser.evaluate("document.documentElement.scrollHeight").intValue());
        browser.open(pages.get(page).toUri(), width, height, scheme.equals("dark"));
        Files.write(PICTURES.resolve(page + "-" + width + "-" + scheme + ".png"), browser.screenshot());
    }

    @Test
    void theGroundIsDarkWhereTheReaderWantsIt() {
        browser.open(pages.get("demo").toUri(), 800, 600, true);
        assertEquals("rgb(20, 23, 27)", browser.evaluate("getComputedStyle(document.body).backgroundColor").stringValue());
        browser.open(pages.get("demo").toUri(), 800, 600, false);
        assertEquals("rgb(255, 255, 255)", browser.evaluate("getComputedStyle(document.body).backgroundColor").stringValue());
    }

    @Test
    void tablesBehindPicturesOpenByKeyboard() {
        browser.open(pages.get("bench").toUri(), 800, 600, false);
        JsonNode closed = browser.evaluate("document.querySelectorAll('details[open]').length");
        browser.evaluate("document.querySelector('summary').focus()");
        browser.press("Enter", 13);
        assertEquals(closed.intValue() + 1, browser.evaluate("document.querySelectorAll('details[open]').length").intValue());
    }

    @Test
    void theMapTellsCopiesSlicesAndFoldedGathersApart() {
        browser.open(pages.get("bench").toUri(), 1200, 800, false);
        String marks = browser.evaluate("[...document.querySelectorAll('.map')].map(map => ['.dot.copy', '.edge.slice', '.edge.index']"
                + ".map(mark => map.querySelectorAll(mark).length > 0))").toString();
        assertEquals("[[true,false,false],[false,true,true]]", marks, "baseline copies, upscale reads in place");
    }
}
