package dev.upscale.runtime.cuda;

import dev.upscale.plan.Element;
import dev.upscale.bindings.upscalecuda.up_cuda_lrn_args;
import dev.upscale.bindings.upscalecuda.up_cuda_pad_args;
import dev.upscale.bindings.upscalecuda.up_cuda_pool_args;
import dev.upscale.bindings.upscalecuda.up_cuda_resize_args;
import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.runtime.kernel.Interpolation;
import java.util.List;

/** {@code cuda.pool}, {@code cuda.resize}, {@code cuda.pad} and {@code cuda.lrn}: a thread for each vector of a pixel's channels. */
final class ImageLaunch {
    private ImageLaunch() {}

    private static int vector(DeviceImage from, Element element, DeviceImage to, View destination) {
        int vector = Elements.vector(destination);
        boolean fits = to.channels() % vector == 0 && to.channelStride() == 1 && to.takesVectors(vector, destination.element().bytes())
                && from.takesVectors(vector, element.bytes());
        return fits ? vector : 1;
    }

    private static int threads(DeviceImage to, int vector) {
        long threads = to.pixels() * (to.channels() / vector);
        Unsuited.unless(to.pixels() * to.channels() < Integer.MAX_VALUE, "more than 2³¹ elements");
        return (int) threads;
    }

    static Launch pool(Step.Compute step, Op.Pool pool, DeviceAddresses memory) {
        Function.Kind after = step.activation().kind();
        Unsuited.unless(after == Function.Kind.NONE || after == Function.Kind.RELU || after == Function.Kind.CLIP, "an activation " + after);
        Element element = Elements.of(step.sources(), step.destination());
        DeviceImage from = source(step, element, memory);
        DeviceImage to = DeviceImage.requireImage(step.destination(), memory);
        int vector = vector(from, element, to, step.destination());
        int op = pool.kind() == Op.Pool.Kind.MAX ? 0 : pool.countPadding() ? 2 : 1;
        int threads = threads(to, vector);
        ArgumentBlock arguments = new ArgumentBlock().image(from).image(to).window(pool.window())
                .divisors(to.channels() / vector, to.width(), to.height()).ints(op, vector, threads, 0).function(step.activation());
        return Launch.linear(Elements.kernel("up_pool", element, step.destination()), arguments, threads, up_cuda_pool_args.sizeof());
    }

    static Launch resize(Step.Compute step, Op.Resize resize, DeviceAddresses memory) {
        Element element = Elements.of(step.sources(), step.destination());
        DeviceImage from = source(step, element, memory);
        DeviceImage to = DeviceImage.requireImage(step.destination(), memory);
        int vector = vector(from, element, to, step.destination());
        int threads = threads(to, vector);
        Interpolation rows = Interpolation.ofRows(resize, from.height());
        Interpolation columns = Interpolation.ofColumns(resize, from.width());
        boolean isLinear = rows.seconds().isPresent();
        ArgumentBlock arguments = new ArgumentBlock().image(from).image(to)
                .address(memory.table(rows.firsts()), isLinear ? memory.table(rows.seconds().orElseThrow()) : 0,
                        isLinear ? memory.table(rows.weights().orElseThrow()) : 0, memory.table(columns.firsts()),
                        isLinear ? memory.table(columns.seconds().orElseThrow()) : 0,
                        isLinear ? memory.table(columns.weights().orElseThrow()) : 0)
                .divisors(to.channels() / vector, to.width(), to.height()).ints(vector, threads).function(step.activation());
        return Launch.linear(Elements.kernel("up_resize", element, step.destination()), arguments, threads, up_cuda_resize_args.sizeof());
    }

    static Launch pad(Step.Compute step, Op.Pad pad, DeviceAddresses memory) {
        Unsuited.unless(pad.before().size() == 4 && pad.before().subList(0, 2).equals(List.of(0, 0))
                && pad.after().subList(0, 2).equals(List.of(0, 0)), "a padding of images or channels");
        Element element = Elements.of(step.sources(), step.destination());
        DeviceImage from = source(step, element, memory);
        DeviceImage to = DeviceImage.requireImage(step.destination(), memory);
        int vector = vector(from, element, to, step.destination());
        int threads = threads(to, vector);
        int mode = switch (pad.mode()) {
            case CONSTANT -> 0;
            case REFLECT -> 1;
            case EDGE -> 2;
        };
        ArgumentBlock arguments = new ArgumentBlock().image(from).image(to).divisors(to.channels() / vector, to.width(), to.height())
                .ints(pad.before().get(2), pad.before().get(3), mode, vector).number(pad.value()).ints(threads).function(step.activation());
        return Launch.linear(Elements.kernel("up_pad", element, step.destination()), arguments, threads, up_cuda_pad_args.sizeof());
    }

    static Launch lrn(Step.Compute step, Op.Lrn lrn, DeviceAddresses memory) {
        Element element = Elements.of(step.sources(), step.destination());
        DeviceImage from = source(step, element, memory);
        DeviceImage to = DeviceImage.requireImage(step.destination(), memory);
        int vector = vector(from, element, to, step.destination());
        int threads = threads(to, vector);
        int before = (lrn.size() - 1) / 2;
        ArgumentBlock arguments = new ArgumentBlock().image(from).image(to).divisors(to.channels() / vector, to.width(), to.height())
                .ints(to.channels(), before, lrn.size() - 1 - before, vector).number(lrn.alpha() / lrn.size()).number(lrn.beta())
                .number(lrn.bias()).ints(threads).function(step.activation());
        return Launch.linear(Elements.kernel("up_lrn", element, step.destination()), arguments, threads, up_cuda_lrn_args.sizeof());
    }

    private static DeviceImage source(Step.Compute step, Element element, DeviceAddresses memory) {
        Unsuited.unless(step.sources().getFirst().view().rank() == 4, "no image");
        return DeviceImage.of(step.sources().getFirst(), element, memory);
    }
}
