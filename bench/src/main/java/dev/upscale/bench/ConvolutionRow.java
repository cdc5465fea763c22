package dev.upscale.bench;

import dev.upscale.bench.ConvolutionContender.Kind;
import java.util.ArrayList;
import java.util.List;

/** A convolution of {@link KernelShape}. */
record ConvolutionRow(KernelShape shape, ConvolutionProblem problem) implements KernelRow {
    /** Pixels that lie a multiple of these bytes apart share a set of the first cache. */
    private static final int COLLIDING_BYTES = 4096;

    ConvolutionRow(String shape) {
        this(KernelShape.parse(shape), new ConvolutionProblem(KernelShape.parse(shape).convolution()));
    }

    @Override
    public List<String> contenders(boolean forced, int threads) {
        List<Kind> kinds = new ArrayList<>(List.of(Kind.UPSCALE_DENSE, Kind.UPSCALE_SLICE, Kind.UPSCALE_INDEX, Kind.ONEDNN_DENSE));
        if (shape.convolution().inChannels() * Float.BYTES % COLLIDING_BYTES == 0 && !shape.name().contains("linear")) {
            kinds.add(Kind.UPSCALE_PADDED);
        }
        if (shape.isMatrixProduct()) {
            kinds.add(Kind.ONEDNN_MATMUL);
        }
        if (!forced) {
            kinds.add(Kind.XNNPACK_DENSE);
        }
        if (threads == 1) {
            kinds.add(Kind.READING_INDEX);
        }
        return kinds.stream().map(Kind::toString).toList();
    }

    @Override
    public Contender contender(String name, int threads) {
        return new ConvolutionContender(Kind.of(name), problem, threads);
    }

    @Override
    public long multiplyAdds() {
        return shape.multiplyAdds();
    }

    @Override
    public void close() {
        problem.close();
    }
}
