package dev.upscale.bench;

import dev.upscale.graph.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * TorchScript's file: a zip archive with the source text of a class, the object itself as a pickle, and the bytes of its
 * tensors. Layout after PyTorch's {@code torch/csrc/jit/docs/serialization.md}.
 */
final class TorchArchive {
    private static final String ROOT = "net/";
    private static final String FORMAT_VERSION = "10\n";

    /** One tensor of the object; attribute k is called {@code w<k>}, its bytes are in {@code data/<k>}. */
    private record Attribute(String storage, List<Integer> dims, List<Integer> strides, byte[] content) {
        int elements() {
            return dims.stream().reduce(1, (a, b) -> a * b);
        }
    }

    /** From the outermost axis to the innermost one. */
    private static final List<Integer> CHANNELS_LAST = List.of(0, 2, 3, 1);

    private final List<Attribute> attributes = new ArrayList<>();

    /** Adds a weight; gives the expression that reads it. Of four axes channels may come last. */
    String weight(Tensor tensor, TorchScript.Layout layout) {
        List<Integer> dims = tensor.type().dims();
        List<Integer> axes = layout == TorchScript.Layout.CHANNELS_LAST && dims.size() == 4 ? CHANNELS_LAST : IntStream.range(0, dims.size()).boxed().toList();
        List<Integer> strides = strides(dims, axes);
        List<Integer> places = strides(dims, IntStream.range(0, dims.size()).boxed().toList());
        float[] values = tensor.floats();
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at < values.length; at++) {
            int to = 0;
            for (int axis = 0; axis < dims.size(); axis++) {
                to += at / places.get(axis) % dims.get(axis) * strides.get(axis);
            }
            bytes.putFloat(to * Float.BYTES, values[at]);
        }
        return add(new Attribute("FloatStorage", dims, strides, bytes.array()));
    }

    /** Of each axis, if memory runs through axes from the first named to the last, without gaps. */
    private static List<Integer> strides(List<Integer> dims, List<Integer> axes) {
        Integer[] strides = new Integer[dims.size()];
        int stride = 1;
        for (int axis : axes.reversed()) {
            strides[axis] = stride;
            stride *= dims.get(axis);
        }
        return List.of(strides);
    }

    /** Adds a list of positions; gives the expression that reads it. */
    String indices(List<Integer> indices) {
        ByteBuffer bytes = ByteBuffer.allocate(indices.size() * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        indices.forEach(bytes::putLong);
        return add(new Attribute("LongStorage", List.of(indices.size()), List.of(1), bytes.array()));
    }

    private String add(Attribute attribute) {
        attributes.add(attribute);
        return "self.w" + (attributes.size() - 1);
    }

    /** The file; {@code forward} is the text of that method, indented by two. */
    byte[] write(String forward) throws IOException {
        StringBuilder code = new StringBuilder("class Net(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n");
        for (int i = 0; i < attributes.size(); i++) {
            code.append("  w").append(i).append(" : Tensor\n");
        }
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(file)) {
            zip.setMethod(ZipOutputStream.STORED);
            put(zip, "data.pkl", pickle());
            put(zip, "code/__torch__.py", text(code + forward));
            for (int i = 0; i < attributes.size(); i++) {
                put(zip, "data/" + i, attributes.get(i).content);
            }
            put(zip, "constants.pkl", new byte[] {(byte) 0x80, 2, ')', '.'});
            put(zip, "version", text(FORMAT_VERSION));
            put(zip, "byteorder", text("little"));
        }
        return file.toByteArray();
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static void put(ZipOutputStream zip, String name, byte[] content) throws IOException {
        ZipEntry entry = new ZipEntry(ROOT + name);
        CRC32 crc = new CRC32();
        crc.update(content);
        entry.setSize(content.length);
        entry.setCompressedSize(content.length);
        entry.setCrc(crc.getValue());
        entry.setTime(0);
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }

    /** {@code Net.__new__(Net)} with a state of {@code training} and the tensors. */
    private byte[] pickle() {
        Pickle pickle = new Pickle();
        pickle.global("__torch__", "Net").op(')').op(0x81).op('}').op('(');
        pickle.string("training").op(0x89);
        for (int i = 0; i < attributes.size(); i++) {
            pickle.string("w" + i);
            tensor(pickle, i, attributes.get(i));
        }
        return pickle.op('u').op('b').op('.').bytes();
    }

    /** {@code torch._utils._rebuild_tensor_v2(storage, 0, sizes, strides, False, OrderedDict())}. */
    private static void tensor(Pickle pickle, int number, Attribute attribute) {
        pickle.global("torch._utils", "_rebuild_tensor_v2").op('(');
        pickle.op('(').string("storage").global("torch", attribute.storage).string(String.valueOf(number)).string("cpu").number(attribute.elements()).op('t')
                .op('Q');
        pickle.number(0).numbers(attribute.dims);
        pickle.numbers(attribute.strides).op(0x89).global("collections", "OrderedDict").op(')').op('R').op('t').op('R');
    }

    /** Python's pickle format, protocol 2: what is needed of it. */
    private static final class Pickle {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Pickle() {
            op(0x80).op(2);
        }

        Pickle op(int code) {
            out.write(code);
            return this;
        }

        Pickle global(String module, String name) {
            out.writeBytes(text("c" + module + "\n" + name + "\n"));
            return this;
        }

        Pickle string(String value) {
            byte[] bytes = text(value);
            op('X').little(bytes.length);
            out.writeBytes(bytes);
            return this;
        }

        Pickle number(int value) {
            return op('J').little(value);
        }

        Pickle numbers(List<Integer> values) {
            op('(');
            values.forEach(this::number);
            return op('t');
        }

        private Pickle little(int value) {
            out.writeBytes(ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
            return this;
        }

        byte[] bytes() {
            return out.toByteArray();
        }
    }
}
