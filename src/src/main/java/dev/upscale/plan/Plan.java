package dev.upscale.plan;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A network ready to run on one target for one batch size: which kernel reads and writes what, in order. Immutable; safe
 * for use by any number of threads and sessions.
 *
 * @param model the name of the network
 * @param variant which of the compared variants it is, for example {@code upscale}
 * @param target what it was compiled for, for example {@code cpu}
 * @param inputs what a run is given, in the model's order; each lies at offset 0 of a memory of its own, row-major if
 *     it has no other layout
 * @param outputs what a run gives, likewise
 * @param microBatches into how many equal parts a run divides its batch, the first dimension of every input and output. The steps
 *     compute one part, and their views of inputs and outputs lie in it; parts are independent, and may be computed at once
 * @param steps the kernel calls, in order, for one micro-batch
 * @param constants weights, index lists and compiled code, by name
 * @param arenaBytes the size of the arena that activations and workspaces of one micro-batch share
 * @param arenaLowerBoundBytes what no arena can be smaller than: the most bytes that are needed at one time
 * @param consumers how many consumers (convolutions and matrix products with weights) the network has
 * @param accelerator what a plan for a GPU has beside its steps
 */
public record Plan(
        String model, String variant, String target, List<Port> inputs, List<Port> outputs, int microBatches,
        List<Step> steps, Map<String, Constant> constants, long arenaBytes, long arenaLowerBoundBytes, int consumers,
        Optional<Accelerator> accelerator) {

    /** In what order a port's elements lie in the caller's memory, if not row-major. */
    public enum PortLayout {
        /** An image [N, C, H, W] as N·H·W pixels of C channels: NHWC, as image files have it. */
        CHANNELS_LAST
    }

    /**
     * An input or output of the network: its name and shape, as in the model.
     *
     * @param layout how its elements lie in memory, without gaps; if absent, row-major
     */
    public record Port(String name, List<Integer> dims, Optional<PortLayout> layout) {
        public Port {
            dims = List.copyOf(dims);
            if (layout.isPresent() && dims.size() != 4) {
                throw new IllegalArgumentException(name + " has the shape " + dims + ", which is no image's, and the layout " + layout.get());
            }
        }

        /** A port in row-major order. */
        public Port(String name, List<Integer> dims) {
            this(name, dims, Optional.empty());
        }

        /** Its memory as a view. */
        public View view(View.Place.Kind kind) {
            View.Place place = new View.Place(kind, name);
            return layout.isPresent() ? View.channelsLast(place, 0, dims, dims.get(1)) : View.rowMajor(place, 0, dims);
        }

        /** Elements given in row-major order, in the order in which they lie in the port's memory. */
        public float[] inMemoryOrder(float[] rowMajor) {
            if (layout.isEmpty()) {
                return rowMajor;
            }
            int channels = dims.get(1);
            int pixels = dims.get(2) * dims.get(3);
            float[] ordered = new float[rowMajor.length];
            for (int at = 0; at < rowMajor.length; at++) {
                int plane = at / pixels;
                ordered[(plane / channels * pixels + at % pixels) * channels + plane % channels] = rowMajor[at];
            }
            return ordered;
        }

        /** The port of a batch that consists of some of this one's. */
        Port times(int batches) {
            List<Integer> larger = new ArrayList<>(dims);
            larger.set(0, Math.multiplyExact(dims.getFirst(), batches));
            return new Port(name, larger, layout);
        }

        /** The size in bytes. */
        public long bytes() {
            return dims.stream().mapToLong(Integer::longValue).reduce(View.ELEMENT_BYTES, Math::multiplyExact);
        }
    }

    public Plan {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        steps = List.copyOf(steps);
        constants = Collections.unmodifiableMap(new LinkedHashMap<>(constants));
    }

    /** A plan for the CPU that computes its batch in one. */
    public Plan(String model, String variant, String target, List<Port> inputs, List<Port> outputs, List<Step> steps,
            Map<String, Constant> constants, long arenaBytes, long arenaLowerBoundBytes, int consumers) {
        this(model, variant, target, inputs, outputs, 1, steps, constants, arenaBytes, arenaLowerBoundBytes, consumers, Optional.empty());
    }

    /** The size of all weights and index lists, in bytes. */
    public long weightsBytes() {
        return constants.values().stream().filter(constant -> constant.type() != Constant.Type.I8).mapToLong(Constant::bytes).sum();
    }

    /** The same plan, made ready for a device by what is not in its steps. */
    public Plan forDevice(Accelerator device, Map<String, Constant> withConstants) {
        return new Plan(model, variant, target, inputs, outputs, microBatches, steps, withConstants, arenaBytes, arenaLowerBoundBytes, consumers,
                Optional.of(device));
    }

    /** The same plan over other constants. */
    Plan withConstants(Map<String, Constant> others) {
        return new Plan(model, variant, target, inputs, outputs, microBatches, steps, others, arenaBytes, arenaLowerBoundBytes, consumers,
                accelerator);
    }

    /** The same plan with other steps. */
    public Plan withSteps(List<Step> others) {
        return new Plan(model, variant, target, inputs, outputs, microBatches, others, constants, arenaBytes, arenaLowerBoundBytes, consumers,
                accelerator);
    }

    /** A plan that runs this one's steps on each of so many batches. */
    public Plan repeated(int times) {
        return new Plan(model, variant, target, inputs.stream().map(port -> port.times(times)).toList(),
                outputs.stream().map(port -> port.times(times)).toList(), microBatches * times, steps, constants, arenaBytes,
                arenaLowerBoundBytes, consumers, accelerator);
    }

    /** How many micro-batches a session with that many threads computes at once. */
    public int workers(int threads) {
        return Math.min(threads, microBatches);
    }

    /** Multiply-adds of one run. */
    public long multiplyAdds() {
        return microBatches * steps.stream().mapToLong(Step::multiplyAdds).sum();
    }
}
