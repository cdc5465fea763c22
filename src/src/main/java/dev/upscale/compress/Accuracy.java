package dev.upscale.compress;

import dev.upscale.graph.InvalidInput;

/**
 * How good a classifier's scores are.
 *
 * @param top1 share of images whose label has the highest score
 * @param top5 share of images whose label is among the five highest
 * @param images how many there are
 */
public record Accuracy(double top1, double top5, int images) {
    private static final int FIVE = 5;

    /** Of scores [images, classes]; of equal scores the first counts as higher. */
    public static Accuracy of(float[] scores, int[] labels) {
        int classes = scores.length / labels.length;
        int first = 0;
        int five = 0;
        for (int image = 0; image < labels.length; image++) {
            if (labels[image] >= classes) {
                throw new InvalidInput("image " + image + " has label " + labels[image] + ", and the network gives " + classes + " scores");
            }
            int place = 0;
            float own = scores[image * classes + labels[image]];
            for (int other = 0; other < classes; other++) {
                float score = scores[image * classes + other];
                place += score > own || score == own && other < labels[image] || Float.isNaN(own) ? 1 : 0;
            }
            first += place == 0 ? 1 : 0;
            five += place < FIVE ? 1 : 0;
        }
        return new Accuracy((double) first / labels.length, (double) five / labels.length, labels.length);
    }

    /** The share of images for which two networks' highest scores are of the same class. */
    public static double agreement(float[] scores, float[] others, int images) {
        int classes = scores.length / images;
        int same = 0;
        for (int image = 0; image < images; image++) {
            same += best(scores, image * classes, classes) == best(others, image * classes, classes) ? 1 : 0;
        }
        return (double) same / images;
    }

    private static int best(float[] scores, int from, int classes) {
        int best = 0;
        for (int k = 1; k < classes; k++) {
            best = scores[from + k] > scores[from + best] ? k : best;
        }
        return best;
    }

    /** ‖actual − expected‖ / ‖expected‖. */
    public static double relativeL2(float[] actual, float[] expected) {
        double difference = 0;
        double norm = 0;
        for (int k = 0; k < expected.length; k++) {
            difference += Math.pow((double) actual[k] - expected[k], 2);
            norm += (double) expected[k] * expected[k];
        }
        return Math.sqrt(difference / norm);
    }
}
