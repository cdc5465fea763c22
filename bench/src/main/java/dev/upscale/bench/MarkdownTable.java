package dev.upscale.bench;

/** Names to the left, figures to the right. */
final class MarkdownTable {
    private final StringBuilder text = new StringBuilder();

    MarkdownTable(String... heads) {
        row(heads);
        text.append("| --- |").append(" ---: |".repeat(heads.length - 1)).append('\n');
    }

    MarkdownTable row(String... cells) {
        text.append("| ").append(String.join(" | ", cells)).append(" |\n");
        return this;
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
