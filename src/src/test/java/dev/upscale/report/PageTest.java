package dev.upscale.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class PageTest {

    @Test
    void whatIsTextStaysText() {
        String page = new Page("<b>&\"", "a < b", List.of(new Glossary("<i>", "", Map.of("<script>", "\u0000")),
                new Figures("\"x\"", "", List.of(List.of("<td>"), List.of("</table>"))))).html();
        assertTrue(page.contains("<title>&lt;b&gt;&amp;&quot;</title>") && page.contains("aria-label=\"&quot;x&quot;\"") && page.contains("\uFFFD"), page);
        assertFalse(page.contains("<script>") || page.contains("<td></table>"), page);
    }

    @Test
    void stepsArePairedByNameAndOthersStandAlone() {
        List<Step> baseline = steps("a", "gather", "b", "c");
        List<Step> upscale = steps("a", "b", "d", "c");
        assertEquals("a-a gather- b-b -d c-c", StepComparison.align(baseline, upscale).stream()
                .map(pair -> (pair.before() < 0 ? "" : baseline.get(pair.before()).name()) + "-" + (pair.after() < 0 ? "" : upscale.get(pair.after()).name()))
                .collect(Collectors.joining(" ")));
    }

    private static List<Step> steps(String... names) {
        View view = View.rowMajor(View.Place.ARENA, 0, List.of(1, 1));
        return Stream.of(names).<Step>map(name -> new Step.Copy(name, "java.copy", Step.Copy.Kind.GATHER, dev.upscale.plan.Operand.of(view), view, "")).toList();
    }

    @Test
    void curvesSayAllTheirPointsInWordsToo() {
        Curves curves = new Curves("Accuracy over time", "", Curves.Measure.time("time"), Curves.Measure.percent("top-1"),
                List.of(new Curves.Series("ours", List.of(new Curves.Point("10 %", 1.5e6, 0.912), new Curves.Point("20 %", 1.2e6, 0.9)))));
        String body = curves.body();
        assertTrue(body.contains("aria-label=\"ours: 10 % 1.50 ms 91.2 %, 20 % 1.20 ms 90.0 %\""), body);
        assertTrue(body.contains("<td>20 %</td><td>1.20 ms</td><td>90.0 %</td>"), body);
        assertThrows(IllegalArgumentException.class, () -> new Curves("", "", curves.x(), curves.y(), List.of()));
    }

    @Test
    void anAxisThatBeginsJustBelowNoughtSaysNought() {
        String html = new Curves("Accuracy over time", "", Curves.Measure.time("time"), Curves.Measure.percent("top-1"),
                List.of(new Curves.Series("ours", List.of(new Curves.Point("a", 1e4, 0.9), new Curves.Point("b", 1e6, 0.8))))).body();
        assertTrue(html.contains(">0 µs</span>") && !html.contains(">-0"), html);
    }

    /** Of 450 µs and 500 µs, at 25 % and 98 %, the latter has no room for its label on a telephone, and one label gives no scale. */
    @Test
    void anAxisHasTwoLabelsThatHaveRoom() {
        String html = new Curves("Accuracy over time", "", Curves.Measure.time("time"), Curves.Measure.percent("top-1"),
                List.of(new Curves.Series("ours", List.of(new Curves.Point("a", 436_730, 0.8), new Curves.Point("b", 497_730, 0.9))))).body();
        List<String> labels = Pattern.compile("left:([\\d.]+)%\">([^<]+)</span>").matcher(html.substring(html.indexOf("class=\"xs\""))).results()
                .map(label -> label.group(2) + " at " + Math.round(Double.parseDouble(label.group(1)))).toList();
        assertEquals(List.of("450 µs at 25", "475 µs at 61"), labels);
    }

    @Test
    void aMapIsAPngFile() {
        byte[] png = HeatMap.png(2, 1, new float[] {0, 2});
        assertEquals(0x89, png[0] & 0xff);
        assertEquals("IHDR", new String(png, 12, 4, java.nio.charset.StandardCharsets.US_ASCII));
        assertEquals("IEND", new String(png, png.length - 8, 4, java.nio.charset.StandardCharsets.US_ASCII));
    }
}
