package dev.upscale.onnx;

import dev.upscale.graph.ElementType;
import dev.upscale.graph.Function;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One node of the model on its way into the graph: its operands and attributes as the operator's entry in the table asks
 * for them, and what it writes in their place. An attribute that nobody asked for is an error, since it would change the
 * meaning.
 */
final class NodeImport {
    private final OnnxModel.Node node;
    private final int opset;
    private final Path file;
    private final GraphAssembly assembly;
    private final Set<String> readElsewhere;
    private final Set<String> asked = new HashSet<>();

    /** @param readElsewhere the tensor names that nodes or the graph's outputs read */
    NodeImport(OnnxModel.Node node, int opset, Path file, GraphAssembly assembly, Set<String> readElsewhere) {
        this.node = node;
        this.opset = opset;
        this.file = file;
        this.assembly = assembly;
        this.readElsewhere = readElsewhere;
    }

    int opset() {
        return opset;
    }

    String opType() {
        return node.opType();
    }

    /** A complaint about this node, with the cure. */
    InvalidInput invalid(String complaint) {
        return new InvalidInput("node " + node.label() + " (" + node.opType() + ", opset " + opset + "): " + complaint);
    }

    void require(boolean holds, String complaint) {
        if (!holds) {
            throw invalid(complaint);
        }
    }

    // Operands

    int inputs() {
        return node.inputs().size();
    }

    boolean has(int input) {
        return input < node.inputs().size() && !node.inputs().get(input).isEmpty();
    }

    Value input(int position) {
        require(has(position), "input " + position + " is missing: the model is damaged, get it again");
        String name = node.inputs().get(position);
        return assembly.find(name).orElseThrow(() -> invalid("reads tensor " + name
                + ", which nothing before it makes: the model is damaged, get it again"));
    }

    /** An input that holds reals. */
    Value real(int position) {
        Value value = input(position);
        require(value.type().element() == ElementType.F32, "input " + value.name()
                + " holds whole numbers, which are supported as constants alone: cast it to float in the model");
        return value;
    }

    /** An input that the operation needs to know now. */
    Tensor constant(int position) {
        Value value = input(position);
        if (value instanceof Value.Constant constant) {
            return constant.tensor();
        }
        throw invalid("input " + value.name() + " must be a constant: fold the model's constants (onnxsim), or give the"
                + " input shapes that it depends on");
    }

    /** An input of reals that the graph wants as a weight. */
    Value.Constant weight(int position) {
        constant(position);
        return (Value.Constant) real(position);
    }

    /** A constant input of whole numbers. */
    long[] wholes(int position) {
        Tensor tensor = constant(position);
        require(tensor.type().element() == ElementType.I64,
                "input " + node.inputs().get(position) + " holds reals, where whole numbers belong: cast it to int64");
        return tensor.longs();
    }

    /** A constant input of one real. */
    float scalar(int position) {
        Tensor tensor = constant(position);
        require(tensor.type().element() == ElementType.F32 && tensor.type().elements() == 1,
                "input " + node.inputs().get(position) + " must be one real, and is " + tensor.type());
        return tensor.floats()[0];
    }

    /** The axis as one that is not negative. */
    int axis(long axis, int rank) {
        require(axis >= -rank && axis < rank, "axis " + axis + " of a tensor of rank " + rank
                + ": name an axis that the tensor has");
        return (int) (axis < 0 ? axis + rank : axis);
    }

    /** A whole number that must fit into 32 bits and not be less than {@code least}. */
    int bounded(String what, long value, int least) {
        require(value >= least && value <= 1 << 30, what + " is " + value + ": the model is damaged, get it again");
        return (int) value;
    }

    // Attributes

    /** States that an attribute of that name makes no difference here. */
    void ignore(String... names) {
        asked.addAll(Arrays.asList(names));
    }

    boolean hasAttribute(String name) {
        return node.attributes().containsKey(name);
    }

    private <A extends OnnxModel.Attribute> Optional<A> attribute(String name, Class<A> kind) {
        asked.add(name);
        OnnxModel.Attribute attribute = node.attributes().get(name);
        if (attribute == null) {
            return Optional.empty();
        }
        require(kind.isInstance(attribute), "attribute " + name + " is a "
                + attribute.getClass().getSimpleName() + ", not a " + kind.getSimpleName()
                + ": the model is damaged, get it again");
        return Optional.of(kind.cast(attribute));
    }

    long whole(String name, long missing) {
        return attribute(name, OnnxModel.Attribute.Whole.class).map(OnnxModel.Attribute.Whole::value).orElse(missing);
    }

    float real(String name, float missing) {
        return attribute(name, OnnxModel.Attribute.Real.class).map(OnnxModel.Attribute.Real::value).orElse(missing);
    }

    String text(String name, String missing) {
        return attribute(name, OnnxModel.Attribute.Text.class).map(OnnxModel.Attribute.Text::value).orElse(missing);
    }

    Optional<long[]> wholeList(String name) {
        return attribute(name, OnnxModel.Attribute.Wholes.class)
                .map(list -> list.values().stream().mapToLong(Long::longValue).toArray());
    }

    Optional<List<Float>> realList(String name) {
        return attribute(name, OnnxModel.Attribute.Reals.class).map(OnnxModel.Attribute.Reals::values);
    }

    Optional<Tensor> tensor(String name) {
        return attribute(name, OnnxModel.Attribute.Constant.class).map(constant -> constant.value().decode(file));
    }

    /** One of the listed values of a text attribute. */
    <E extends Enum<E>> E choice(String name, String missing, Class<E> values) {
        String text = text(name, missing);
        for (E value : values.getEnumConstants()) {
            if (value.name().equalsIgnoreCase(text)) {
                return value;
            }
        }
        throw unsupported(name, text);
    }

    InvalidInput unsupported(String attribute, Object value) {
        return invalid("attribute " + attribute + " is " + value + ", which is not supported: export the model without it");
    }

    /** Checks that every attribute of the node was asked for. */
    void requireAllAsked() {
        for (String name : node.attributes().keySet()) {
            require(asked.contains(name), "attribute " + name
                    + " is not known for this operator: the model is damaged, or made for another runtime");
        }
    }

    // Results

    int outputs() {
        return node.outputs().size();
    }

    boolean isRead(int output) {
        return output < node.outputs().size() && readElsewhere.contains(node.outputs().get(output));
    }

    /** Refuses outputs beyond the first {@code count} if anything reads them. */
    void requireOutputs(int count) {
        for (int output = count; output < outputs(); output++) {
            require(!isRead(output), "output " + node.outputs().get(output)
                    + " is used, which is not supported: export the model in inference mode");
        }
    }

    private String outputName(int output) {
        require(output < node.outputs().size(), "output " + output + " is missing: the model is damaged, get it again");
        String name = node.outputs().get(output);
        return name.isEmpty() ? assembly.fresh("unused") : name;
    }

    /** An intermediate result. */
    Value emit(String stem, Op op, Value... operands) {
        String name = assembly.fresh(outputName(0) + "/" + stem);
        return assembly.emit(name, op, List.of(operands), name);
    }

    Value apply(Function.Kind kind, Value operand) {
        return emit(kind.name().toLowerCase(java.util.Locale.ROOT), new Op.Apply(Function.of(kind)), operand);
    }

    Value binary(Op.Binary.Kind kind, Value left, Value right) {
        return emit(kind.name().toLowerCase(java.util.Locale.ROOT), new Op.Binary(kind), left, right);
    }

    /** The operand under another shape; itself if it has that shape. */
    Value reshape(Value operand, List<Integer> dims) {
        return operand.dims().equals(dims) ? operand : emit("reshape", new Op.Reshape(dims), operand);
    }

    /** A constant of this node's own. */
    Value.Constant constant(String stem, Tensor tensor) {
        return new Value.Constant(assembly.fresh(outputName(0) + "/" + stem), tensor);
    }

    Value.Constant scalarConstant(String stem, float value) {
        return constant(stem, Tensor.f32(new float[] {value}));
    }

    /** The node's result: one operation. */
    void result(Op op, Value... operands) {
        result(0, op, operands);
    }

    /** One of the node's results: one operation. */
    void result(int output, Op op, Value... operands) {
        String name = outputName(output);
        String label = node.name().isBlank() || output > 0 ? name : node.name();
        assembly.define(name, assembly.emit(label, op, List.of(operands), name));
    }

    /** The node's result is a tensor that is there already. */
    void alias(int output, Value value) {
        assembly.define(outputName(output), value);
    }

    /** The node's result is known. */
    void known(Tensor tensor) {
        String name = outputName(0);
        assembly.define(name, new Value.Constant(name, tensor));
    }

    /** The node's result has the operand's elements under another shape. */
    void reshaped(Value operand, List<Integer> dims) {
        if (operand.dims().equals(dims)) {
            alias(0, operand);
        } else {
            result(new Op.Reshape(dims), operand);
        }
    }

    /** A type of whole numbers. */
    static TensorType wholeType(List<Integer> dims) {
        return new TensorType(ElementType.I64, dims);
    }
}
