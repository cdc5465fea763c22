package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class StudyCommandTest {
    @TempDir
    private Path folder;

    private Path model;
    private Path images;
    private Path labels;

    /** A few of the bundled test images with their labels, and the network. */
    @BeforeEach
    void writeData() throws IOException {
        model = DemoFiles.model(folder);
        images = cut("images-idx3", 300, 28 * 28, 16);
        labels = cut("labels-idx1", 300, 1, 8);
    }

    private Path cut(String kind, int count, int size, int header) throws IOException {
        try (InputStream resource = Main.class.getResourceAsStream("/dev/upscale/demo/" + kind + "-ubyte.gz")) {
            byte[] content = InputFile.unpacked(kind, resource.readAllBytes());
            byte[] some = Arrays.copyOf(content, header + count * size);
            some[6] = (byte) (count >> 8);
            some[7] = (byte) count;
            return Files.write(folder.resolve("some-" + kind + "-ubyte"), some);
        }
    }

    private CommandLineRun study(Object... more) {
        return CommandLineRun.of(Stream.concat(Stream.of("study", model, "--data", images, labels, "--calibrate", images,
                "--mean", "0.2860", "--std", "0.3530", "--costs", "builtin", "--images", "64", "-o", folder.resolve("out"), "--json"),
                Arrays.stream(more)).toArray());
    }

    @Test
    void aStudyThatWasStoppedGoesOnAndEndsInTablesAndPlots() throws Exception {
        JsonNode begun = study("--amounts", "0.1,0.5", "--stop-after", "0").json();
        assertEquals(4, begun.get("missing").intValue());
        JsonNode half = study("--amounts", "0.1", "--methods", "unconstrained").json();
        assertEquals(1, half.get("points").size());
        String untimed = Files.readString(folder.resolve("out/study.html"));
        assertTrue(untimed.contains("<th scope=\"col\">multiply-adds left</th>"), untimed);
        assertFalse(untimed.contains("<th scope=\"col\">time</th>"), "nothing was timed");
        JsonNode all = study("--amounts", "0.1,0.5", "--time", "--seconds", "0.02").json();
        assertEquals(0, all.get("missing").intValue());
        assertEquals(4, all.get("points").size());
        assertEquals(half.get("points").get(0).get("seconds"), all.get("points").get(0).get("seconds"), "it was not computed again");
        for (JsonNode point : all.get("points")) {
            assertTrue(point.get("timeRatio").doubleValue() > 0.1, point.toString());
            assertTrue(point.get("multiplyAdds").doubleValue() < 1, point.toString());
        }
        assertTrue(all.get("points").get(0).get("top1").doubleValue() > 0.7, all.toString());
        String page = Files.readString(folder.resolve("out/study.html"));
        assertTrue(page.contains(": accuracy over time") && page.contains("l2, unconstrained"), page);
        assertTrue(page.contains("<th scope=\"col\">time</th>"), page);
        List<String> csv = Files.readAllLines(folder.resolve("out/study.csv"));
        assertEquals(5, csv.size());
        assertTrue(csv.get(1).startsWith("densenet.onnx,l2,unconstrained,0.1,false,0."), csv.get(1));
        for (String plot : List.of("accuracy-over-amount", "accuracy-over-multiply-adds", "accuracy-over-time")) {
            String svg = Files.readString(folder.resolve("out/" + plot + ".svg"));
            var document = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
            assertEquals(4, document.getElementsByTagName("polyline").getLength(), "two curves and their legend");
        }
    }

    @Test
    void argumentsThatCannotBeAreRefused() {
        study("--heuristics", "luck").refused("luck");
        study("--amounts", "1").refused("amount 1.0");
        study("--methods", "none").refused("none");
        CommandLineRun.of("study", model, "--data", images, labels, "--compensate", "-o", folder.resolve("o")).refused("--calibrate");
    }
}
