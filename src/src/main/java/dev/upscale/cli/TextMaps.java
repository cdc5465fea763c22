package dev.upscale.cli;

import dev.upscale.graph.InvalidInput;
import dev.upscale.plan.Plan;
import dev.upscale.report.HeatMap;
import dev.upscale.report.Pictures;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What networks that mark pixels (a text detector, say) find on one picture, laid over it. */
final class TextMaps {
    private static final byte[] PNG = {(byte) 0x89, 'P', 'N', 'G'};

    /** Above this PaddleOCR's detectors take a pixel for text. */
    private static final float THRESHOLD = 0.3f;

    private final byte[] picture;
    private final int height;
    private final int width;
    private final Map<String, float[]> maps = new LinkedHashMap<>();

    /**
     * Reads a picture.
     *
     * @param plan a network whose first output is one value for each pixel
     * @throws InvalidInput if the picture is no PNG file, or the network marks no pixels
     */
    TextMaps(Path file, Plan plan) {
        picture = InputFile.read(file);
        if (picture.length < PNG.length || picture[0] != PNG[0] || picture[1] != PNG[1] || picture[2] != PNG[2] || picture[3] != PNG[3]) {
            throw new InvalidInput(file + " is no PNG file; --page shows the picture that the input was made from");
        }
        Plan.Port port = plan.outputs().getFirst();
        List<Integer> dims = port.dims();
        height = dims.size() < 2 ? 0 : dims.get(dims.size() - 2);
        width = dims.size() < 2 ? 0 : dims.getLast();
        if (height < 2 || width < 2 || port.bytes() != (long) Float.BYTES * height * width) {
            throw new InvalidInput("--page shows maps of pixels, and output " + port.name() + " of " + plan.model() + " is " + dims);
        }
    }

    /** Adds what a network gave as its first output. */
    void put(String name, float[] map) {
        maps.put(name, map);
    }

    /** All maps beside each other, compared with the first. */
    Pictures section() {
        float[] first = maps.values().iterator().next();
        List<Pictures.Picture> pictures = new ArrayList<>();
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("network", "pixels marked", "marked alike (IoU with the first)", "mean difference from the first"));
        maps.forEach((name, map) -> {
            String words = String.format(Locale.ROOT, "%.2f %% of the pixels marked, IoU with %s %.3f", 100 * marked(map), maps.keySet().iterator().next(),
                    overlap(first, map));
            pictures.add(new Pictures.Picture(name + ": " + words, "The page with what " + name + " marks on it: " + words, picture,
                    HeatMap.png(width, height, map)));
            rows.add(List.of(name, String.format(Locale.ROOT, "%.2f %%", 100 * marked(map)), String.format(Locale.ROOT, "%.3f", overlap(first, map)),
                    String.format(Locale.ROOT, "%.4f", difference(first, map))));
        });
        return new Pictures("What the networks see", "The first output as a map over the page: the stronger, the surer. A pixel is marked above "
                + THRESHOLD + ".", pictures, rows);
    }

    private static double marked(float[] map) {
        int marked = 0;
        for (float value : map) {
            marked += value > THRESHOLD ? 1 : 0;
        }
        return (double) marked / map.length;
    }

    /** Pixels that both mark over those that either does; 1 where neither marks any. */
    private static double overlap(float[] a, float[] b) {
        int both = 0;
        int either = 0;
        for (int i = 0; i < a.length; i++) {
            both += a[i] > THRESHOLD && b[i] > THRESHOLD ? 1 : 0;
            either += a[i] > THRESHOLD || b[i] > THRESHOLD ? 1 : 0;
        }
        return either == 0 ? 1 : (double) both / either;
    }

    private static double difference(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += Math.abs(a[i] - b[i]);
        }
        return sum / a.length;
    }
}
