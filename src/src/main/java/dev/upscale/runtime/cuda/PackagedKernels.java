package dev.upscale.runtime.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Our kernels as the jar holds them: cubins and PTX where the build had an nvcc, and always their sources. Stateless. */
public final class PackagedKernels {
    private static final String FOLDER = "/dev/upscale/cuda/";
    private static final String PTX = "kernels.ptx";
    private static final int OLDEST = 80;
    private static final int NEWEST = 200;

    private PackagedKernels() {}

    /** Which binaries there are, for example {@code [cubin sm_80, cubin sm_90, PTX]}; none where the build had no nvcc. */
    public static List<String> binaries() {
        Stream<String> cubins = IntStream.range(OLDEST, NEWEST).filter(capability -> has(cubin(capability))).mapToObj(KernelImage::cubinOf);
        return Stream.concat(cubins, Stream.of(KernelImage.PTX).filter(ptx -> has(PTX))).toList();
    }

    /** Whether there is a binary that runs on a device of that compute capability. */
    static boolean runOn(int capability) {
        return has(cubin(capability)) || capability >= OLDEST && has(PTX);
    }

    /** The binary for a compute capability: its cubin, or else PTX. */
    static Optional<KernelImage> binary(int capability) {
        Optional<byte[]> cubin = read(cubin(capability));
        if (cubin.isPresent() || capability < OLDEST) {
            return cubin.map(code -> new KernelImage(KernelImage.cubinOf(capability), code));
        }
        return read(PTX).map(text -> new KernelImage(KernelImage.PTX, Arrays.copyOf(text, text.length + 1)));
    }

    /** The names of the sources. */
    static List<String> sources() {
        return source("sources.txt").lines().toList();
    }

    /** A source's text. */
    static String source(String name) {
        return read(name).map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                .orElseThrow(() -> new IllegalStateException("the jar lacks " + FOLDER + name));
    }

    private static String cubin(int capability) {
        return "kernels.sm_" + capability + ".cubin";
    }

    private static boolean has(String name) {
        return PackagedKernels.class.getResource(FOLDER + name) != null;
    }

    private static Optional<byte[]> read(String name) {
        try (InputStream in = PackagedKernels.class.getResourceAsStream(FOLDER + name)) {
            return in == null ? Optional.empty() : Optional.of(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
