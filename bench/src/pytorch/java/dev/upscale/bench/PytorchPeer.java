package dev.upscale.bench;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import dev.upscale.cli.Peer;
import dev.upscale.compile.Compiler;
import dev.upscale.graph.Graph;
import dev.upscale.onnx.ImportOptions;
import dev.upscale.onnx.OnnxImporter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * PyTorch's C++ library through DJL, in this process. The network is given to it as TorchScript, with batch normalisations
 * folded into convolutions as PyTorch's own freezing does, by planes and channels last; what takes less time in some runs is kept.
 * Its executor is warmed up by the runs that are not timed. DJL has no access to {@code torch.jit.optimize_for_inference} or
 * {@code torch.compile}, so this is what a Java program gets.
 */
public final class PytorchPeer implements Peer {
    static {
        System.setProperty("ai.djl.offline", "true");
        System.setProperty("OPT_OUT_TRACKING", "true");
    }

    /** Runs of a layout: the first ones compile it. */
    private static final int WARM_RUNS = 3, TRIED_RUNS = 5;
    /** libgomp's threads spin for some milliseconds after a run. */
    private static final Duration SPINNING = Duration.ofMillis(25);

    @Override
    public String name() {
        return "pytorch";
    }

    @Override
    public String version() {
        try {
            return Engine.getEngine("PyTorch").getVersion();
        } catch (RuntimeException | LinkageError e) {
            return "unusable: " + e;
        }
    }

    @Override
    public Session open(byte[] model, int threads, List<Input> inputs) {
        try {
            Path folder = Files.createTempDirectory("upscale-pytorch");
            Path onnx = folder.resolve("net.onnx");
            try {
                Files.write(onnx, model);
                Graph graph = Compiler.fold(OnnxImporter.read(onnx, ImportOptions.defaults()));
                OpenModel planes = open(graph, TorchScript.Layout.PLANES, folder, threads, inputs);
                OpenModel channelsLast = open(graph, TorchScript.Layout.CHANNELS_LAST, folder, threads, inputs);
                boolean last = channelsLast.nanos() < planes.nanos();
                (last ? planes : channelsLast).close();
                return last ? channelsLast : planes;
            } finally {
                Files.deleteIfExists(onnx);
                Files.delete(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the temporary folder cannot be written to", e);
        } catch (MalformedModelException e) {
            throw new IllegalStateException("PyTorch cannot open the model: " + e.getMessage(), e);
        }
    }

    private static OpenModel open(Graph graph, TorchScript.Layout layout, Path folder, int threads, List<Input> inputs)
            throws IOException, MalformedModelException {
        Path script = folder.resolve("net.pt");
        try {
            Files.write(script, TorchScript.of(graph, layout));
            return new OpenModel(folder, threads, inputs);
        } finally {
            Files.deleteIfExists(script);
        }
    }

    @Override
    public Duration spinning() {
        return SPINNING;
    }

    private static final class OpenModel implements Session {
        private final NDManager manager = NDManager.newBaseManager("PyTorch");
        private final ParameterStore parameters = new ParameterStore(manager, false);
        private final Model model = Model.newInstance("net", "PyTorch");
        private final int threads;
        private final Block block;
        private final NDList inputs = new NDList();
        private NDList outputs = new NDList();

        OpenModel(Path folder, int threads, List<Input> inputs) throws IOException, MalformedModelException {
            this.threads = threads;
            model.load(folder, "net");
            block = model.getBlock();
            for (Input input : inputs) {
                this.inputs.add(manager.create(input.values(), new Shape(input.dims())));
            }
        }

        /** What a run takes at least. */
        long nanos() {
            long least = Long.MAX_VALUE;
            for (int run = 0; run < WARM_RUNS + TRIED_RUNS; run++) {
                long begun = System.nanoTime();
                run();
                least = run < WARM_RUNS ? least : Math.min(least, System.nanoTime() - begun);
            }
            return least;
        }

        @Override
        public void run() {
            outputs.close();
            JniUtils.setNumThreads(threads);
            outputs = block.forward(parameters, inputs, false);
        }

        @Override
        public List<float[]> outputs() {
            return outputs.stream().map(NDArray::toFloatArray).toList();
        }

        @Override
        public void close() {
            outputs.close();
            model.close();
            manager.close();
        }
    }
}
