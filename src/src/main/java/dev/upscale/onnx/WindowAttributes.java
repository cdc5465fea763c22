package dev.upscale.onnx;

import dev.upscale.graph.Tensor;
import dev.upscale.graph.Window;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The attributes that ONNX's convolutions and poolings share, for 1 or 2 spatial axes: kernel_shape, strides, dilations,
 * pads, auto_pad.
 *
 * @param pads begin of each axis, then end of each axis; all zero unless {@code auto_pad} is NOTSET
 */
record WindowAttributes(int[] kernel, int[] strides, int[] dilations, int[] pads, AutoPad autoPad) {

    /** ONNX's auto_pad. */
    enum AutoPad { NOTSET, SAME_UPPER, SAME_LOWER, VALID }

    /** Reads them for a window over {@code axes} spatial axes. */
    static WindowAttributes read(NodeImport node, int axes, int[] kernel) {
        int[] strides = list(node, "strides", axes, 1, 1);
        int[] dilations = list(node, "dilations", axes, 1, 1);
        AutoPad autoPad = node.choice("auto_pad", "NOTSET", AutoPad.class);
        int[] pads = list(node, "pads", 2 * axes, 0, -(1 << 30));
        if (autoPad != AutoPad.NOTSET) {
            pads = new int[2 * axes];
        }
        for (int axis = 0; axis < axes; axis++) {
            node.bounded("the window's span", (kernel[axis] - 1L) * dilations[axis] + 1, 1);
        }
        return new WindowAttributes(kernel, strides, dilations, pads, autoPad);
    }

    /** A list attribute with one number for each axis. */
    static int[] list(NodeImport node, String name, int length, int missing, int least) {
        int[] values = new int[length];
        Arrays.fill(values, missing);
        node.wholeList(name).filter(list -> list.length > 0).ifPresent(list -> {
            node.require(list.length == length, "attribute " + name + " has " + list.length + " numbers, not " + length
                    + ": the model is damaged, get it again");
            for (int i = 0; i < length; i++) {
                values[i] = node.bounded("attribute " + name, list[i], least);
            }
        });
        return values;
    }

    /** The kernel's shape where an attribute must state it. */
    static int[] requiredKernel(NodeImport node, int axes) {
        node.require(node.hasAttribute("kernel_shape"), "attribute kernel_shape is missing: the model is damaged");
        return list(node, "kernel_shape", axes, 1, 1);
    }

    /** The kernel's shape from the weight, against which the attribute is checked. */
    static int[] weightKernel(NodeImport node, Tensor weight) {
        int[] kernel = Arrays.copyOfRange(weight.type().shape(), 2, weight.type().rank());
        int[] stated = list(node, "kernel_shape", kernel.length, -1, 1);
        node.require(stated[0] == -1 || Arrays.equals(stated, kernel), "attribute kernel_shape is "
                + Arrays.toString(stated) + ", the weight is " + weight.type() + ": the model is damaged, get it again");
        for (int size : kernel) {
            node.bounded("the kernel's size", size, 1);
        }
        return kernel;
    }

    int span(int axis) {
        return (kernel[axis] - 1) * dilations[axis] + 1;
    }

    /** The same with the padding that {@code auto_pad} asks for over an image of the given size. */
    WindowAttributes padded(List<Integer> image) {
        if (autoPad == AutoPad.NOTSET || autoPad == AutoPad.VALID) {
            return this;
        }
        int axes = kernel.length;
        int[] total = new int[axes];
        for (int axis = 0; axis < axes; axis++) {
            int windows = Math.ceilDiv(image.get(axis), strides[axis]);
            total[axis] = Math.clamp((windows - 1L) * strides[axis] + span(axis) - image.get(axis), 0, 1 << 30);
        }
        return withTotalPads(total, autoPad == AutoPad.SAME_UPPER);
    }

    /** The same with a total of padding for each axis, whose odd pixel goes to the end or the beginning. */
    WindowAttributes withTotalPads(int[] total, boolean oddAtEnd) {
        int axes = kernel.length;
        int[] split = new int[2 * axes];
        for (int axis = 0; axis < axes; axis++) {
            split[axis] = oddAtEnd ? total[axis] / 2 : total[axis] - total[axis] / 2;
            split[axes + axis] = total[axis] - split[axis];
        }
        return new WindowAttributes(kernel, strides, dilations, split, AutoPad.NOTSET);
    }

    WindowAttributes withPads(int[] pads) {
        return new WindowAttributes(kernel, strides, dilations, pads, AutoPad.NOTSET);
    }

    /** The window over [N, C, H, W]; over one axis, a window of height 1. */
    Window window() {
        return kernel.length == 1
                ? new Window(1, kernel[0], 1, strides[0], 1, dilations[0], 0, pads[0], 0, pads[1])
                : new Window(kernel[0], kernel[1], strides[0], strides[1], dilations[0], dilations[1],
                        pads[0], pads[1], pads[2], pads[3]);
    }

    /** A shape [N, C, L] as [N, C, 1, L]; others as they are. */
    static List<Integer> asImage(List<Integer> dims) {
        if (dims.size() != 3) {
            return dims;
        }
        List<Integer> image = new ArrayList<>(dims);
        image.add(2, 1);
        return image;
    }

    /** A shape [N, C, 1, L] as [N, C, L]. */
    static List<Integer> asLine(List<Integer> dims) {
        return List.of(dims.get(0), dims.get(1), dims.get(3));
    }
}
