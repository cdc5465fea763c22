package dev.upscale.runtime.cudnn;

import static dev.upscale.bindings.cudnn.cudnn_h.*;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Operations that cuDNN is to carry out as one kernel, in order; what one makes for the next alone is a virtual tensor. */
public record OperationGraph(List<Operation> operations) {

    /** @throws IllegalArgumentException if two different tensors have the same id */
    public OperationGraph {
        operations = List.copyOf(operations);
        Map<Long, TensorDescription> known = new LinkedHashMap<>();
        operations.stream().flatMap(operation -> operation.tensors().stream()).forEach(tensor -> {
            TensorDescription before = known.putIfAbsent(tensor.id(), tensor);
            TensorDescription.require(before == null || before.equals(tensor), "id " + tensor.id(), "means " + before + " and " + tensor);
        });
    }

    /** The tensors that have memory, in the order of their first use. */
    public List<TensorDescription> tensors() {
        return all().stream().filter(tensor -> !tensor.isVirtual()).toList();
    }

    private List<TensorDescription> all() {
        return operations.stream().flatMap(operation -> operation.tensors().stream()).distinct().toList();
    }

    /** The graph's descriptor; parts are kept by cuDNN for as long as it needs them. */
    Descriptor make() {
        Map<Long, Descriptor> tensors = new LinkedHashMap<>();
        List<Descriptor> made = new ArrayList<>();
        try {
            all().forEach(tensor -> tensors.put(tensor.id(), tensor.make()));
            operations.forEach(operation -> made.add(operation.make(tensors)));
            return Descriptor.make(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR(), "operation graph",
                    graph -> graph.setDescriptors(CUDNN_ATTR_OPERATIONGRAPH_OPS(), made));
        } finally {
            made.forEach(Descriptor::close);
            tensors.values().forEach(Descriptor::close);
        }
    }
}
