package dev.upscale.cli;

import dev.upscale.graph.InvalidInput;

/**
 * Images of one size with their classes.
 *
 * @param images N×height×width bytes
 * @param labels N classes
 */
record LabelledImages(IdxFile images, IdxFile labels) {
    LabelledImages {
        if (images.count() != labels.count()) {
            throw new InvalidInput(images.count() + " images with " + labels.count() + " labels");
        }
    }

    int count() {
        return images.count();
    }

    private int pixels() {
        return images.bytes().length / Math.max(1, images.count());
    }

    /**
     * The share of the first {@code count} images whose label gets the highest score.
     *
     * @param runner a plan for {@code batch} images, with one input and one output [batch, classes]
     * @param count a multiple of {@code batch}
     */
    double top1(Runner runner, int batch, int count, float mean, float deviation) {
        float[] values = new float[batch * pixels()];
        int right = 0;
        for (int first = 0; first < count; first += batch) {
            for (int i = 0; i < values.length; i++) {
                values[i] = ((images.bytes()[first * pixels() + i] & 0xff) / 255f - mean) / deviation;
            }
            runner.fill(0, values);
            runner.run();
            float[] scores = runner.outputs().getFirst();
            int classes = scores.length / batch;
            for (int image = 0; image < batch; image++) {
                right += best(scores, image * classes, classes) == (labels.bytes()[first + image] & 0xff) ? 1 : 0;
            }
        }
        return (double) right / count;
    }

    private static int best(float[] scores, int from, int classes) {
        int best = 0;
        for (int i = 1; i < classes; i++) {
            best = scores[from + i] > scores[from + best] ? i : best;
        }
        return best;
    }
}
