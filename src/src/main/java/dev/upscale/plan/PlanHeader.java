package dev.upscale.plan;

import dev.upscale.graph.InvalidInput;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The header of a plan file: where the tensors lie, and in its metadata the plan without its constants, the hash of the
 * tensors and the hash of the header itself (in which the digits of that hash count as zeros).
 *
 * @param bytes the size of the header, without the number before it
 * @param plan without constants
 * @param dataHash SHA-256 of the data section, in hexadecimal digits
 */
record PlanHeader(int bytes, Plan plan, TensorLayout layout, String dataHash) {

    /** The length of the header stands before it, as a little-endian number of this size. */
    static final int PREFIX_BYTES = Long.BYTES;

    /** A header larger than this is refused. */
    static final int MOST_BYTES = 64 << 20;

    private static final String METADATA = "__metadata__";
    private static final String FORMAT = "upscale.plan";
    private static final String VERSION = "2";
    private static final String UNSEALED = "0".repeat(64);
    private static final String SEAL = "\"header_sha256\":\"";

    /** The length of a header, from the first bytes of a file. */
    static long length(ByteBuffer prefix) {
        return prefix.order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    }

    /** The first bytes of the file, up to the data section. */
    static ByteBuffer encode(Plan plan, TensorLayout layout) {
        if (plan.constants().containsKey(METADATA)) {
            throw new InvalidInput("a constant has the name " + METADATA + "; rename the model's initializer");
        }
        Map<String, Object> tree = RecordTree.object(RecordTree.of(plan.withConstants(Map.of())), "plan");
        tree.remove("constants");
        Map<String, Object> entries = new TreeMap<>(layout.entries());
        entries.put(METADATA, Map.of(
                "format", FORMAT, "version", VERSION, "plan", CanonicalJson.write(tree),
                "data_sha256", hash(layout.parts(plan.constants())), "header_sha256", UNSEALED));
        byte[] json = CanonicalJson.write(entries).getBytes(StandardCharsets.UTF_8);
        int size = Math.ceilDiv(PREFIX_BYTES + json.length, TensorLayout.ALIGNMENT) * TensorLayout.ALIGNMENT;
        if (size - PREFIX_BYTES > MOST_BYTES) {
            throw new InvalidInput("a header of " + size + " bytes is too large: too many steps");
        }
        ByteBuffer header = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        header.putLong(size - PREFIX_BYTES).put(json);
        while (header.hasRemaining()) {
            header.put((byte) ' ');
        }
        seal(header.flip());
        return header;
    }

    /** Writes the header's hash into it. */
    static void seal(ByteBuffer header) {
        int digits = digits(header);
        header.put(digits, UNSEALED.getBytes(StandardCharsets.US_ASCII));
        header.put(digits, hash(List.of(header.duplicate())).getBytes(StandardCharsets.US_ASCII));
    }

    /** The position of the digits of the header's hash; no string in the header can hold the same bytes. */
    private static int digits(ByteBuffer header) {
        String text = StandardCharsets.ISO_8859_1.decode(header.duplicate()).toString();
        int seal = text.indexOf(SEAL);
        if (seal < 0 || seal + SEAL.length() + UNSEALED.length() > text.length()) {
            throw new InvalidInput("is no plan: its header has no hash");
        }
        return seal + SEAL.length();
    }

    /**
     * Reads and checks a header.
     *
     * @param header the first bytes of the file, up to the data section; on the heap
     * @throws InvalidInput if it is damaged, of another version, or not a plan's
     */
    static PlanHeader decode(ByteBuffer header) {
        String text;
        try {
            text = StandardCharsets.UTF_8.newDecoder().decode(header.slice(PREFIX_BYTES, header.limit() - PREFIX_BYTES)).toString();
        } catch (CharacterCodingException e) {
            throw new InvalidInput("is no plan or damaged: its header is not UTF-8", e);
        }
        Map<String, Object> entries = RecordTree.object(CanonicalJson.read(text, "its header"), "its header");
        Map<String, Object> metadata = RecordTree.object(entries.remove(METADATA), METADATA);
        String format = string(metadata, "format");
        String version = string(metadata, "version");
        if (!format.equals(FORMAT)) {
            throw new InvalidInput("is no plan: its format is " + format);
        }
        if (!version.equals(VERSION)) {
            throw new InvalidInput("is of format version " + version + ", this program reads version " + VERSION);
        }
        requireSeal(header, string(metadata, "header_sha256"));
        Map<String, Object> tree = RecordTree.object(CanonicalJson.read(string(metadata, "plan"), "the plan"), "the plan");
        tree.put("constants", Map.of());
        return new PlanHeader(header.limit() - PREFIX_BYTES, RecordTree.read(tree, Plan.class, ""),
                TensorLayout.read(entries), string(metadata, "data_sha256"));
    }

    private static void requireSeal(ByteBuffer header, String hash) {
        ByteBuffer copy = ByteBuffer.allocate(header.limit()).put(header.duplicate()).flip();
        seal(copy);
        if (!copy.equals(header)) {
            throw new InvalidInput("is damaged: its header does not have the hash " + hash);
        }
    }

    private static String string(Map<String, Object> metadata, String key) {
        if (!(metadata.get(key) instanceof String string)) {
            throw new InvalidInput("is no plan: its metadata has no " + key);
        }
        return string;
    }

    /** Compares the data section, given as the bytes of all tensors in order, with its hash. */
    void requireData(List<ByteBuffer> parts) {
        String actual = hash(parts);
        if (!actual.equals(dataHash)) {
            throw new InvalidInput("is damaged: its tensors have the hash " + actual + ", not " + dataHash);
        }
    }

    private static String hash(List<ByteBuffer> parts) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            parts.forEach(part -> digest.update(part.duplicate()));
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
