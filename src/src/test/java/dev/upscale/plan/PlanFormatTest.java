package dev.upscale.plan;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.upscale.graph.Function;
import dev.upscale.plan.View.Place;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The format as {@code docs/plan-format.md} tells it, by a reader that knows nothing else. */
class PlanFormatTest {

    @TempDir
    Path folder;

    /** An image of 1x2 pixels and 3 channels; the network is y = relu(2·x0 − x2 + 1). */
    static Plan example() {
        View pixels = View.channelsLast(Place.ARENA, 0, List.of(1, 3, 1, 2), 3);
        Map<String, Constant> constants = new LinkedHashMap<>();
        constants.put("w", Constant.f32(List.of(1, 2, 1, 1), 2, -1));
        constants.put("b", Constant.f32(List.of(1), 1));
        constants.put("kept", Constant.i32(0, 2));
        return new Plan("example", "upscale", "cpu", List.of(Plans.port("x", 1, 3, 1, 2)),
                List.of(Plans.port("y", 1, 1, 1, 2)),
                List.of(
                        new Step.Copy("x", "java.copy", Step.Copy.Kind.LAYOUT,
                                Operand.of(View.rowMajor(Plans.input("x"), 0, List.of(1, 3, 1, 2))), pixels,
                                "conv reads channels-last"),
                        new Step.Convolve("conv+relu", "upscale.conv", Plans.POINTWISE, new Operand(pixels, "kept"), "w", "b",
                                Optional.empty(), Function.RELU,
                                View.channelsLast(Plans.output("y"), 0, List.of(1, 1, 1, 2), 1), Optional.empty(), 4)),
                constants, 64, 24, 1);
    }

    @Test
    void theExampleOfTheDocumentIsTheFilesPlan() throws IOException {
        String document = Files.readString(Path.of("..", "docs", "plan-format.md"));
        Matcher blocks = Pattern.compile("```json plan\\n(.*?)```", Pattern.DOTALL).matcher(document);
        assertEquals(true, blocks.find(), "a block of ```json plan");
        assertEquals(header(write()).get("__metadata__").get("plan").stringValue(),
                CanonicalJson.write(CanonicalJson.read(blocks.group(1), "the example")));
    }

    @Test
    void theHashesAreAsDocumented() throws IOException, NoSuchAlgorithmException {
        byte[] file = write();
        int begin = 8 + (int) little(file).getLong(0);
        JsonNode metadata = header(file).get("__metadata__");
        String hash = metadata.get("header_sha256").stringValue();
        String unsealed = new String(file, 0, begin, StandardCharsets.ISO_8859_1)
                .replace("\"header_sha256\":\"" + hash + "\"", "\"header_sha256\":\"" + "0".repeat(64) + "\"");
        assertEquals(hash, sha256(unsealed.getBytes(StandardCharsets.ISO_8859_1)));
        assertEquals(metadata.get("data_sha256").stringValue(),
                sha256(little(file).slice(begin, file.length - begin)));
        assertEquals("upscale.plan 2", metadata.get("format").stringValue() + " " + metadata.get("version").stringValue());
    }

    @Test
    void tensorsLieAsDocumented() throws IOException {
        byte[] file = write();
        long begin = 8 + little(file).getLong(0);
        long end = 0;
        List<JsonNode> tensors = header(file).propertyStream().filter(entry -> !entry.getKey().equals("__metadata__"))
                .map(Map.Entry::getValue)
                .sorted((a, b) -> Long.compare(a.get("data_offsets").get(0).longValue(), b.get("data_offsets").get(0).longValue()))
                .toList();
        for (JsonNode tensor : tensors) {
            assertEquals(end, tensor.get("data_offsets").get(0).longValue(), "no gap");
            if (!tensor.get("dtype").stringValue().equals("U8")) {
                assertEquals(0, (begin + end) % 64, "alignment in the file");
            }
            end = tensor.get("data_offsets").get(1).longValue();
        }
        assertEquals(file.length, begin + end);
        assertEquals("U8", tensors.getLast().get("dtype").stringValue());
    }

    /** A runtime of a few lines: whoever reads the document can write one. */
    @Test
    void thePlanRunsByTheDocumentAlone() throws IOException {
        byte[] file = write();
        JsonNode plan = JsonMapper.shared().readTree(header(file).get("__metadata__").get("plan").stringValue());
        ByteBuffer arena = ByteBuffer.allocate(plan.get("arenaBytes").intValue()).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer x = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : new float[] {1, 2, 10, 20, 3, 7}) {
            x.putFloat(value);
        }
        ByteBuffer y = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        Map<String, ByteBuffer> memory = Map.of("ARENA", arena, "INPUT", x, "OUTPUT", y);
        for (JsonNode step : plan.get("steps")) {
            JsonNode to = step.get("destination");
            JsonNode from = step.get("source").get("view");
            for (int c = 0; c < to.get("dims").get(1).intValue(); c++) {
                for (int w = 0; w < to.get("dims").get(3).intValue(); w++) {
                    memory.get(to.get("place").get("kind").stringValue()).putFloat(at(to, c, w),
                            step.get("type").stringValue().equals("Copy")
                                    ? memory.get(from.get("place").get("kind").stringValue()).getFloat(at(from, c, w))
                                    : convolved(file, step, memory, c, w));
                }
            }
        }
        assertArrayEquals(new float[] {2 * 1 - 3 + 1, 0}, new float[] {y.getFloat(0), y.getFloat(4)});
    }

    private static float convolved(byte[] file, JsonNode step, Map<String, ByteBuffer> memory, int output, int w)
            throws IOException {
        ByteBuffer weights = tensor(file, step.get("weights").stringValue());
        ByteBuffer index = tensor(file, step.get("source").get("index").stringValue());
        JsonNode from = step.get("source").get("view");
        float sum = tensor(file, step.get("bias").stringValue()).getFloat(4 * output);
        for (int k = 0; k < index.limit() / 4; k++) {
            sum += weights.getFloat(4 * (output * index.limit() / 4 + k))
                    * memory.get(from.get("place").get("kind").stringValue()).getFloat(at(from, index.getInt(4 * k), w));
        }
        return step.get("activation").get("kind").stringValue().equals("RELU") ? Math.max(sum, 0) : sum;
    }

    private static int at(JsonNode view, int channel, int w) {
        return view.get("offset").intValue()
                + 4 * (channel * view.get("strides").get(1).intValue() + w * view.get("strides").get(3).intValue());
    }

    private static ByteBuffer tensor(byte[] file, String name) throws IOException {
        JsonNode offsets = header(file).get(name).get("data_offsets");
        int begin = 8 + (int) little(file).getLong(0) + offsets.get(0).intValue();
        return little(file).slice(begin, offsets.get(1).intValue() - offsets.get(0).intValue()).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static JsonNode header(byte[] file) {
        return JsonMapper.shared().readTree(file, 8, (int) little(file).getLong(0));
    }

    private static ByteBuffer little(byte[] file) {
        return ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static String sha256(byte[] bytes) throws NoSuchAlgorithmException {
        return sha256(ByteBuffer.wrap(bytes));
    }

    private static String sha256(ByteBuffer bytes) throws NoSuchAlgorithmException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        digest.update(bytes);
        return HexFormat.of().formatHex(digest.digest());
    }

    private byte[] write() throws IOException {
        Path file = folder.resolve("example.plan");
        PlanFile.write(example(), file);
        return Files.readAllBytes(file);
    }
}
