package dev.upscale.onnx;

import dev.upscale.graph.InvalidInput;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Reads the messages of ONNX's schema into records. Field numbers are those of the schema; fields that do not change what
 * a model computes (documentation, metadata, producer) are passed over; a field that the schema does not have (as of IR
 * version 14) is damage, since what it stands for would be missing. Used once.
 */
final class ModelReader {
    private final WireReader wire;
    private final Path file;

    ModelReader(byte[] bytes, Path file) {
        this.wire = new WireReader(bytes);
        this.file = file;
    }

    /** A whole model. */
    OnnxModel model() {
        return guarded(() -> {
            long[] irVersion = {0};
            Map<String, Long> opsets = new HashMap<>();
            List<OnnxModel.Graph> graphs = new ArrayList<>();
            boolean[] functions = {false};
            wire.fields(field -> {
                switch (field) {
                    case 1 -> irVersion[0] = wire.number("ir_version");
                    case 7 -> wire.message("graph", () -> graphs.add(graph()));
                    case 8 -> wire.message("opset_import", () -> opset(opsets));
                    case 25 -> {
                        functions[0] = true;
                        wire.skip();
                    }
                    case 2, 3, 4, 5, 6, 14, 20, 26 -> wire.skip();
                    default -> throw wire.unknown("the model", field);
                }
            });
            if (graphs.size() != 1) {
                throw wire.damaged(graphs.isEmpty() ? "it has no graph" : "it has several graphs");
            }
            if (irVersion[0] < 1) {
                throw wire.damaged("it names no IR version");
            }
            if (functions[0]) {
                throw new InvalidInput("the model defines functions of its own, which are not supported: inline them"
                        + " (onnx.inliner.inline_local_functions) and save it again");
            }
            return new OnnxModel(file, irVersion[0], opsets, graphs.getFirst());
        });
    }

    /** One tensor, as in ONNX's test data (a file that is a TensorProto and nothing else). */
    OnnxTensor tensorAlone() {
        return guarded(() -> tensor("of the file"));
    }

    private interface Reading<T> {
        T read() throws IOException;
    }

    private <T> T guarded(Reading<T> reading) {
        try {
            return reading.read();
        } catch (IOException e) {
            throw wire.damaged(e.getMessage());
        }
    }

    private void opset(Map<String, Long> opsets) throws IOException {
        String[] domain = {""};
        long[] version = {0};
        wire.fields(field -> {
            switch (field) {
                case 1 -> domain[0] = wire.text("opset_import.domain");
                case 2 -> version[0] = wire.number("opset_import.version");
                default -> throw wire.unknown("opset_import", field);
            }
        });
        opsets.put(domain[0].equals("ai.onnx") ? "" : domain[0], version[0]);
    }

    private OnnxModel.Graph graph() throws IOException {
        String[] name = {""};
        boolean[] sparse = {false};
        List<OnnxModel.Node> nodes = new ArrayList<>();
        List<OnnxTensor> initializers = new ArrayList<>();
        List<OnnxModel.ValueInfo> inputs = new ArrayList<>();
        List<OnnxModel.ValueInfo> outputs = new ArrayList<>();
        wire.fields(field -> {
            switch (field) {
                case 1 -> wire.message("node #" + nodes.size(), () -> nodes.add(node(nodes.size())));
                case 2 -> name[0] = wire.text("graph.name");
                case 5 -> wire.message("initializer #" + initializers.size(),
                        () -> initializers.add(tensor("initializer #" + initializers.size())));
                case 11 -> wire.message("input #" + inputs.size(), () -> inputs.add(valueInfo()));
                case 12 -> wire.message("output #" + outputs.size(), () -> outputs.add(valueInfo()));
                case 15 -> {
                    sparse[0] = true;
                    wire.skip();
                }
                case 10, 13, 14, 16 -> wire.skip();
                default -> throw wire.unknown("the graph", field);
            }
        });
        return new OnnxModel.Graph(name[0], nodes, initializers, inputs, outputs, sparse[0]);
    }

    private OnnxModel.Node node(int position) throws IOException {
        String[] texts = {"", "", ""};
        List<String> inputs = new ArrayList<>();
        List<String> outputs = new ArrayList<>();
        Map<String, OnnxModel.Attribute> attributes = new HashMap<>();
        wire.fields(field -> {
            switch (field) {
                case 1 -> inputs.add(wire.text("node.input"));
                case 2 -> outputs.add(wire.text("node.output"));
                case 3 -> texts[0] = wire.text("node.name");
                case 4 -> texts[1] = wire.text("node.op_type");
                case 5 -> wire.message("an attribute of node #" + position, () -> attribute(attributes));
                case 7 -> texts[2] = wire.text("node.domain");
                case 6, 8, 9, 10 -> wire.skip();
                default -> throw wire.unknown("a node", field);
            }
        });
        String domain = texts[2].equals("ai.onnx") ? "" : texts[2];
        OnnxModel.Node node =
                new OnnxModel.Node(position, texts[0], texts[1], domain, inputs, outputs, attributes);
        if (node.opType().isEmpty()) {
            throw wire.damaged("node " + node.label() + " names no operator");
        }
        return node;
    }

    private void attribute(Map<String, OnnxModel.Attribute> attributes) throws IOException {
        String[] name = {""};
        long[] type = {0};
        float[] real = {0};
        long[] whole = {0};
        String[] text = {""};
        List<OnnxTensor> tensors = new ArrayList<>();
        Floats reals = new Floats();
        Longs wholes = new Longs();
        List<String> texts = new ArrayList<>();
        long[] found = {0};
        String[] other = {null};
        wire.fields(field -> {
            if (field >= 2 && field <= 9) {
                found[0] |= 1L << field;
            }
            switch (field) {
                case 1 -> name[0] = wire.text("attribute.name");
                case 2 -> real[0] = wire.real("attribute.f");
                case 3 -> whole[0] = wire.number("attribute.i");
                case 4 -> text[0] = wire.looseText("attribute.s");
                case 5 -> wire.message("tensor", () -> tensors.add(tensor("of attribute " + name[0])));
                case 7 -> wire.reals("attribute.floats", reals);
                case 8 -> wire.numbers("attribute.ints", wholes);
                case 9 -> texts.add(wire.looseText("attribute.strings"));
                case 20 -> type[0] = wire.number("attribute.type");
                case 21 -> {
                    other[0] = "reference to a function's attribute";
                    wire.skip();
                }
                case 6, 10, 11, 14, 15, 22, 23 -> {
                    other[0] = field == 6 || field == 11 ? "subgraph" : "value of a kind that no supported operator has";
                    wire.skip();
                }
                case 13 -> wire.skip();
                default -> throw wire.unknown("an attribute", field);
            }
        });
        if (type[0] == 0) {
            type[0] = typeOf(found[0]);
        }
        OnnxModel.Attribute value = other[0] != null ? new OnnxModel.Attribute.Other(other[0]) : switch ((int) type[0]) {
            case 1 -> new OnnxModel.Attribute.Real(real[0]);
            case 2 -> new OnnxModel.Attribute.Whole(whole[0]);
            case 3 -> new OnnxModel.Attribute.Text(text[0]);
            case 4 -> {
                if (tensors.size() != 1) {
                    throw wire.damaged("attribute " + name[0] + " is a tensor without a value");
                }
                yield new OnnxModel.Attribute.Constant(tensors.getFirst());
            }
            case 6 -> new OnnxModel.Attribute.Reals(reals.boxed());
            case 7 -> new OnnxModel.Attribute.Wholes(wholes.boxed());
            case 8 -> new OnnxModel.Attribute.Texts(texts);
            default -> new OnnxModel.Attribute.Other("value of kind " + type[0]);
        };
        // What is stated as one kind but stored as another is damaged; zeros may be left out by the wire format.
        long stray = found[0] & ~(1L << fieldOf((int) type[0]));
        if (other[0] == null && stray != 0) {
            throw wire.damaged("attribute " + name[0] + " has a value that does not fit its kind");
        }
        if (attributes.put(name[0], value) != null) {
            throw wire.damaged("attribute " + name[0] + " is given twice");
        }
    }

    /** The kind of an attribute that states none (files of IR version 1), from the fields found. */
    private static long typeOf(long found) {
        for (int type : new int[] {1, 2, 3, 4, 6, 7, 8}) {
            if (found == 1L << fieldOf(type)) {
                return type;
            }
        }
        return 0;
    }

    private static int fieldOf(int type) {
        return switch (type) {
            case 1, 2, 3, 4, 6, 7, 8 -> type + 1;
            default -> 63;
        };
    }

    private OnnxTensor tensor(String where) throws IOException {
        String[] name = {""};
        long[] type = {0};
        Longs dims = new Longs();
        Floats floats = new Floats();
        Doubles doubles = new Doubles();
        Longs ints = new Longs();
        Longs longs = new Longs();
        ByteBuffer[] raw = {null};
        Map<String, String> external = new LinkedHashMap<>();
        long[] location = {0};
        wire.fields(field -> {
            switch (field) {
                case 1 -> wire.numbers("tensor.dims", dims);
                case 2 -> type[0] = wire.number("tensor.data_type");
                case 3 -> throw wire.damaged("a tensor is stored in segments, which is not supported");
                case 4 -> wire.reals("tensor.float_data", floats);
                case 5 -> wire.numbers("tensor.int32_data", ints);
                case 7 -> wire.numbers("tensor.int64_data", longs);
                case 8 -> name[0] = wire.text("tensor.name");
                case 9 -> raw[0] = wire.bytes("tensor.raw_data");
                case 10 -> wire.doubles("tensor.double_data", doubles);
                case 11 -> wire.numbers("tensor.uint64_data", longs);
                case 13 -> wire.message("external_data", () -> entry(external));
                case 14 -> location[0] = wire.number("tensor.data_location");
                case 6, 12, 16 -> wire.skip();
                default -> throw wire.unknown("a tensor", field);
            }
        });
        if (location[0] == 1 && external.isEmpty()) {
            throw wire.damaged("tensor " + name[0] + " has external data without a location");
        }
        String label = name[0].isEmpty() ? where : name[0];
        return new OnnxTensor(label, dims.array(), (int) type[0], raw[0], floats.array(), doubles.array(), ints.array(),
                longs.array(), location[0] == 1 ? external : Map.of());
    }

    private void entry(Map<String, String> entries) throws IOException {
        String[] pair = {"", ""};
        wire.fields(field -> {
            switch (field) {
                case 1 -> pair[0] = wire.text("entry.key");
                case 2 -> pair[1] = wire.text("entry.value");
                default -> throw wire.unknown("an entry", field);
            }
        });
        entries.put(pair[0], pair[1]);
    }

    private OnnxModel.ValueInfo valueInfo() throws IOException {
        String[] name = {""};
        int[] element = {0};
        List<Optional<List<OnnxModel.Dim>>> shape = new ArrayList<>(List.of(Optional.empty()));
        wire.fields(field -> {
            switch (field) {
                case 1 -> name[0] = wire.text("value.name");
                case 2 -> wire.message("type", () -> wire.fields(kind -> {
                    if (kind == 1) {
                        wire.message("tensor_type", () -> tensorType(element, shape));
                    } else {
                        wire.skip();
                    }
                }));
                case 3, 4 -> wire.skip();
                default -> throw wire.unknown("a value", field);
            }
        });
        return new OnnxModel.ValueInfo(name[0], element[0], shape.getLast());
    }

    private void tensorType(int[] element, List<Optional<List<OnnxModel.Dim>>> shape) throws IOException {
        wire.fields(field -> {
            switch (field) {
                case 1 -> element[0] = (int) wire.number("tensor_type.elem_type");
                case 2 -> wire.message("shape", () -> {
                    List<OnnxModel.Dim> dims = new ArrayList<>();
                    wire.fields(dim -> {
                        if (dim != 1) {
                            throw wire.unknown("a shape", dim);
                        }
                        wire.message("dim", () -> dims.add(dim()));
                    });
                    shape.add(Optional.of(List.copyOf(dims)));
                });
                default -> throw wire.unknown("a tensor type", field);
            }
        });
    }

    private OnnxModel.Dim dim() throws IOException {
        List<Long> size = new ArrayList<>();
        String[] symbol = {""};
        wire.fields(field -> {
            switch (field) {
                case 1 -> size.add(wire.number("dim.dim_value"));
                case 2 -> symbol[0] = wire.text("dim.dim_param");
                case 3 -> wire.skip();
                default -> throw wire.unknown("a dimension", field);
            }
        });
        boolean stated = !size.isEmpty() && size.getLast() > 0;
        return new OnnxModel.Dim(stated ? OptionalLong.of(size.getLast()) : OptionalLong.empty(), symbol[0]);
    }
}
