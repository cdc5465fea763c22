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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What layouts, widths and offsets cost inside of cuDNN: the workspace of relu(conv3x3 + bias), 56×56 pixels, batch 1, as a table. For each
 * precision the plan that cuDNN's heuristics rank first, and the one that an engine gives which cuDNN compiles for the graph.
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

    public static void main(String[] arguments) {
        String device = arguments.length > 0 ? arguments[0] : "h100";
        DeviceDescription description = DeviceDescription.of(device);
        StringBuilder text = new StringBuilder("| " + device + " | smaller tensor, f16 | f16 | compiled | smaller tensor, f32 | tf32 | compiled | f32 |\n"
                + "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
        try (CudaCatalog f16 = CudaCatalog.of(description, Precision.F16, Variant.PAPER);
                CudaCatalog tf32 = CudaCatalog.of(description, Precision.TF32, Variant.PAPER);
                CudaCatalog f32 = CudaCatalog.of(description, Precision.F32, Variant.PAPER)) {
            for (Case one : cases()) {
                Step.Convolve half = one.step(Element.F16);
                Step.Convolve full = one.step(Element.F32);
                text.append("| ").append(String.join(" | ", one.words(), smaller(half), workspace(f16, "cudnn.conv", half), workspace(f16, "cudnn.fused", half),
                        smaller(full), workspace(tf32, "cudnn.conv", full), workspace(tf32, "cudnn.fused", full), workspace(f32, "cudnn.conv", full)))
                        .append(" |\n");
            }
        }
        System.out.print(text);
    }

    private static String smaller(Step.Convolve step) {
        return String.valueOf(Math.min(step.source().view().bytes(), step.destination().bytes()));
    }

    private static String workspace(CudaCatalog catalog, String kernel, Step.Convolve step) {
        return switch (catalog.offer(kernel, step)) {
            case Offer offer -> String.valueOf(offer.workspaceBytes());
            case KernelCatalog.Refusal refusal -> "refused";
        };
    }
}
