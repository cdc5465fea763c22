package dev.upscale.compress;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.upscale.compress.LayerCurves.ConsumerCurve;
import org.junit.jupiter.api.Test;

class LayerCurvesTest {
    @Test
    void damageGrowsInStraightLinesBetweenProbes() {
        ConsumerCurve curve = new ConsumerCurve("w", new int[] {1, 0}, new double[] {0, 0.2}, new double[] {0.1, 0.3}, new double[] {0.02, 0.1});
        assertEquals(0, curve.damage(0));
        assertEquals(0.01, curve.damage(0.05), 1e-12);
        assertEquals(0.06, curve.damage(0.2), 1e-12);
        assertEquals(0.14, curve.damage(0.4), 1e-12);
        assertEquals(0.2, curve.sensitivity(), 1e-12);
    }

    @Test
    void damageNeverFalls() {
        ConsumerCurve curve = new ConsumerCurve("w", new int[] {1, 0}, new double[] {0, 0.2}, new double[] {0.1, 0.3}, new double[] {0.02, 0.01});
        assertEquals(0.02, curve.damage(0.3), 1e-12);
        assertEquals(0.02, curve.damage(0.5), 1e-12);
    }

    /** p = (1/2, 1/2), q = (3/4, 1/4): 1/2 ln(2/3) + 1/2 ln 2; of equal scores 0. */
    @Test
    void divergenceIsKullbackAndLeiblers() {
        float ln3 = (float) Math.log(3);
        assertEquals((Math.log(2 / 3.0) + Math.log(2)) / 4, CurveBuilder.divergence(new float[] {5, 5, 1, 2}, new float[] {ln3, 0, 1, 2}, 2), 1e-6);
    }

    @Test
    void accuracyCountsPlacesAndGivesEqualScoresToTheFirst() {
        float[] scores = {1, 3, 2, 0, 0, 0, 0, 5, 5, 1, 4, 3, 2, 0};
        Accuracy accuracy = Accuracy.of(scores, new int[] {1, 1});
        assertEquals(0.5, accuracy.top1());
        assertEquals(1, accuracy.top5());
        assertEquals(0.5, Accuracy.of(scores, new int[] {6, 0}).top1());
        assertEquals(0.5, Accuracy.of(scores, new int[] {6, 0}).top5());
        assertEquals(0.5, Accuracy.agreement(scores, new float[] {0, 9, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0}, 2));
    }
}
