package dev.upscale.onnx;

/** How one of ONNX's operators is written in the graph's operations. */
@FunctionalInterface
interface OperatorImport {
    /**
     * Writes one node.
     *
     * @throws dev.upscale.graph.InvalidInput if the node is damaged or asks for what is not supported
     */
    void write(NodeImport node);
}
