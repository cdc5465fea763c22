package dev.upscale.cli;

import dev.upscale.report.Curves;
import dev.upscale.report.Figures;
import dev.upscale.report.Page;
import dev.upscale.report.Section;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** A study as a page: for each network accuracy over measured time and over multiply-adds, and all points as a table. */
final class StudyPage {
    /** Curves that can be told apart in one picture. */
    private static final int MOST_CURVES = 6;

    private final StudyRecord record;

    private StudyPage(StudyRecord record) {
        this.record = record;
    }

    static String html(StudyRecord record) {
        return new StudyPage(record).page().html();
    }

    private Page page() {
        List<Section> sections = new ArrayList<>();
        for (String model : record.points().stream().map(StudyPoint::model).distinct().toList()) {
            sections.addAll(curves(model, "accuracy over time", "time over the unpruned network's", record::ratio));
            sections.addAll(curves(model, "accuracy over multiply-adds", "share of multiply-adds left", StudyPoint::multiplyAdds));
        }
        sections.add(new Figures("All networks of the study", "", rows()));
        return new Page("Accuracy of pruned networks", record.points().size() + " networks, by heuristic, method and amount.", sections);
    }

    private List<Section> curves(String model, String what, String axis, ToDoubleFunction<StudyPoint> place) {
        Map<String, List<Curves.Point>> byCurve = new LinkedHashMap<>();
        record.points().stream().filter(point -> point.model().equals(model) && place.applyAsDouble(point) > 0)
                .sorted(Comparator.comparingDouble(StudyPoint::amount))
                .forEach(point -> byCurve.computeIfAbsent(point.curve(), curve -> beginning(model)).add(new Curves.Point(
                        String.format(Locale.ROOT, "%.0f %%", 100 * point.amount()), place.applyAsDouble(point), point.top1())));
        List<Curves.Series> all = byCurve.entrySet().stream().map(curve -> new Curves.Series(curve.getKey(), curve.getValue())).toList();
        List<Section> sections = new ArrayList<>();
        for (int first = 0; first < all.size(); first += MOST_CURVES) {
            List<Curves.Series> some = all.subList(first, Math.min(all.size(), first + MOST_CURVES));
            String heading = model + ": " + what + (first == 0 ? "" : ", curves from the " + (first + 1) + "th on");
            sections.add(new Curves(heading, "Each point prunes another share of the channels.", Curves.Measure.number(axis, 2),
                    Curves.Measure.percent("top-1 accuracy"), some));
        }
        return sections;
    }

    private List<Curves.Point> beginning(String model) {
        List<Curves.Point> points = new ArrayList<>();
        if (record.unpruned().containsKey(model)) {
            points.add(new Curves.Point("unpruned", 1, record.unpruned().get(model)));
        }
        return points;
    }

    /** With a column of times only where something was timed. */
    private List<List<String>> rows() {
        boolean timed = record.points().stream().anyMatch(point -> record.ratio(point) > 0);
        List<String> head = List.of("network", "curve", "amount", "top-1", "multiply-adds left", "time");
        List<List<String>> rows = new ArrayList<>();
        rows.add(timed ? head : head.subList(0, head.size() - 1));
        for (StudyPoint point : record.points()) {
            double ratio = record.ratio(point);
            List<String> row = new ArrayList<>(List.of(point.model(), point.curve(), String.valueOf(point.amount()),
                    String.format(Locale.ROOT, "%.2f %%", 100 * point.top1()), String.format(Locale.ROOT, "%.3f", point.multiplyAdds())));
            if (timed) {
                row.add(ratio > 0 ? String.format(Locale.ROOT, "%.3f", ratio) : "");
            }
            rows.add(row);
        }
        return rows;
    }
}
