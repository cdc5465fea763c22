package dev.upscale.bench;

import dev.upscale.compile.KernelCatalog;
import dev.upscale.compile.KernelCatalog.Offer;
import dev.upscale.compile.Precision;
import dev.upscale.compile.Variant;
import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.graph.Window;
import dev.upscale.plan.Element;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.runtime.cuda.CudaCatalog;
import dev.upscale.runtime.cuda.DeviceDescription;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What layouts, widths and offsets cost inside of cuDNN: the workspace of relu(conv3x3 + bias), 56×56 pixels, batch 1. For each
 * precision the plan that cuDNN's heuristics rank first, and the one that an engine gives which cuDNN compiles for the graph. Kept in
 * {@code docs/results/gpu-layouts.json}.
 */
public final class GpuLayouts {
    private static final int SIDE = 56;

    private GpuLayouts() {}

    /** A convolution of {@code in} to {@code out} channels, that lie {@code inWidth} and {@code outWidth} elements from pixel to pixel. */
    private record Case(String words, boolean channelsLast, int in, int inWidth, int offset, int out, int outWidth, int outOffset) {
        static Case dense(int in, int out) {
            return new Case("NHWC, " + in + " → " + out, true, in, in, 0, out, out, 0);
        }

        static Case source(int in, int width, int offset) {
            return new Case("NHWC, source " + in + " of " + width + " from " + offset + " → 64", true, in, width, offset, 64, 64, 0);
        }

        static Case destination(int out, int width, int offset) {
            return new Case("NHWC, 64 → " + out + " of " + width + " from " + offset, true, 64, 64, 0, out, width, offset);
        }

        Step.Convolve step(Element element) {
            return new Step.Convolve("case", "", new Op.Conv(Window.square(3, 1, 1), 1), Operand.of(view(element, 0, in, inWidth, offset)), "w", "b",
                    Optional.empty(), Function.RELU, view(element, 1, out, outWidth, outOffset), Optional.empty(), 1);
        }

        private View view(Element element, int which, int channels, int width, int from) {
            View.Place place = new View.Place(View.Place.Kind.ARENA, which == 0 ? "x" : "y");
            List<Integer> dims = List.of(1, channels, SIDE, SIDE);
            long offsetBytes = (long) from * element.bytes() * (channelsLast ? 1 : SIDE * SIDE);
            return channelsLast
                    ? View.channelsLast(place, 0, dims, width).of(element).with(offsetBytes, dims, View.channelsLast(place, 0, dims, width).strides())
                    : View.rowMajor(place, 0, dims).of(element).with(offsetBytes, dims, View.rowMajor(place, 0, dims).strides());
        }
    }

    private static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (int width : new int[] {64, 72, 68, 66, 65}) {
            cases.add(Case.dense(width, width));
        }
        for (int offset : new int[] {0, 16, 8, 4, 2, 1}) {
            cases.add(Case.source(64, 160, offset));
        }
        cases.add(Case.source(64, 150, 0));
        cases.add(Case.source(64, 149, 1));
        cases.add(Case.source(61, 160, 0));
        cases.add(Case.destination(64, 160, 16));
        cases.add(Case.destination(64, 160, 1));
        cases.add(new Case("NCHW, 64 → 64", false, 64, 64, 0, 64, 64, 0));
        cases.add(new Case("NCHW, 61 → 61", false, 61, 61, 0, 61, 61, 0));
        return cases;
    }

    /**
     * One layout on one GPU; workspaces in bytes, of plans that cuDNN refuses -1.
     *
     * @param smallerF16 the smaller one of source and destination
     * @param f16 workspace of the plan that is ranked first
     * @param compiledF16 workspace of the engine that is compiled for the graph
     */
    record Row(String device, String layout, long smallerF16, long f16, long compiledF16, long smallerF32, long tf32, long compiledTf32, long f32) {}

    /** Arguments: OUT.json DEVICE... */
    public static void main(String[] arguments) throws IOException {
        List<Row> rows = new ArrayList<>();
        for (String device : List.of(arguments).subList(1, arguments.length)) {
            System.err.println("gpu: layouts, " + device);
            rows.addAll(rows(device));
        }
        JsonMapper json = JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();
        Files.writeString(Path.of(arguments[0]), json.writeValueAsString(rows) + "\n");
    }

    private static List<Row> rows(String device) {
        DeviceDescription description = DeviceDescription.of(device);
        try (CudaCatalog f16 = CudaCatalog.of(description, Precision.F16, Variant.PAPER);
                CudaCatalog tf32 = CudaCatalog.of(description, Precision.TF32, Variant.PAPER);
                CudaCatalog f32 = CudaCatalog.of(description, Precision.F32, Variant.PAPER)) {
            return cases().stream().map(one -> {
                Step.Convolve half = one.step(Element.F16);
                Step.Convolve full = one.step(Element.F32);
                return new Row(device, one.words(), smaller(half), workspace(f16, "cudnn.conv", half), workspace(f16, "cudnn.fused", half),
                        smaller(full), workspace(tf32, "cudnn.conv", full), workspace(tf32, "cudnn.fused", full), workspace(f32, "cudnn.conv", full));
            }).toList();
        }
    }

    private static long smaller(Step.Convolve step) {
        return Math.min(step.source().view().bytes(), step.destination().bytes());
    }

    private static long workspace(CudaCatalog catalog, String kernel, Step.Convolve step) {
        return switch (catalog.offer(kernel, step)) {
            case Offer offer -> offer.workspaceBytes();
            case KernelCatalog.Refusal refusal -> -1;
        };
    }
}
