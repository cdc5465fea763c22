package dev.upscale.onnx;

import dev.upscale.graph.DoubleTensor;
import dev.upscale.graph.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** The fixtures that lie beside the project, in {@code ../shared/models}, or where {@code -Dupscale.models} says. */
public final class SharedModels {
    private SharedModels() {}

    /** A fixture; where the folder is missing, the test that asks is skipped. */
    public static Path find(String relative) {
        Path folder = Path.of(System.getProperty("upscale.models", "../../shared/models"));
        Assumptions.assumeTrue(Files.isDirectory(folder),
                "no models at " + folder.toAbsolutePath().normalize() + ": give -Dupscale.models=DIR");
        return folder.resolve(relative);
    }

    /** A file of little-endian f32 as a tensor; unpacked if its name ends in {@code .gz}. */
    public static Tensor floats(Path file, int... dims) {
        byte[] bytes = OnnxFile.readBytes(file);
        float[] values = new float[bytes.length / 4];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
        return Tensor.f32(values, dims.length == 0 ? new int[] {values.length} : dims);
    }

    /** Row {@code row} of a file of little-endian f64. */
    public static double[] doubles(Path file, int row, int columns) {
        try {
            double[] values = new double[columns];
            ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN).asDoubleBuffer()
                    .get(row * columns, values);
            return values;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** ‖actual − expected‖ / ‖expected‖. */
    public static double relativeL2(DoubleTensor actual, double[] expected) {
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < expected.length; i++) {
            difference += Math.pow(actual.values()[i] - expected[i], 2);
            norm += expected[i] * expected[i];
        }
        return Math.sqrt(difference / norm);
    }

    public static double relativeL2(DoubleTensor actual, Tensor expected) {
        return relativeL2(actual, DoubleTensor.of(expected).values());
    }
}
