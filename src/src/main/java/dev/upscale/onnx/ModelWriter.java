package dev.upscale.onnx;

import java.util.Map;
import java.util.TreeMap;

/** Writes the records of {@link OnnxModel} as the messages that {@link ModelReader} reads. */
final class ModelWriter {
    private static final String PRODUCER = "upscale";

    private ModelWriter() {}

    static WireWriter model(OnnxModel model) {
        WireWriter message = new WireWriter();
        message.number(1, model.irVersion());
        message.text(2, PRODUCER);
        message.message(7, graph(model.graph()));
        new TreeMap<>(model.opsets()).forEach((domain, version) -> {
            WireWriter opset = new WireWriter();
            opset.text(1, domain);
            opset.number(2, version);
            message.message(8, opset);
        });
        return message;
    }

    private static WireWriter graph(OnnxModel.Graph graph) {
        WireWriter message = new WireWriter();
        graph.nodes().forEach(node -> message.message(1, node(node)));
        message.text(2, graph.name());
        graph.initializers().forEach(tensor -> message.message(5, tensor(tensor)));
        graph.inputs().forEach(value -> message.message(11, valueInfo(value)));
        graph.outputs().forEach(value -> message.message(12, valueInfo(value)));
        return message;
    }

    private static WireWriter node(OnnxModel.Node node) {
        WireWriter message = new WireWriter();
        node.inputs().forEach(input -> message.text(1, input));
        node.outputs().forEach(output -> message.text(2, output));
        message.text(3, node.name());
        message.text(4, node.opType());
        for (Map.Entry<String, OnnxModel.Attribute> attribute : new TreeMap<>(node.attributes()).entrySet()) {
            message.message(5, attribute(attribute.getKey(), attribute.getValue()));
        }
        if (!node.domain().isEmpty()) {
            message.text(7, node.domain());
        }
        return message;
    }

    private static WireWriter attribute(String name, OnnxModel.Attribute attribute) {
        WireWriter message = new WireWriter();
        message.text(1, name);
        int type = switch (attribute) {
            case OnnxModel.Attribute.Real(float value) -> {
                message.real(2, value);
                yield 1;
            }
            case OnnxModel.Attribute.Whole(long value) -> {
                message.number(3, value);
                yield 2;
            }
            case OnnxModel.Attribute.Text(String value) -> {
                message.text(4, value);
                yield 3;
            }
            case OnnxModel.Attribute.Constant(OnnxTensor value) -> {
                message.message(5, tensor(value));
                yield 4;
            }
            case OnnxModel.Attribute.Reals reals -> {
                reals.values().forEach(value -> message.real(7, value));
                yield 6;
            }
            case OnnxModel.Attribute.Wholes wholes -> {
                wholes.values().forEach(value -> message.number(8, value));
                yield 7;
            }
            case OnnxModel.Attribute.Texts texts -> {
                texts.values().forEach(value -> message.text(9, value));
                yield 8;
            }
            case OnnxModel.Attribute.Other(String kind) ->
                    throw new IllegalArgumentException("attribute " + name + " is a " + kind);
        };
        message.number(20, type);
        return message;
    }

    private static WireWriter tensor(OnnxTensor tensor) {
        WireWriter message = new WireWriter();
        message.numbers(1, tensor.dims());
        message.number(2, tensor.dataType());
        for (float value : tensor.floats()) {
            message.real(4, value);
        }
        message.numbers(5, tensor.ints());
        message.numbers(7, tensor.longs());
        message.text(8, tensor.name());
        if (tensor.raw() != null) {
            message.bytes(9, tensor.raw());
        }
        tensor.external().forEach((key, value) -> {
            WireWriter entry = new WireWriter();
            entry.text(1, key);
            entry.text(2, value);
            message.message(13, entry);
        });
        if (!tensor.external().isEmpty()) {
            message.number(14, 1);
        }
        return message;
    }

    private static WireWriter valueInfo(OnnxModel.ValueInfo value) {
        WireWriter shape = new WireWriter();
        value.dims().ifPresent(dims -> dims.forEach(dim -> {
            WireWriter size = new WireWriter();
            dim.size().ifPresent(known -> size.number(1, known));
            if (!dim.symbol().isEmpty()) {
                size.text(2, dim.symbol());
            }
            shape.message(1, size);
        }));
        WireWriter tensorType = new WireWriter();
        tensorType.number(1, value.elementType());
        if (value.dims().isPresent()) {
            tensorType.message(2, shape);
        }
        WireWriter type = new WireWriter();
        type.message(1, tensorType);
        WireWriter message = new WireWriter();
        message.text(1, value.name());
        message.message(2, type);
        return message;
    }
}
