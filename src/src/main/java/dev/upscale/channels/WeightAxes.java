package dev.upscale.channels;

import dev.upscale.graph.Graph;
import dev.upscale.graph.Node;
import dev.upscale.graph.Op;
import dev.upscale.graph.Tensor;
import dev.upscale.graph.TensorType;
import java.util.BitSet;
import java.util.Optional;

/**
 * How the weight of a convolution or matrix product is laid out: element (output o, input c, tap t), whatever the
 * operation's order of dimensions. With groups, an input channel meets only the outputs of its own group.
 *
 * @param outputs of all groups
 * @param inputs of all groups
 * @param taps kernel positions
 * @param inputsFirst whether the weight's first dimension counts inputs, as a transposed convolution's does
 */
public record WeightAxes(int outputs, int inputs, int taps, int groups, boolean inputsFirst) {

    /** The layout of a node's weight, its second input, if the node is a convolution or matrix product with one. */
    public static Optional<WeightAxes> of(Graph graph, Node node) {
        if (node.inputs().size() < 2 || !graph.isWeight(node.input(1))) {
            return Optional.empty();
        }
        TensorType type = graph.type(node.input(1));
        return switch (node.op()) {
            case Op.Conv conv -> Optional.of(new WeightAxes(type.dim(0), type.dim(1) * conv.groups(),
                    type.dim(2) * type.dim(3), conv.groups(), false));
            case Op.ConvTranspose conv -> Optional.of(new WeightAxes(type.dim(1) * conv.groups(), type.dim(0),
                    type.dim(2) * type.dim(3), conv.groups(), true));
            case Op.Linear linear -> Optional.of(new WeightAxes(type.dim(0), type.dim(1), 1, 1, false));
            default -> Optional.empty();
        };
    }

    /** Whether input channel {@code input} and output channel {@code output} are in the same group. */
    public boolean connects(int output, int input) {
        return groups == 1 || output / (outputs / groups) == input / (inputs / groups);
    }

    /** The number of input channels in one group. */
    public int groupInputs() {
        return inputs / groups;
    }

    /** The first input channel of the group that an output is in. */
    public int firstInput(int output) {
        return output / (outputs / groups) * groupInputs();
    }

    /** Where tap 0 of a connected pair stands; its other taps follow. */
    public int at(int output, int input) {
        return (inputsFirst
                        ? input * (outputs / groups) + output % (outputs / groups)
                        : output * (inputs / groups) + input % (inputs / groups))
                * taps;
    }

    /** How far an input's taps lie from those of the input before it, for the same output. */
    public int inputStride() {
        return inputsFirst ? outputs / groups * taps : taps;
    }

    /** Adds the inputs to which an output has a weight that is not zero. */
    void addInputs(Tensor weight, int output, BitSet found) {
        float[] values = weight.floats();
        int first = firstInput(output);
        int end = first + groupInputs();
        int stride = inputStride();
        int start = at(output, first);
        for (int input = found.nextClearBit(first); input < end; input = found.nextClearBit(input + 1)) {
            if (anyNonZero(values, start + (input - first) * stride, taps)) {
                found.set(input);
            }
        }
    }

    /** Whether an output has any weight that is not zero. */
    public boolean readsAnything(Tensor weight, int output) {
        int first = firstInput(output);
        for (int input = first; input < first + groupInputs(); input++) {
            if (anyNonZero(weight.floats(), at(output, input), taps)) {
                return true;
            }
        }
        return false;
    }

    private static boolean anyNonZero(float[] values, int start, int count) {
        for (int k = start; k < start + count; k++) {
            if (values[k] != 0) {
                return true;
            }
        }
        return false;
    }

    /** The weight with the listed outputs and inputs alone, in the order listed. Without groups. */
    public Tensor select(Tensor weight, int[] chosenOutputs, int[] chosenInputs) {
        if (groups != 1) {
            throw new IllegalArgumentException("a grouped weight cannot be cut channel by channel");
        }
        float[] source = weight.floats();
        float[] selected = new float[Math.multiplyExact(chosenOutputs.length * chosenInputs.length, taps)];
        WeightAxes smaller = new WeightAxes(chosenOutputs.length, chosenInputs.length, taps, 1, inputsFirst);
        for (int output = 0; output < chosenOutputs.length; output++) {
            int row = at(chosenOutputs[output], 0);
            int to = smaller.at(output, 0);
            for (int input : chosenInputs) {
                int from = row + input * inputStride();
                for (int tap = 0; tap < taps; tap++) {
                    selected[to + tap] = source[from + tap];
                }
                to += smaller.inputStride();
            }
        }
        TensorType type = weight.type().withDim(inputsFirst ? 1 : 0, chosenOutputs.length)
                .withDim(inputsFirst ? 0 : 1, chosenInputs.length);
        return Tensor.of(type, selected);
    }
}
