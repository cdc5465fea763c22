package dev.upscale.cli;

import dev.upscale.compress.Images;
import dev.upscale.graph.InvalidInput;
import dev.upscale.graph.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Images for a network, and their classes where there are any. Read from an IDX file, an npy array [N, ...], a folder that holds IDX
 * files, or a folder of PNG and JPEG files. Pixels are bytes; they become {@code (pixel / 255 − mean) / deviation}. Arrays of floats
 * are taken as they are.
 *
 * @param labels N classes, or none
 */
record DataSet(Images images, Optional<int[]> labels) {

    /**
     * Reads the data.
     *
     * @param files a folder, or a file of images and, where labels are wanted, one of labels
     * @param labelled whether labels are wanted; without, a second file is refused
     * @param shape of one input of the network, without the batch
     * @throws InvalidInput if a file is of none of these kinds or its images are not of that shape
     */
    static DataSet read(List<Path> files, boolean labelled, List<Integer> shape, float[] mean, float[] deviation) {
        Normalisation normalisation = new Normalisation(shape, mean, deviation);
        Path first = files.getFirst();
        if (files.size() == 1 && Files.isDirectory(first)) {
            return folder(first, labelled, normalisation);
        }
        if (files.size() != (labelled ? 2 : 1)) {
            throw new InvalidInput("--data " + files + ": " + (labelled ? "give a folder of IDX files, or two files, images and labels"
                    : "give one file of images, or a folder"));
        }
        Images images = images(first, normalisation);
        return labelled ? new DataSet(images, Optional.of(requireAll(labels(files.get(1)), images, files.get(1)))) : new DataSet(images, Optional.empty());
    }

    private static DataSet folder(Path folder, boolean labelled, Normalisation normalisation) {
        List<Path> idx = list(folder).filter(path -> name(path).contains("-idx3-ubyte")).toList();
        if (idx.isEmpty()) {
            if (labelled) {
                throw new InvalidInput(folder + " holds no IDX files with labels (…-images-idx3-ubyte beside …-labels-idx1-ubyte)");
            }
            return new DataSet(ImageFiles.read(folder, normalisation), Optional.empty());
        }
        List<Path> found = idx.stream().filter(path -> labelsOf(path).isPresent() == labelled).toList();
        if (found.size() != 1) {
            throw new InvalidInput(folder + " holds " + found.size() + " IDX files of images with" + (labelled ? " labels beside them" : "out labels")
                    + "; name the file" + (labelled ? "s of images and of labels" : ""));
        }
        Images images = images(found.getFirst(), normalisation);
        return new DataSet(images, labelsOf(found.getFirst()).map(file -> requireAll(labels(file), images, file)));
    }

    private static Stream<Path> list(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList().stream();
        } catch (IOException e) {
            throw new InvalidInput(folder + " cannot be read: " + e, e);
        }
    }

    private static String name(Path file) {
        return file.getFileName().toString().toLowerCase(Locale.ROOT);
    }

    private static Optional<Path> labelsOf(Path images) {
        String name = images.getFileName().toString().replace("-images-idx3-", "-labels-idx1-");
        return Stream.of(name, name + ".gz", name.replaceFirst("\\.gz$", "")).map(images::resolveSibling)
                .filter(path -> Files.isRegularFile(path) && !path.equals(images)).findFirst();
    }

    private static Images images(Path file, Normalisation normalisation) {
        if (Files.isDirectory(file)) {
            return ImageFiles.read(file, normalisation);
        }
        if (name(file).replaceFirst("\\.gz$", "").endsWith(".npy")) {
            return arrays(file, normalisation);
        }
        IdxFile idx = IdxFile.read(file);
        int pixels = idx.count() == 0 ? 0 : idx.bytes().length / idx.count();
        normalisation.requirePixels(file, pixels, idx.dims().toString());
        return normalisation.ofBytes(idx.bytes(), idx.count());
    }

    private static Images arrays(Path file, Normalisation normalisation) {
        boolean bytes = NpyFile.holdsBytes(file);
        Tensor values = NpyFile.read(file);
        int count = values.type().rank() == 0 ? 0 : values.type().dim(0);
        normalisation.requirePixels(file, count == 0 ? 0 : (int) (values.type().elements() / count), values.type().toString());
        return bytes ? normalisation.ofPixels(values.floats(), count) : normalisation.ofValues(values.floats(), count);
    }

    private static int[] labels(Path file) {
        if (name(file).replaceFirst("\\.gz$", "").endsWith(".npy")) {
            float[] values = NpyFile.read(file).floats();
            int[] labels = new int[values.length];
            Arrays.setAll(labels, k -> (int) values[k]);
            return labels;
        }
        IdxFile idx = IdxFile.read(file);
        int[] labels = new int[idx.bytes().length];
        Arrays.setAll(labels, k -> idx.bytes()[k] & 0xff);
        return labels;
    }

    private static int[] requireAll(int[] labels, Images images, Path file) {
        if (labels.length != images.count()) {
            throw new InvalidInput(file + " holds " + labels.length + " labels for " + images.count() + " images");
        }
        return labels;
    }

    /** The labels of images that were read with labels. */
    int[] classes() {
        return labels.orElseThrow();
    }

    /** The first {@code most} of them; all if there are fewer. */
    DataSet limit(int most) {
        return new DataSet(images.limit(most), labels.map(all -> Arrays.copyOf(all, Math.min(most, all.length))));
    }

    static List<Path> imageFiles(Path folder) {
        List<Path> files = new ArrayList<>(list(folder).filter(path -> name(path).matches(".*\\.(png|jpe?g|bmp|gif)")).toList());
        if (files.isEmpty()) {
            throw new InvalidInput(folder + " holds neither IDX files nor images (png, jpg, bmp, gif)");
        }
        return files;
    }
}
