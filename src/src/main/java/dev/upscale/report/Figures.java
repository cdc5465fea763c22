package dev.upscale.report;

import java.util.List;

/**
 * Figures in rows and columns.
 *
 * @param rows the first one holds the heads
 */
public record Figures(String heading, String note, List<List<String>> rows) implements Section {
    private static final int LONG = 60;

    public Figures {
        rows = List.copyOf(rows);
    }

    @Override
    public String body() {
        return table(heading, rows);
    }

    /** The figures behind a picture, folded away. */
    static String behind(String caption, List<List<String>> rows) {
        return new Html().raw("<details><summary>").text(caption).raw("</summary>\n").raw(table(caption, rows)).raw("</details>\n").toString();
    }

    private static String table(String caption, List<List<String>> rows) {
        Html table = new Html();
        table.raw("<div class=\"scroll tall\" role=\"region\" tabindex=\"0\" aria-label=\"").text(caption).raw("\"><table>\n<thead><tr>");
        List<String> heads = rows.getFirst();
        for (int column = 0; column < heads.size(); column++) {
            table.raw(isWords(rows, column) ? "<th class=\"words\" scope=\"col\">" : "<th scope=\"col\">").text(heads.get(column)).raw("</th>");
        }
        table.raw("</tr></thead>\n<tbody>\n");
        for (List<String> row : rows.subList(1, rows.size())) {
            table.raw("<tr>");
            for (int column = 0; column < row.size(); column++) {
                String cell = row.get(column);
                table.raw(cell.length() > LONG ? "<td class=\"long\">" : isWords(rows, column) ? "<td class=\"words\">" : "<td>").text(cell).raw("</td>");
            }
            table.raw("</tr>\n");
        }
        return table.raw("</tbody></table></div>\n").toString();
    }

    /** Figures line up to the right, columns without any to the left. */
    private static boolean isWords(List<List<String>> rows, int column) {
        return rows.stream().skip(1).noneMatch(row -> column < row.size() && row.get(column).matches("[-–+]?\\d.*"));
    }
}
