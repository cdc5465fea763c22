package dev.upscale.plan;

import dev.upscale.graph.InvalidInput;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Where the constants lie in the data section of a plan file: each begins at a multiple of 64 bytes. A safetensors file has
 * no gaps, so what lies between constants are tensors too, of bytes; one of them follows the last constant, so that a
 * kernel may read a vector past the end.
 *
 * @param tensors without gaps, from 0 on
 */
record TensorLayout(List<Tensor> tensors) {
    static final int ALIGNMENT = 64;

    /**
     * One tensor of the file.
     *
     * @param type empty for padding
     * @param begin from the start of the data section, in bytes
     */
    record Tensor(String name, Optional<Constant.Type> type, List<Integer> dims, long begin, long end) {
        long bytes() {
            return end - begin;
        }

        /** As it stands in the header. */
        Map<String, Object> entry() {
            return Map.of("dtype", type.map(Enum::name).orElse(PADDING_TYPE), "shape", dims,
                    "data_offsets", List.of(begin, end));
        }
    }

    private static final String PADDING_TYPE = "U8";

    TensorLayout {
        tensors = List.copyOf(tensors);
    }

    /** The constants in the plan's order. */
    static TensorLayout of(Map<String, Constant> constants) {
        List<Tensor> tensors = new ArrayList<>();
        long end = 0;
        int paddings = 0;
        for (Map.Entry<String, Constant> entry : constants.entrySet()) {
            Constant constant = entry.getValue();
            Tensor tensor = new Tensor(entry.getKey(), Optional.of(constant.type()), constant.dims(), end,
                    end + constant.bytes());
            tensors.add(tensor);
            end = tensor.end();
            int gap = (int) (Math.ceilDiv(end, ALIGNMENT) * ALIGNMENT - end)
                    + (tensors.size() - paddings == constants.size() ? ALIGNMENT : 0);
            if (gap > 0) {
                String name;
                do {
                    name = "padding." + paddings++;
                } while (constants.containsKey(name));
                tensors.add(new Tensor(name, Optional.empty(), List.of(gap), end, end + gap));
                end += gap;
            }
        }
        return new TensorLayout(tensors);
    }

    /**
     * The layout that a header lists.
     *
     * @throws InvalidInput if an entry is not understood or tensors overlap, leave gaps or are not aligned
     */
    static TensorLayout read(Map<String, Object> entries) {
        List<Tensor> tensors = new ArrayList<>();
        entries.forEach((name, entry) -> tensors.add(readTensor(name, entry)));
        tensors.sort(Comparator.comparingLong(Tensor::begin).thenComparingLong(Tensor::end));
        long end = 0;
        for (Tensor tensor : tensors) {
            if (tensor.begin() != end) {
                throw new InvalidInput("tensor " + tensor.name() + " begins at " + tensor.begin()
                        + " where the one before it ends at " + end);
            }
            if (tensor.type().isPresent() && tensor.begin() % ALIGNMENT != 0) {
                throw new InvalidInput("tensor " + tensor.name() + " begins at " + tensor.begin()
                        + ", which is no multiple of " + ALIGNMENT);
            }
            end = tensor.end();
        }
        return new TensorLayout(tensors);
    }

    private static Tensor readTensor(String name, Object tree) {
        String at = "tensor " + name;
        Map<String, Object> entry = RecordTree.object(tree, at);
        Object dtype = entry.get("dtype");
        boolean padding = PADDING_TYPE.equals(dtype);
        Tensor tensor = RecordTree.read(tensorFields(name, entry, padding), Tensor.class, at);
        long bytes = 1;
        for (int dim : tensor.dims()) {
            if (dim < 0) {
                throw new InvalidInput(at + " has the shape " + tensor.dims());
            }
            bytes = Math.multiplyExact(bytes, dim);
        }
        bytes = Math.multiplyExact(bytes, tensor.type().map(Constant.Type::bytes).orElse(1));
        if (tensor.begin() < 0 || tensor.end() < tensor.begin() || tensor.bytes() != bytes
                || !padding && bytes > Integer.MAX_VALUE) {
            throw new InvalidInput(at + " of the shape " + tensor.dims() + " lies at " + tensor.begin() + " to "
                    + tensor.end());
        }
        return tensor;
    }

    private static Map<String, Object> tensorFields(String name, Map<String, Object> entry, boolean padding) {
        if (!(entry.get("data_offsets") instanceof List<?> offsets) || offsets.size() != 2 || entry.size() != 3) {
            throw new InvalidInput("tensor " + name + " has not just a dtype, a shape and two data_offsets");
        }
        Map<String, Object> fields = new TreeMap<>(Map.of("name", name, "begin", offsets.get(0), "end", offsets.get(1)));
        if (!padding) {
            fields.put("type", entry.getOrDefault("dtype", ""));
        }
        fields.put("dims", entry.getOrDefault("shape", ""));
        return fields;
    }

    /** The size of the data section. */
    long bytes() {
        return tensors.isEmpty() ? 0 : tensors.getLast().end();
    }

    /** The bytes of all tensors, one after the other; padding is zero. */
    List<ByteBuffer> parts(Map<String, Constant> constants) {
        return tensors.stream()
                .map(tensor -> tensor.type().isPresent()
                        ? constants.get(tensor.name()).data()
                        : ByteBuffer.allocate((int) tensor.bytes()))
                .toList();
    }

    /** As it stands in the header. */
    Map<String, Object> entries() {
        Map<String, Object> entries = new LinkedHashMap<>();
        tensors.forEach(tensor -> entries.put(tensor.name(), tensor.entry()));
        return entries;
    }
}
