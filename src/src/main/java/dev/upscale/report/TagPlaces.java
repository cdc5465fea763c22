package dev.upscale.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where a few words fit beside a point of a plot without lying on a curve, a point, other words or an axis, on a telephone as on a wide page. Places
 * are in percent of the area, from its upper left corner; words keep their size.
 */
final class TagPlaces {
    /** Pages of 360, 600, 800 and 1200 pixels: what is between lies between. */
    private static final List<Size> SIZES = List.of(new Size(250, 224), new Size(490, 270), new Size(690, 352), new Size(1021, 352));
    /** A little more than a digit of the widest of the usual fonts takes. */
    private static final double CHARACTER = 7.6;
    private static final double LINE_HEIGHT = 18;
    private static final double BESIDE_LINES = 2;
    private static final double BESIDE_POINTS = 5;

    /** The plot's area on a page, in pixels. */
    private record Size(double width, double height) {
        double[] pixels(double[] percent) {
            return new double[] {percent[0] * width / 100, percent[1] * height / 100};
        }
    }

    /** Where words lie beside their point; the page's style sheet says the same. */
    enum Side {
        RIGHT_BELOW(0, 4.8, 0, 2.4), RIGHT_ABOVE(0, 4.8, -1, -2.4), LEFT_BELOW(-1, -4.8, 0, 2.4), LEFT_ABOVE(-1, -4.8, -1, -2.4),
        ABOVE(-0.5, 0, -1, -6.4), BELOW(-0.5, 0, 0, 6.4);

        private final double ofWidth;
        private final double right;
        private final double ofHeight;
        private final double down;

        Side(double ofWidth, double right, double ofHeight, double down) {
            this.ofWidth = ofWidth;
            this.right = right;
            this.ofHeight = ofHeight;
            this.down = down;
        }

        String style() {
            return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
        }

        private Box box(double[] point, String text) {
            double width = CHARACTER * text.length();
            double left = point[0] + ofWidth * width + right;
            double top = point[1] + ofHeight * LINE_HEIGHT + down;
            return new Box(left, top, left + width, top + LINE_HEIGHT);
        }
    }

    private record Box(double left, double top, double right, double bottom) {
        Box wider(double by) {
            return new Box(left - by, top - by, right + by, bottom + by);
        }

        boolean isWithin(Size size) {
            return left >= 0 && top >= 0 && right <= size.width && bottom <= size.height;
        }

        boolean meets(Box other) {
            return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
        }

        boolean holds(double[] point) {
            return point[0] > left && point[0] < right && point[1] > top && point[1] < bottom;
        }

        /** Whether a piece of the line lies inside: what is left of it after it is cut at each side. */
        boolean meets(double[] from, double[] to) {
            double first = 0;
            double last = 1;
            double[][] cuts = {{to[0] - from[0], left - from[0], right - from[0]}, {to[1] - from[1], top - from[1], bottom - from[1]}};
            for (double[] cut : cuts) {
                if (cut[0] == 0) {
                    if (cut[1] >= 0 || cut[2] <= 0) {
                        return false;
                    }
                } else {
                    first = Math.max(first, Math.min(cut[1] / cut[0], cut[2] / cut[0]));
                    last = Math.min(last, Math.max(cut[1] / cut[0], cut[2] / cut[0]));
                }
            }
            return first < last;
        }
    }

    private record Tag(double[] point, String text, Side side) {}

    private final List<List<double[]>> curves = new ArrayList<>();
    private final List<Tag> tags = new ArrayList<>();

    /** Adds a curve that no words are to lie on. */
    void curve(List<double[]> points) {
        curves.add(List.copyOf(points));
    }

    /** A side of a point on which the words fit, which are there from now on. */
    Optional<Side> place(double[] point, String text) {
        for (Side side : Side.values()) {
            Tag tag = new Tag(point, text, side);
            if (SIZES.stream().allMatch(size -> fits(tag, size))) {
                tags.add(tag);
                return Optional.of(side);
            }
        }
        return Optional.empty();
    }

    private boolean fits(Tag tag, Size size) {
        Box box = tag.side.box(size.pixels(tag.point), tag.text);
        return box.isWithin(size)
                && tags.stream().noneMatch(other -> box.meets(other.side.box(size.pixels(other.point), other.text)))
                && curves.stream().noneMatch(curve -> meets(box, curve, tag.point, size));
    }

    private static boolean meets(Box box, List<double[]> curve, double[] own, Size size) {
        for (int i = 0; i < curve.size(); i++) {
            double[] at = size.pixels(curve.get(i));
            boolean onPoint = !java.util.Arrays.equals(curve.get(i), own) && box.wider(BESIDE_POINTS).holds(at);
            if (onPoint || i > 0 && box.wider(BESIDE_LINES).meets(size.pixels(curve.get(i - 1)), at)) {
                return true;
            }
        }
        return false;
    }
}
