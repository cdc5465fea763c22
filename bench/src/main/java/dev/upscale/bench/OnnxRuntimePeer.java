package dev.upscale.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import dev.upscale.cli.Peer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * ONNX Runtime's CPU provider through its Java API: all graph optimisations, one thread between operators, as many within
 * one as asked for.
 *
 * <p>Inputs and outputs are tensors over direct buffers that all runs share, so that a run's time is the network's and not
 * Java's copying.
 */
public final class OnnxRuntimePeer implements Peer {

    @Override
    public String name() {
        return "onnxruntime";
    }

    @Override
    public String version() {
        try {
            return environment().getVersion();
        } catch (RuntimeException | LinkageError e) {
            return "unusable: " + e;
        }
    }

    @Override
    public Session open(byte[] model, int threads, List<Input> inputs) {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            options.setExecutionMode(OrtSession.SessionOptions.ExecutionMode.SEQUENTIAL);
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            // Its threads may spin while it runs, as by default, but not into the turns of others.
            options.addConfigEntry("session.force_spinning_stop", "1");
            return new OpenModel(environment().createSession(model, options), inputs);
        } catch (OrtException e) {
            throw new IllegalStateException("ONNX Runtime cannot open the model: " + e.getMessage(), e);
        }
    }

    private static OrtEnvironment environment() {
        return OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
    }

    private static final class OpenModel implements Session {
        private final OrtSession session;
        private final Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
        private final Map<String, OnnxTensor> outputs = new LinkedHashMap<>();
        private final List<FloatBuffer> results = new ArrayList<>();

        OpenModel(OrtSession session, List<Input> inputs) throws OrtException {
            this.session = session;
            for (Input input : inputs) {
                FloatBuffer values = direct(input.values().length);
                values.put(input.values()).rewind();
                this.inputs.put(input.name(), OnnxTensor.createTensor(environment(), values, input.dims()));
            }
            try (OrtSession.Result first = session.run(this.inputs)) {
                for (Map.Entry<String, OnnxValue> output : first) {
                    OnnxTensor tensor = (OnnxTensor) output.getValue();
                    long[] dims = tensor.getInfo().getShape();
                    FloatBuffer values = direct((int) tensor.getInfo().getNumElements());
                    results.add(values);
                    outputs.put(output.getKey(), OnnxTensor.createTensor(environment(), values, dims));
                }
            }
        }

        private static FloatBuffer direct(int elements) {
            return ByteBuffer.allocateDirect(elements * Float.BYTES).order(ByteOrder.nativeOrder()).asFloatBuffer();
        }

        @Override
        public void run() {
            try {
                session.run(inputs, outputs).close();
            } catch (OrtException e) {
                throw new IllegalStateException("ONNX Runtime failed: " + e.getMessage(), e);
            }
        }

        @Override
        public List<float[]> outputs() {
            return results.stream().map(buffer -> {
                float[] values = new float[buffer.capacity()];
                buffer.duplicate().rewind().get(values);
                return values;
            }).toList();
        }

        @Override
        public void close() {
            inputs.values().forEach(OnnxTensor::close);
            outputs.values().forEach(OnnxTensor::close);
            try {
                session.close();
            } catch (OrtException e) {
                throw new IllegalStateException("ONNX Runtime cannot close the model: " + e.getMessage(), e);
            }
        }
    }
}
