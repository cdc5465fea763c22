/**
 * ONNX files to graphs and graphs to ONNX files.
 *
 * <p>Reading goes in one direction: {@link dev.upscale.onnx.OnnxFile} reads the protobuf wire format into the records of
 * {@link dev.upscale.onnx.OnnxModel}; {@link dev.upscale.onnx.OnnxImporter} walks their nodes, folds what is constant, and
 * has each operator written in the smaller set of {@link dev.upscale.graph.Op} by its entry in the operator table. No code
 * is generated from ONNX's schema: the few messages are read by field number, each checked for its wire type.
 */
package dev.upscale.onnx;
