package dev.upscale.runtime.cpu;

import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Constants;
import dev.upscale.runtime.kernel.Kernel;
import dev.upscale.runtime.kernel.Preparation;
import dev.upscale.runtime.natives.ConvolutionShape;
import dev.upscale.runtime.upscale.KernelCall;
import dev.upscale.runtime.upscale.PackedConvolution;
import dev.upscale.runtime.upscale.Source;
import dev.upscale.runtime.upscale.Target;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * {@code upscale.conv}: any channels of the source, by slice or index list; also a source in planes (NCHW), whose channels are so many
 * positions of pixels one element apart.
 */
final class UpscaleConvolution {
    /** The library reads taps outside of the image from that many zeros. */
    private static final long MOST_PADDED_POSITIONS = 1 << 20;

    private UpscaleConvolution() {}

    static Recipe recipe(Step.Convolve step, String implementation) {
        requireReadable(step);
        return new Recipe(0, implementation, preparation -> prepare(step, implementation, preparation));
    }

    static void requireReadable(Step.Convolve step) {
        Pixels source = Pixels.of(step, step.source().view());
        Pixels destination = Pixels.of(step, step.destination()).requireChannelsLast("destination");
        Unfit.unless(!source.isEmpty() && !destination.isEmpty(), "an empty image");
        Unfit.unless(source.batch() <= 1 || source.imageStride() > 0, "an image repeated");
        boolean inPlanes = !source.channelsAreNeighbours();
        if (inPlanes) {
            Unfit.unless(source.pixelStride() > 0 && source.channelStride() > 0, "a source that is repeated");
            long last = (long) (step.source().view().dim(channelAxis(step)) - 1) * source.channelStride();
            Unfit.unless(last < MOST_PADDED_POSITIONS, "planes of more than 2^20 elements");
        } else if (!step.source().isIndexed()) {
            source.requireChannelsLast("source");
        } else {
            Unfit.unless(source.pixelStride() >= 1, "a source that is repeated");
            Unfit.unless(source.pixelStride() <= MOST_PADDED_POSITIONS, "pixels of more than 2^20 channels");
        }
        step.addend().ifPresent(addend -> requireAddend(step, addend));
    }

    private static int channelAxis(Step.Convolve step) {
        return step.source().view().rank() == 4 ? 1 : step.source().view().rank() - 1;
    }

    static void requireAddend(Step.Convolve step, Operand addend) {
        Unfit.unless(!addend.isIndexed(), "an addend by index");
        Pixels.of(step, addend.view()).requireChannelsLast("addend");
    }

    private static Kernel prepare(Step.Convolve step, String implementation, Preparation preparation) {
        Geometry geometry = Geometry.of(step, preparation);
        PackedConvolution packed = pack(step, geometry.shape(), preparation);
        return geometry.kernel(step, implementation, List.of(), (owner, from, addend, to, more) -> packed.call(owner, from, addend, to));
    }

    /** Makes a call: on the source, the addend or null, the destination, and the segments of further memory. */
    @FunctionalInterface
    interface Caller {
        KernelCall call(Arena owner, Source source, Source addend, Target target, MemorySegment[] more);
    }

    /**
     * What one call of the library computes, and where a pixel's channels lie.
     *
     * @param shape of one image where images do not follow each other
     * @param positions of the channels, or the null pointer
     */
    record Geometry(ConvolutionShape shape, boolean perImage, long pixelStride, MemorySegment positions) {

        static Geometry of(Step.Convolve step, Preparation preparation) {
            Constants constants = preparation.constants();
            Pixels source = Pixels.of(step, step.source().view());
            int[] index = step.source().isIndexed() ? constants.get(step.source().index()).ints() : null;
            int channels = index == null ? source.channels() : index.length;
            long pixelStride = source.channelsAreNeighbours() && index == null ? source.requireChannelsLast("source").pixelStride()
                    : Math.max(1, source.pixelStride());
            MemorySegment positions = !source.channelsAreNeighbours()
                    ? UpscaleEngine.ints(preparation.owner(), UpscaleEngine.positions(index, channels, source.channelStride()))
                    : UpscaleEngine.index(step.source(), constants, channels);
            return new Geometry(UpscaleConvolution.shape(step, channels), !source.imagesFollow(), pixelStride, positions);
        }

        /** The kernel of one call, or one for each image; {@code more} is what else calls work on. */
        UpscaleKernel kernel(Step.Convolve step, String implementation, List<View> more, Caller calls) {
            Pixels source = Pixels.of(step, step.source().view());
            Pixels destination = Pixels.of(step, step.destination()).requireChannelsLast("destination");
            Pixels addend = step.addend().map(operand -> Pixels.of(step, operand.view()).requireChannelsLast("addend")).orElse(null);
            List<View> sources = new ArrayList<>(List.of(step.source().view()));
            step.addend().ifPresent(operand -> sources.add(operand.view()));
            int own = sources.size();
            sources.addAll(more);
            UpscaleKernel.Caller caller = (owner, from, to) -> calls.call(owner, new Source(from[0], pixelStride, positions),
                    addend == null ? null : Source.of(from[1], addend.pixelStride()), new Target(to, destination.pixelStride()),
                    Arrays.copyOfRange(from, own, from.length));
            if (!perImage) {
                return UpscaleKernel.single(sources, step.destination(), implementation, caller);
            }
            List<UpscaleKernel.Part> images = IntStream.range(0, source.batch()).mapToObj(image -> {
                long[] offsets = new long[sources.size()];
                offsets[0] = image * source.imageStride() * View.ELEMENT_BYTES;
                if (addend != null) {
                    offsets[1] = image * imageBytes(addend);
                }
                return new UpscaleKernel.Part(caller, offsets, image * imageBytes(destination));
            }).toList();
            return new UpscaleKernel(sources, step.destination(), images, implementation);
        }
    }

    /** The sizes of what one call computes, which reads so many channels. */
    static ConvolutionShape shape(Step.Convolve step, int channels) {
        Pixels source = Pixels.of(step, step.source().view());
        Pixels destination = Pixels.of(step, step.destination()).requireChannelsLast("destination");
        return new ConvolutionShape(source.imagesFollow() ? source.batch() : 1, source.height(), source.width(), channels,
                destination.channels(), step.conv().window(), step.conv().groups());
    }

    private static long imageBytes(Pixels image) {
        return image.pixelStride() * image.height() * image.width() * View.ELEMENT_BYTES;
    }

    private static PackedConvolution pack(Step.Convolve step, ConvolutionShape shape, Preparation preparation) {
        Constants constants = preparation.constants();
        try (Arena call = Arena.ofConfined()) {
            MemorySegment bias = step.bias().isEmpty() ? MemorySegment.NULL : constants.during(call, step.bias());
            return PackedConvolution.pack(preparation.owner(), step.name(), shape, step.activation(),
                    constants.during(call, step.weights()), bias);
        }
    }
}
