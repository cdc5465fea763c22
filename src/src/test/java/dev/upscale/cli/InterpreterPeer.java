package dev.upscale.cli;

import dev.upscale.graph.DoubleTensor;
import dev.upscale.graph.Graph;
import dev.upscale.graph.Interpreter;
import dev.upscale.graph.Tensor;
import dev.upscale.onnx.OnnxImporter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A peer that reads ONNX and runs it in the reference engine, so that tests of {@code --peers} need no other runtime. */
public final class InterpreterPeer implements Peer {
    @Override
    public String name() {
        return "interpreter";
    }

    @Override
    public String version() {
        return "of this build";
    }

    @Override
    public Session open(byte[] model, int threads, List<Input> inputs) {
        Graph graph = read(model);
        Map<String, Tensor> values = new LinkedHashMap<>();
        inputs.forEach(input -> values.put(input.name(),
                Tensor.f32(input.values(), Arrays.stream(input.dims()).mapToInt(Math::toIntExact).toArray())));
        return new Session() {
            private List<float[]> outputs = List.of();

            @Override
            public void run() {
                outputs = Interpreter.run(graph, values).values().stream().map(InterpreterPeer::floats).toList();
            }

            @Override
            public List<float[]> outputs() {
                return outputs;
            }

            @Override
            public void close() {
                // Nothing is held.
            }
        };
    }

    private static Graph read(byte[] model) {
        try {
            Path file = Files.createTempFile("peer", ".onnx");
            try {
                return OnnxImporter.read(Files.write(file, model));
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static float[] floats(DoubleTensor tensor) {
        float[] floats = new float[tensor.values().length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) tensor.values()[i];
        }
        return floats;
    }
}
