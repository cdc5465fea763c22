package dev.upscale.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.graph.InvalidInput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

class PlanFileTest {

    @TempDir(cleanup = CleanupMode.ALWAYS)
    Path folder;

    @Test
    void whatIsWrittenComesBack() {
        Plan plan = Plans.small();
        Path file = folder.resolve("small.plan");
        PlanFile.write(plan, file);
        assertEquals(plan, PlanFile.read(file));
        assertEquals(plan, PlanFile.read(file, PlanFile.Check.STRUCTURE));
    }

    @Test
    void aPlanWithoutStepsAndConstantsComesBack() {
        Plan plan = new Plan("", "", "", List.of(), List.of(), List.of(), Map.of(), 0, 0, 0);
        Path file = folder.resolve("empty.plan");
        PlanFile.write(plan, file);
        assertEquals(plan, PlanFile.read(file));
    }

    @Test
    void codeOfAnyLengthComesBackAndIsNoWeight() {
        for (int length : new int[] {1, 63, 64, 65, 1001}) {
            byte[] code = new byte[length];
            new SplittableRandom(length).nextBytes(code);
            Plan plan = Plans.withCode(Plans.small(), "cuda.kernels", Constant.i8(code));
            Path file = folder.resolve("code.plan");
            PlanFile.write(plan, file);
            assertEquals(plan, PlanFile.read(file));
            assertEquals(Plans.small().weightsBytes(), PlanFile.read(file).weightsBytes());
        }
    }

    @Test
    void theLayoutOfAnInputComesBack() {
        Plan.Port image = new Plan.Port("x", List.of(1, 3, 4, 4), Optional.of(Plan.PortLayout.CHANNELS_LAST));
        Plan plan = new Plan("", "", "", List.of(image), List.of(), List.of(), Map.of(), 0, 0, 0);
        Path file = folder.resolve("image.plan");
        PlanFile.write(plan, file);
        assertEquals(plan, PlanFile.read(file));
        assertThrows(IllegalArgumentException.class, () -> new Plan.Port("x", List.of(1, 3), image.layout()));
    }

    @Test
    void loadedConstantsAreMapped() {
        Path file = folder.resolve("small.plan");
        PlanFile.write(Plans.small(), file);
        for (Constant constant : PlanFile.read(file).constants().values()) {
            assertTrue(constant.data().isDirect() && constant.data().isReadOnly());
            assertEquals(0, constant.data().alignmentOffset(0, 64), "64-byte alignment");
        }
    }

    @Test
    void theSameConstantsInAnotherOrderGiveAnEqualPlanAndTheSamePlanTheSameBytes() throws IOException {
        Path first = folder.resolve("1.plan");
        Path second = folder.resolve("2.plan");
        PlanFile.write(Plans.small(), first);
        PlanFile.write(PlanFile.read(first), second);
        assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(second));
    }

    @Test
    void namesOfPaddingGiveWayToConstants() {
        Plan plan = Plans.withConstant(Plans.small(), "padding.0", Constant.i32(1));
        Path file = folder.resolve("small.plan");
        PlanFile.write(plan, file);
        assertEquals(plan, PlanFile.read(file));
        Plan impossible = Plans.withConstant(Plans.small(), "__metadata__", Constant.i32(1));
        assertThrows(InvalidInput.class, () -> PlanFile.write(impossible, file));
        assertEquals(plan, PlanFile.read(file));
    }

    @Test
    void writingReplacesTheWholeFileAndLeavesNothingElse() throws IOException {
        Path file = folder.resolve("small.plan");
        Files.write(file, new byte[100_000]);
        PlanFile.write(Plans.small(), file);
        PlanFile.read(file);
        Path nowhere = folder.resolve("nowhere").resolve("small.plan");
        InvalidInput missing = assertThrows(InvalidInput.class, () -> PlanFile.write(Plans.small(), nowhere));
        assertEquals(nowhere + ": cannot be written (no such folder); name another place or make room", missing.getMessage());
        Path taken = Files.createDirectories(folder.resolve("taken").resolve("inside")).getParent();
        assertThrows(InvalidInput.class, () -> PlanFile.write(Plans.small(), taken));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of("small.plan", "taken"), files.map(f -> f.getFileName().toString()).sorted().toList());
        }
    }

    @Test
    void aPlanThatIsNotValidIsNotWritten() throws IOException {
        Path file = folder.resolve("small.plan");
        assertThrows(InvalidInput.class, () -> PlanFile.write(Plans.withArena(Plans.small(), 64, 0), file));
        assertTrue(Files.notExists(file));
    }

    @Test
    void otherFilesAreToldApart() throws IOException {
        Path file = folder.resolve("x.plan");
        assertComplaint(file, "there is no such file; compile the model to it first");
        Files.writeString(file, "");
        assertComplaint(file, "is no plan or cut off: 0 bytes with a header of unknown length; compile it again");
        Files.writeString(file, "PK\3\4 this is something else");
        assertComplaint(file, "is no plan or cut off: 27 bytes with a header of 7595448452415441744 bytes; compile it again");
        writeHeader(file, "{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", new byte[4]);
        assertComplaint(file, "__metadata__ is not an object; compile it again");
        writeHeader(file, "{\"__metadata__\":{\"format\":\"pt\",\"version\":\"1\"}}", new byte[0]);
        assertComplaint(file, "is no plan: its format is pt; compile it again");
        writeHeader(file, "{\"__metadata__\":{\"format\":\"upscale.plan\",\"version\":\"9\"}}", new byte[0]);
        assertComplaint(file, "is of format version 9, this program reads version 2; compile it again");
        assertThrows(InvalidInput.class, () -> PlanFile.read(folder));
    }

    @Test
    void hostileJsonIsRefused() throws IOException {
        Path file = folder.resolve("x.plan");
        for (String json : List.of(
                "[".repeat(1_000_000), "{\"a\":".repeat(100_000), "[" + "[],".repeat(3_000_000) + "0]", "1" + "0".repeat(100_000),
                "{\"a\":1e999999999}", "{\"a\":1,\"a\":2}", "{\"a\":null}", "null", "", "{}", "{\"__metadata__\":null}", "\0",
                "{\"__metadata__\":{\"format\":\"upscale.plan\",\"version\":\"2\",\"plan\":\"" + "[".repeat(1_000_000)
                        + "\",\"header_sha256\":\"" + "0".repeat(64) + "\",\"data_sha256\":\"\"}}")) {
            writeSealed(file, json, new byte[0]);
            assertThrows(InvalidInput.class, () -> PlanFile.read(file), () -> json.substring(0, Math.min(50, json.length())));
        }
    }

    @Test
    void lengthsBeyondTheFileAreRefused() throws IOException {
        Path file = folder.resolve("x.plan");
        PlanFile.write(Plans.small(), file);
        byte[] bytes = Files.readAllBytes(file);
        for (long length : new long[] {Long.MIN_VALUE, -1, 0, 1, 7, bytes.length, Integer.MAX_VALUE, 1L << 40, Long.MAX_VALUE}) {
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
            Files.write(file, bytes);
            assertThrows(InvalidInput.class, () -> PlanFile.read(file), () -> "length " + length);
        }
    }

    /** Damage of every kind at every kind of place, noticed by the hashes or harmless. */
    @Test
    void damageIsNoticed() throws IOException {
        Plan plan = Plans.small();
        Path file = folder.resolve("small.plan");
        PlanFile.write(plan, file);
        byte[] whole = Files.readAllBytes(file);
        SplittableRandom random = new SplittableRandom(1);
        for (int k = 0; k < 400; k++) {
            byte[] bytes = k % 4 == 0 ? Arrays.copyOf(whole, random.nextInt(whole.length + 200)) : whole.clone();
            for (int flips = k % 4 == 0 ? 0 : random.nextInt(1, 4); flips > 0; flips--) {
                bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            }
            Files.write(file, bytes);
            int number = k;
            for (PlanFile.Check check : PlanFile.Check.values()) {
                try {
                    Plan read = PlanFile.read(file, check);
                    assertTrue(check == PlanFile.Check.STRUCTURE || read.equals(plan), () -> "damage " + number);
                } catch (InvalidInput e) {
                    assertTrue(e.getMessage().startsWith(file + ": ") && e.getMessage().endsWith("; compile it again"),
                            e::getMessage);
                }
            }
        }
    }

    /** Damage by somebody who also mends the hashes: refused or, if it is a valid plan of another kind, read. */
    @Test
    void sealedDamageGetsTheOneError() throws IOException {
        Path file = folder.resolve("small.plan");
        PlanFile.write(Plans.small(), file);
        byte[] whole = Files.readAllBytes(file);
        int headerBytes = (int) ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong();
        String json = new String(whole, 8, headerBytes, StandardCharsets.UTF_8);
        byte[] data = Arrays.copyOfRange(whole, 8 + headerBytes, whole.length);
        SplittableRandom random = new SplittableRandom(2);
        List<String> replacements = List.of("0", "9", "-", "99999999999", "1e9", "[", "]", "{", "}", "\"", "\\", ",", ":",
                "null", "true", "\u00e9", "", "Copy", "x", "2147483647", "9223372036854775807", "-1");
        int refused = 0;
        for (int k = 0; k < 300; k++) {
            StringBuilder text = new StringBuilder(json);
            int at = random.nextInt(json.indexOf("\"plan\":"), json.strip().length());
            text.replace(at, Math.min(at + random.nextInt(1, 4), text.length()),
                    replacements.get(random.nextInt(replacements.size())));
            writeSealed(file, text.toString(), data);
            try {
                PlanFile.read(file, PlanFile.Check.STRUCTURE);
            } catch (InvalidInput e) {
                refused++;
            }
        }
        assertTrue(refused > 150, refused + " refused");
    }

    /** Numbers of the plan and the tensors' entries, each replaced by absurd ones. */
    @Test
    void absurdNumbersGetTheOneError() throws IOException {
        Path file = folder.resolve("small.plan");
        PlanFile.write(Plans.small(), file);
        byte[] whole = Files.readAllBytes(file);
        int headerBytes = (int) ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong();
        String json = new String(whole, 8, headerBytes, StandardCharsets.UTF_8).strip();
        byte[] data = Arrays.copyOfRange(whole, 8 + headerBytes, whole.length);
        List<int[]> numbers = new ArrayList<>();
        Matcher matcher = Pattern.compile("(?<=[:,\\[])[0-9]+(?=[,\\]}])").matcher(json);
        while (matcher.find()) {
            numbers.add(new int[] {matcher.start(), matcher.end()});
        }
        assertTrue(numbers.size() > 300, numbers.size() + " numbers");
        int refused = 0;
        List<String> absurd = List.of("-1", "2147483647", "4611686018427387904", "9223372036854775807", "1000000");
        for (int k = 0; k < numbers.size(); k++) {
            int[] number = numbers.get(k);
            String changed = json.substring(0, number[0]) + absurd.get(k % absurd.size()) + json.substring(number[1]);
            writeSealed(file, changed, data);
            try {
                PlanFile.read(file, PlanFile.Check.STRUCTURE);
            } catch (InvalidInput e) {
                refused++;
            }
        }
        assertTrue(refused > numbers.size() * 4 / 5, refused + " refused");
    }

    private void assertComplaint(Path file, String expected) {
        InvalidInput complaint = assertThrows(InvalidInput.class, () -> PlanFile.read(file));
        assertEquals(file + ": " + expected, complaint.getMessage());
    }

    private static void writeHeader(Path file, String json, byte[] data) throws IOException {
        byte[] header = json.getBytes(StandardCharsets.UTF_8);
        Files.write(file, ByteBuffer.allocate(8 + header.length + data.length).order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length).put(header).put(data).array());
    }

    /** Writes a file with the hash that its header has, if there is one. */
    private static void writeSealed(Path file, String json, byte[] data) throws IOException {
        writeHeader(file, json, data);
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
        ByteBuffer header = bytes.slice(0, bytes.limit() - data.length);
        try {
            PlanHeader.seal(header);
        } catch (InvalidInput e) {
            // There is no place for a hash.
        }
        Files.write(file, bytes.array());
    }
}
