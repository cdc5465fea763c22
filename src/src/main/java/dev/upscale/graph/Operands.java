package dev.upscale.graph;

import java.util.List;

/** The typed inputs of one node, and complaints about them that name node, tensors and shapes. */
record Operands(Node node, List<TensorType> types) {

    Operands {
        types = List.copyOf(types);
        if (types.size() != node.inputs().size()) {
            throw new IllegalArgumentException(types.size() + " types for " + node);
        }
    }

    int count() {
        return types.size();
    }

    boolean has(int input) {
        return input < types.size();
    }

    TensorType type(int input) {
        return types.get(input);
    }

    List<Integer> dims(int input) {
        return types.get(input).dims();
    }

    /** A complaint about this node, with its inputs and the cure. */
    InvalidInput invalid(String complaint, String cure) {
        StringBuilder text = new StringBuilder("node ").append(node.name()).append(" (")
                .append(node.op().getClass().getSimpleName()).append("): ").append(complaint);
        for (int input = 0; input < types.size(); input++) {
            text.append(input == 0 ? "; it reads " : ", ").append(node.input(input)).append(' ').append(types.get(input));
            if (input == 7 && types.size() > 9) {
                text.append(" and ").append(types.size() - 8).append(" more");
                break;
            }
        }
        return new InvalidInput(text.append("; cure: ").append(cure).toString());
    }

    void require(boolean holds, String complaint, String cure) {
        if (!holds) {
            throw invalid(complaint, cure);
        }
    }

    void requireCount(int least, int most) {
        require(count() >= least && count() <= most,
                "it has " + count() + " inputs",
                least == most ? "give it exactly " + least : "give it " + least + " to " + most);
    }

    /** Checks that there are {@code least} to {@code most} inputs and that all hold f32. */
    void requireFloats(int least, int most) {
        requireCount(least, most);
        for (int input = 0; input < count(); input++) {
            require(type(input).element() == ElementType.F32,
                    "input " + node.input(input) + " holds " + type(input).element() + ", not F32",
                    "cast it to float in the model");
        }
    }

    /** Checks that all inputs hold the same type of element. */
    void requireSameElements() {
        for (TensorType type : types) {
            require(type.element() == type(0).element(), "its inputs hold elements of different types",
                    "cast them to one type in the model");
        }
    }

    void requireRank(int input, int rank, String layout) {
        require(type(input).rank() == rank,
                node.input(input) + " has rank " + type(input).rank() + ", not " + rank,
                "reshape it to " + layout);
    }

    void requireRankAtLeast(int input, int rank, String layout) {
        require(type(input).rank() >= rank,
                node.input(input) + " has rank " + type(input).rank() + ", which is less than " + rank,
                "reshape it to " + layout);
    }

    /** Checks that input {@code input}, if present, is a vector of the given length. */
    void requireVector(int input, int length, String role) {
        if (has(input)) {
            require(dims(input).equals(List.of(length)),
                    role + " " + node.input(input) + " is " + type(input),
                    "give it the shape [" + length + "]");
        }
    }

    void requireAxis(int axis) {
        int rank = type(0).rank();
        require(axis >= 0 && axis < rank, "axis " + axis + " of a tensor of rank " + rank,
                rank == 0 ? "a scalar has no axis" : "name an axis from 0 to " + (rank - 1));
    }
}
