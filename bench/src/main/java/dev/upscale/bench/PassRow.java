package dev.upscale.bench;

import dev.upscale.bench.PassContender.Engine;
import dev.upscale.bench.PassContender.Kind;
import dev.upscale.bench.PassContender.Reading;
import java.util.Arrays;
import java.util.List;

/** A pass of {@link PassShape}. */
record PassRow(PassProblem problem) implements KernelRow {
    PassRow(String shape) {
        this(new PassProblem(PassShape.parse(shape)));
    }

    /** Of libraries a copy by index is their copy on nothing but slices: there is nothing that they gather with. */
    @Override
    public List<String> contenders(boolean forced, int threads) {
        PassShape.Op op = problem.shape().op();
        return Arrays.stream(Engine.values())
                .filter(engine -> engine != Engine.XNNPACK || !forced)
                .filter(engine -> engine != Engine.ONEDNN_NORMALISATION || op == PassShape.Op.SCALE_SHIFT_RELU)
                .flatMap(engine -> Arrays.stream(Reading.values()).map(reading -> new Kind(engine, reading)))
                .filter(kind -> kind.reading() != Reading.INDEX || kind.engine() == Engine.UPSCALE)
                .filter(kind -> kind.reading() != Reading.GATHERED || op != PassShape.Op.COPY)
                .map(Kind::toString).toList();
    }

    @Override
    public Contender contender(String name, int threads) {
        return new PassContender(Kind.of(name), problem, threads);
    }

    @Override
    public long multiplyAdds() {
        return 0;
    }

    @Override
    public void close() {
        problem.close();
    }
}
