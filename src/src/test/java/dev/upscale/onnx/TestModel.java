package dev.upscale.onnx;

import dev.upscale.graph.ElementType;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** A small ONNX model, put together for a test. */
final class TestModel {
    private final long opset;
    private final List<OnnxModel.Node> nodes = new ArrayList<>();
    private final List<OnnxTensor> initializers = new ArrayList<>();
    private final List<OnnxModel.ValueInfo> inputs = new ArrayList<>();
    private final List<OnnxModel.ValueInfo> outputs = new ArrayList<>();

    private TestModel(long opset) {
        this.opset = opset;
    }

    static TestModel opset(long opset) {
        return new TestModel(opset);
    }

    /** A float input; a dimension is a size, a symbol, or {@code ?}. */
    TestModel input(String name, Object... dims) {
        inputs.add(new OnnxModel.ValueInfo(name, 1, Optional.of(Arrays.stream(dims).map(TestModel::dim).toList())));
        return this;
    }

    TestModel input(OnnxModel.ValueInfo value) {
        inputs.add(value);
        return this;
    }

    private static OnnxModel.Dim dim(Object dim) {
        return dim instanceof Integer size ? new OnnxModel.Dim(OptionalLong.of(size), "")
                : new OnnxModel.Dim(OptionalLong.empty(), dim.equals("?") ? "" : dim.toString());
    }

    TestModel weight(String name, Tensor tensor) {
        return initializer(stored(name, tensor));
    }

    /** A weight of the given shape, filled with 0, 1, 2, ... */
    TestModel weight(String name, int... dims) {
        return weight(name, iota(dims));
    }

    static Tensor iota(int... dims) {
        float[] values = new float[Arrays.stream(dims).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        return Tensor.f32(values, dims);
    }

    /** A constant of whole numbers. */
    TestModel wholes(String name, long... values) {
        return weight(name, wholes(values));
    }

    static Tensor wholes(long... values) {
        return Tensor.of(NodeImport.wholeType(List.of(values.length)), values);
    }

    TestModel initializer(OnnxTensor tensor) {
        initializers.add(tensor);
        return this;
    }

    static OnnxTensor stored(String name, Tensor tensor) {
        ByteBuffer raw = ByteBuffer.allocate((int) tensor.type().bytes()).order(ByteOrder.LITTLE_ENDIAN);
        if (tensor.type().element() == ElementType.F32) {
            raw.asFloatBuffer().put(tensor.floats());
        } else {
            raw.asLongBuffer().put(tensor.longs());
        }
        return new OnnxTensor(name, tensor.type().dims().stream().mapToLong(dim -> dim).toArray(),
                tensor.type().element() == ElementType.F32 ? 1 : 7, raw, new float[0], new double[0], new long[0],
                new long[0], Map.of());
    }

    /**
     * A node named after its first output.
     *
     * @param attributes names and values in turn: Integer, Float, String, Tensor, {@code int[]} or {@code float[]}
     */
    TestModel node(String opType, List<String> inputs, List<String> outputs, Object... attributes) {
        Map<String, OnnxModel.Attribute> values = new HashMap<>();
        for (int i = 0; i < attributes.length; i += 2) {
            values.put(attributes[i].toString(), attribute(attributes[i + 1]));
        }
        nodes.add(new OnnxModel.Node(nodes.size(), "", opType, "", inputs, outputs, values));
        return this;
    }

    /** A node with one output. */
    TestModel node(String output, String opType, List<String> inputs, Object... attributes) {
        return node(opType, inputs, List.of(output), attributes);
    }

    private static OnnxModel.Attribute attribute(Object value) {
        return switch (value) {
            case Integer whole -> new OnnxModel.Attribute.Whole(whole);
            case Float real -> new OnnxModel.Attribute.Real(real);
            case String text -> new OnnxModel.Attribute.Text(text);
            case Tensor tensor -> new OnnxModel.Attribute.Constant(stored("value", tensor));
            case int[] wholes -> new OnnxModel.Attribute.Wholes(Arrays.stream(wholes).mapToObj(Long::valueOf).toList());
            case float[] reals -> {
                List<Float> list = new ArrayList<>();
                for (float real : reals) {
                    list.add(real);
                }
                yield new OnnxModel.Attribute.Reals(list);
            }
            default -> throw new IllegalArgumentException(value.toString());
        };
    }

    TestModel output(String... names) {
        for (String name : names) {
            outputs.add(new OnnxModel.ValueInfo(name, 1, Optional.empty()));
        }
        return this;
    }

    OnnxModel model(Path file) {
        return new OnnxModel(file, 8, Map.of("", opset),
                new OnnxModel.Graph("test", nodes, initializers, inputs, outputs, false));
    }

    /** The model as the bytes of a file. */
    byte[] bytes() {
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        try {
            ModelWriter.model(model(Path.of("test.onnx"))).writeTo(stream);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return stream.toByteArray();
    }

    Path write(Path file) {
        try {
            return Files.write(file, bytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The model imported, by way of its bytes. */
    Graph graph(ImportOptions options) {
        return OnnxImporter.graph(new ModelReader(bytes(), Path.of("test.onnx")).model(), options);
    }

    Graph graph() {
        return graph(ImportOptions.defaults());
    }
}
