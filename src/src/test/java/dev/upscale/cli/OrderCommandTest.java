package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class OrderCommandTest {
    @TempDir
    private Path folder;

    @Test
    void aProblemGivesAnOrderWithItsCostAndCertificate() throws IOException {
        JsonNode answer = CommandLineRun.of("order", file("{'n': 5, 'sets': [[0, 2], [2, 4]]}"), "--json").json();
        assertEquals(0, answer.get("cost").doubleValue());
        assertEquals(2, answer.get("contiguous").size());
        assertEquals(5, answer.get("order").size());
        assertTrue(answer.get("certificate").get("allContiguous").booleanValue());
        assertTrue(answer.has("lowerBound") && answer.has("ms"));
    }

    @Test
    void aListOfProblemsGivesAList() throws IOException {
        JsonNode answers = CommandLineRun.of("order",
                file("[{'n': 3, 'sets': [[0, 1], [1, 2], [0, 2]], 'weights': [1, 2, 3]}, {'n': 0, 'sets': []}]"), "--json").json();
        assertEquals(2, answers.size());
        assertFalse(answers.get(0).get("certificate").get("allContiguous").booleanValue());
        assertEquals(2, answers.get(0).get("contiguous").size());
        assertEquals(0, answers.get(1).get("order").size());
    }

    @Test
    void peopleGetAText() throws IOException {
        CommandLineRun run = CommandLineRun.of("order", file("{'n': 3, 'sets': [[0, 2]]}"));
        assertEquals(0, run.exitCode());
        assertTrue(run.out().contains("1 of 1 sets contiguous"), run.out());
    }

    @Test
    void problemsThatCannotBeAreRefused() throws IOException {
        refused("{'n': -1, 'sets': []}", "n must be");
        refused("{'n': 4000000000, 'sets': []}", "n must be");
        refused("{'n': 3}", "sets must be a list");
        refused("{'n': 3, 'sets': [[0, 3]]}", "sets[0] names channel 3");
        refused("{'n': 3, 'sets': [[0, 0]]}", "twice");
        refused("{'n': 3, 'sets': [[0.5]]}", "sets[0][0]");
        refused("{'n': 3, 'sets': [[0]], 'weights': []}", "0 weights for 1 sets");
        refused("{'n': 3, 'sets': [[0]], 'weights': [-1]}", "weights[0]");
        refused("{'n': 3, 'sets': [], 'blocks': [[0, 1], [1, 2], [0, 2]]}", "blocks");
        refused("[3]", "problem 0");
        refused("{'n': 3, 'n': 4, 'sets': []}", "not valid JSON");
        refused("", "empty");
        CommandLineRun.of("order", folder.resolve("absent.json")).refused("absent.json does not exist");
        CommandLineRun.of("order", folder).refused("is a folder");
        CommandLineRun.of("order").refused("PROBLEM.json");
    }

    @Test
    void damagedFilesAreRefusedOrStillProblems() throws IOException {
        byte[] good = "{\"n\": 6, \"sets\": [[0, 2, 5], [1, 2], [3, 5]], \"weights\": [1, 2.5, 3]}".getBytes();
        Random random = new Random(2);
        for (int round = 0; round < 60; round++) {
            byte[] damaged = round % 2 == 0 ? Arrays.copyOf(good, random.nextInt(good.length)) : good.clone();
            if (round % 2 == 1) {
                damaged[random.nextInt(good.length)] ^= (byte) (1 << random.nextInt(8));
            }
            CommandLineRun run = CommandLineRun.of("order", Files.write(folder.resolve("damaged.json"), damaged));
            if (run.exitCode() != 0) {
                run.refused("damaged.json");
            }
        }
    }

    private void refused(String problem, String message) throws IOException {
        CommandLineRun.of("order", file(problem)).refused("problem.json", message);
    }

    private Path file(String problem) throws IOException {
        return Files.writeString(folder.resolve("problem.json"), problem.replace('\'', '"'));
    }
}
