package dev.upscale.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.graph.Function;
import dev.upscale.graph.GraphText;
import dev.upscale.runtime.upscale.CpuPool;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

/** Which convolutions could be merged, and what is written of their times. */
class SiblingTableTest {
    private static final int THREADS = 2;

    /** Channel 1 of {@code s} is read by none; {@code wide} is no 1×1, {@code bare} has no ReLU behind it. */
    private static final String INCEPTION = """
            graph inception(x: f32[2,2,5,5]) -> z, other, more {
              ws: f32[4,2,1,1] = random(1)
              wa: f32[3,4,1,1] = [1, 0, 0, 2,  0, 0, 0, 3,  4, 0, 0, 0]
              wb: f32[2,4,1,1] = [0, 0, 1, 0,  0, 0, 2, 0]
              wc: f32[2,4,1,1] = [5, 0, 6, 0,  0, 0, 7, 0]
              ww: f32[2,2,3,3] = random(2)
              wv: f32[2,2,1,1] = random(3)
              wd: f32[1,4,3,3] = zeros
              wo: f32[1,4,1,1] = [1, 0, 1, 1]
              s = Conv(x, ws) kernel=1
              a = Conv(s, wa) kernel=1
              ar = Apply(a) relu
              b = Conv(s, wb) kernel=1
              br = Apply(b) relu
              bw = Conv(br, ww) kernel=3 pad=1
              c = Conv(s, wc) kernel=1
              cr = Apply(c) relu
              cv = Conv(cr, wv) kernel=1
              z = Concat(ar, bw, cv) axis=1
              other = Conv(s, wd) kernel=3 pad=1
              more = Conv(s, wo) kernel=1
            }
            """;

    private final List<Siblings> found = Siblings.in(GraphText.parse(INCEPTION));

    @Test
    void pointwiseConvolutionsOfOneTensorWithOneFunctionAreSiblings() {
        assertEquals(1, found.size());
        Siblings siblings = found.getFirst();
        assertEquals(List.of("s", 2, 3, 5, 5, Function.RELU),
                List.of(siblings.tensor(), siblings.batch(), siblings.channels(), siblings.height(), siblings.width(), siblings.function()));
        assertEquals(List.of("a", "b", "c"), siblings.parts().stream().map(Siblings.Part::node).toList());
        assertEquals(List.of(true, false, false), siblings.parts().stream().map(Siblings.Part::joinsConcat).toList());
        assertArrayEquals(new int[] {0, 2}, siblings.parts().get(0).reads());
        assertArrayEquals(new int[] {1}, siblings.parts().get(1).reads());
        assertArrayEquals(new int[] {0, 1}, siblings.parts().get(2).reads());
    }

    @Test
    void theMergedConvolutionReadsTheUnion() {
        Siblings siblings = found.getFirst();
        Siblings.Part all = Siblings.merged(siblings.parts());
        assertArrayEquals(new int[] {0, 1, 2}, all.reads());
        assertEquals(7, all.outputs());
        assertEquals(50 * (2 * 3 + 2 + 2 * 2), siblings.multiplyAdds(siblings.parts()));
        assertEquals(50 * 3 * 7, siblings.multiplyAdds(List.of(all)));
        List<Siblings.Part> beside = siblings.mergedBesideConcats();
        assertEquals(List.of("a", "b + c"), beside.stream().map(Siblings.Part::node).toList());
        assertArrayEquals(new int[] {0, 1}, beside.get(1).reads());
    }

    /** Each is compared with plain sums when it is made, which throws. */
    @Test
    void eachGroupingComputesItsConvolutions() {
        Siblings siblings = found.getFirst();
        try (CpuPool pool = new CpuPool(THREADS); SiblingConvolutions convolutions = new SiblingConvolutions(siblings, pool)) {
            convolutions.grouping(siblings.parts()).run();
            convolutions.grouping(siblings.mergedBesideConcats()).run();
            convolutions.grouping(List.of(Siblings.merged(siblings.parts()))).run();
        }
    }

    @Test
    void theTableSaysWhatTheDocumentSays() {
        String table = SiblingResults.table(JsonMapper.shared().readTree("""
                {"machine": {"processor": "Example CPU"}, "versions": {"upscale": "9.9"}, "rows": [
                  {"network": "net", "mask": "l2_0.5", "batch": 8, "threads": 2, "groups": 9, "separateNs": 200000, "mergedNs": 300000,
                   "besideConcatsNs": 190000, "multiplyAdds": 1000, "mergedMultiplyAdds": 1750, "networkNs": 2000000, "date": "2026-01-02",
                   "commit": "abc1234"}]}"""));
        assertTrue(table.contains("| net | l2_0.5 | 8 | 2 | 9 | 2.00 | 200 | 1.750 | 1.500 | +5.00 % | 0.950 | -0.50 % |"), table);
        assertTrue(table.startsWith("Example CPU; upscale 9.9; measured on 2026-01-02 at commit abc1234."), table);
    }
}
