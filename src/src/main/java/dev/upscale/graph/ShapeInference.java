package dev.upscale.graph;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The type of a node's output from those of its inputs: strict, so that what passes here can be computed.
 *
 * <p>Axes are not negative. Arithmetic is on f32, save that {@link Op.Binary}, {@link Op.Reduce} and whatever only moves
 * elements also take i64, for constants.
 */
public final class ShapeInference {
    /** The largest number of elements of a tensor: what fits into a Java array. */
    static final long MOST_ELEMENTS = Integer.MAX_VALUE - 8;

    private ShapeInference() {}

    /**
     * The type of the node's output.
     *
     * @throws InvalidInput if the inputs do not fit the operation; the message names node, tensors, shapes and the cure
     */
    public static TensorType infer(Node node, List<TensorType> inputs) {
        Operands in = new Operands(node, inputs);
        return switch (node.op()) {
            case Op.Conv conv -> WindowedShapes.conv(conv, in);
            case Op.ConvTranspose conv -> WindowedShapes.convTranspose(conv, in);
            case Op.Linear linear -> linear(in);
            case Op.MatMul matMul -> matMul(in);
            case Op.BatchNorm norm -> perChannel(in, 5, 2);
            case Op.ScaleShift scale -> perChannel(in, 3, 2);
            case Op.InstanceNorm norm -> perChannel(in, 3, 3);
            case Op.LayerNorm norm -> layerNorm(norm, in);
            case Op.Lrn lrn -> lrn(lrn, in);
            case Op.Apply apply -> unary(in);
            case Op.PRelu prelu -> prelu(in);
            case Op.Binary binary -> binary(in);
            case Op.Softmax softmax -> softmax(softmax, in);
            case Op.Concat concat -> concat(concat, in);
            case Op.Slice slice -> slice(slice, in);
            case Op.Take take -> take(take, in);
            case Op.Pool pool -> WindowedShapes.pool(pool, in);
            case Op.Reduce reduce -> reduce(reduce, in);
            case Op.Reshape reshape -> reshape(reshape, in);
            case Op.Transpose transpose -> transpose(transpose, in);
            case Op.Expand expand -> expand(expand, in);
            case Op.Pad pad -> pad(pad, in);
            case Op.Resize resize -> resize(resize, in);
            case Op.DepthToSpace depthToSpace -> depthToSpace(depthToSpace, in);
        };
    }

    private static TensorType linear(Operands in) {
        in.requireFloats(2, 3);
        in.requireRankAtLeast(0, 1, "[..., K]");
        in.requireRank(1, 2, "[O, K]");
        int outputs = in.type(1).dim(0);
        in.require(in.type(0).dim(-1) == in.type(1).dim(1),
                "the weight reads " + in.type(1).dim(1) + " features, the source has " + in.type(0).dim(-1),
                "make the weight's second dimension the source's last");
        in.requireVector(2, outputs, "bias");
        return checked(in, in.type(0).withDim(-1, outputs).dims());
    }

    private static TensorType matMul(Operands in) {
        in.requireFloats(2, 2);
        in.requireRankAtLeast(0, 2, "[..., M, K]");
        in.requireRankAtLeast(1, 2, "[..., K, N]");
        in.require(in.type(0).dim(-1) == in.type(1).dim(-2),
                "the inner dimensions " + in.type(0).dim(-1) + " and " + in.type(1).dim(-2) + " differ",
                "transpose or reshape one of the operands");
        List<Integer> left = in.dims(0).subList(0, in.type(0).rank() - 2);
        List<Integer> right = in.dims(1).subList(0, in.type(1).rank() - 2);
        List<Integer> dims = new ArrayList<>(broadcast(left, right, in));
        dims.add(in.type(0).dim(-2));
        dims.add(in.type(1).dim(-1));
        return checked(in, dims);
    }

    private static TensorType perChannel(Operands in, int count, int leastRank) {
        in.requireFloats(count, count);
        in.requireRankAtLeast(0, leastRank, leastRank == 2 ? "[N, C, ...]" : "[N, C, D, ...]");
        List<String> roles = count == 5 ? List.of("scale", "shift", "mean", "variance") : List.of("scale", "shift");
        for (int input = 1; input < count; input++) {
            in.requireVector(input, in.type(0).dim(1), roles.get(input - 1));
        }
        return in.type(0);
    }

    private static TensorType layerNorm(Op.LayerNorm norm, Operands in) {
        in.requireFloats(2, 3);
        in.requireAxis(norm.axis());
        List<Integer> normal = in.dims(0).subList(norm.axis(), in.type(0).rank());
        for (int input = 1; input < in.count(); input++) {
            in.require(Broadcast.fits(in.dims(input), normal),
                    in.node().input(input) + " does not broadcast to the normalised dimensions " + normal,
                    "give it their shape");
        }
        return in.type(0);
    }

    private static TensorType lrn(Op.Lrn lrn, Operands in) {
        in.requireFloats(1, 1);
        in.requireRankAtLeast(0, 2, "[N, C, ...]");
        in.require(lrn.size() >= 1, "its size is " + lrn.size(), "sum over at least one channel");
        return in.type(0);
    }

    private static TensorType unary(Operands in) {
        in.requireFloats(1, 1);
        return in.type(0);
    }

    private static TensorType prelu(Operands in) {
        in.requireFloats(2, 2);
        in.require(Broadcast.fits(in.dims(1), in.dims(0)), "the slope does not broadcast to the source",
                "give it one value per channel as [C, 1, 1]");
        return in.type(0);
    }

    private static TensorType binary(Operands in) {
        in.requireCount(2, 2);
        in.requireSameElements();
        return checked(in, broadcast(in.dims(0), in.dims(1), in));
    }

    private static List<Integer> broadcast(List<Integer> left, List<Integer> right, Operands in) {
        return Broadcast.of(left, right).orElseThrow(() -> in.invalid(
                left + " and " + right + " do not broadcast to each other",
                "make their dimensions, counted from the last, equal or 1"));
    }

    private static TensorType softmax(Op.Softmax softmax, Operands in) {
        in.requireFloats(1, 1);
        in.requireAxis(softmax.axis());
        return in.type(0);
    }

    private static TensorType concat(Op.Concat concat, Operands in) {
        in.requireCount(1, Integer.MAX_VALUE);
        in.requireSameElements();
        in.requireAxis(concat.axis());
        long size = 0;
        for (TensorType type : in.types()) {
            in.require(type.rank() == in.type(0).rank()
                            && type.withDim(concat.axis(), 0).equals(in.type(0).withDim(concat.axis(), 0)),
                    "inputs differ in another dimension than axis " + concat.axis(),
                    "make all other dimensions the same");
            size += type.dim(concat.axis());
        }
        return resized(in, concat.axis(), size);
    }

    private static TensorType slice(Op.Slice slice, Operands in) {
        in.requireCount(1, 1);
        in.requireAxis(slice.axis());
        in.require(slice.step() != 0 && slice.size() >= 0, "step " + slice.step() + " and size " + slice.size(),
                "give a step other than 0 and a size that is not negative");
        int dim = in.type(0).dim(slice.axis());
        long last = slice.start() + (slice.size() - 1L) * slice.step();
        in.require(slice.size() == 0 || slice.start() >= 0 && slice.start() < dim && last >= 0 && last < dim,
                "positions " + slice.start() + " to " + last + " of axis " + slice.axis() + ", which has " + dim,
                "keep all positions between 0 and " + (dim - 1));
        return resized(in, slice.axis(), slice.size());
    }

    private static TensorType take(Op.Take take, Operands in) {
        in.requireCount(1, 1);
        in.requireAxis(take.axis());
        int dim = in.type(0).dim(take.axis());
        for (int index : take.indices()) {
            in.require(index >= 0 && index < dim, "position " + index + " of axis " + take.axis() + ", which has " + dim,
                    "keep all positions between 0 and " + (dim - 1));
        }
        return resized(in, take.axis(), take.indices().size());
    }

    private static TensorType reduce(Op.Reduce reduce, Operands in) {
        in.requireCount(1, 1);
        in.require(!reduce.axes().isEmpty(), "it reduces no axis", "leave it out or name its axes");
        int previous = -1;
        for (int axis : reduce.axes()) {
            in.requireAxis(axis);
            in.require(axis > previous, "its axes " + reduce.axes() + " are not ascending", "sort them, each once");
            previous = axis;
        }
        List<Integer> dims = new ArrayList<>();
        for (int axis = 0; axis < in.type(0).rank(); axis++) {
            if (!reduce.axes().contains(axis)) {
                dims.add(in.type(0).dim(axis));
            } else if (reduce.keepDims()) {
                dims.add(1);
            }
        }
        return new TensorType(in.type(0).element(), dims);
    }

    private static TensorType reshape(Op.Reshape reshape, Operands in) {
        in.requireCount(1, 1);
        TensorType type = checked(in, reshape.dims());
        in.require(type.elements() == in.type(0).elements(),
                in.type(0).elements() + " elements do not fill the shape " + reshape.dims(),
                "give a shape of as many elements");
        return type;
    }

    private static TensorType transpose(Op.Transpose transpose, Operands in) {
        in.requireCount(1, 1);
        int rank = in.type(0).rank();
        List<Integer> permutation = transpose.permutation();
        in.require(permutation.size() == rank
                        && new HashSet<>(permutation).equals(new HashSet<>(IntStream.range(0, rank).boxed().toList())),
                permutation + " does not permute " + rank + " axes", "name every axis from 0 once");
        return new TensorType(in.type(0).element(), permutation.stream().map(in.dims(0)::get).toList());
    }

    private static TensorType expand(Op.Expand expand, Operands in) {
        in.requireCount(1, 1);
        in.require(Broadcast.fits(in.dims(0), expand.dims()), "the source does not broadcast to " + expand.dims(),
                "give the full shape of the result; only dimensions of size 1 stretch");
        return checked(in, expand.dims());
    }

    private static TensorType pad(Op.Pad pad, Operands in) {
        in.requireCount(1, 1);
        int rank = in.type(0).rank();
        in.require(pad.before().size() == rank && pad.after().size() == rank,
                "it pads " + pad.before().size() + " and " + pad.after().size() + " axes of " + rank,
                "give one number before and one after each axis");
        List<Integer> dims = new ArrayList<>();
        for (int axis = 0; axis < rank; axis++) {
            int dim = in.type(0).dim(axis);
            long before = pad.before().get(axis);
            long after = pad.after().get(axis);
            long padded = dim + before + after;
            in.require(padded >= 0 && padded <= MOST_ELEMENTS, "axis " + axis + " gets " + padded + " elements",
                    "cut no more than there is");
            long most = switch (pad.mode()) {
                case CONSTANT -> Long.MAX_VALUE;
                case REFLECT -> dim - 1L;
                case EDGE -> dim == 0 ? 0 : Long.MAX_VALUE;
            };
            in.require(Math.max(before, after) <= Math.max(most, 0),
                    "axis " + axis + " of size " + dim + " is padded by " + Math.max(before, after) + " in mode "
                            + pad.mode(),
                    "pad by at most " + most);
            dims.add((int) padded);
        }
        return checked(in, dims);
    }

    private static TensorType resize(Op.Resize resize, Operands in) {
        in.requireFloats(1, 1);
        in.requireRank(0, 4, "[N, C, H, W]");
        in.require(in.type(0).dim(2) >= 1 && in.type(0).dim(3) >= 1 && resize.height() >= 1 && resize.width() >= 1,
                "the image or the result " + resize.height() + "x" + resize.width() + " is empty", "give both a pixel");
        in.require(resize.scaleH() > 0 && resize.scaleW() > 0
                        && Float.isFinite(resize.scaleH()) && Float.isFinite(resize.scaleW()),
                "its scales are " + resize.scaleH() + " and " + resize.scaleW(), "give positive, finite scales");
        return sized(in, in.type(0).dim(0), in.type(0).dim(1), resize.height(), resize.width());
    }

    private static TensorType depthToSpace(Op.DepthToSpace op, Operands in) {
        in.requireCount(1, 1);
        in.requireRank(0, 4, "[N, C, H, W]");
        long block = op.block();
        int channels = in.type(0).dim(1);
        in.require(block >= 1 && channels % (block * block) == 0,
                "blocks of " + block + "x" + block + " do not divide " + channels + " channels",
                "give a block whose square divides the channels");
        return sized(in, in.type(0).dim(0), channels / (block * block), in.type(0).dim(2) * block,
                in.type(0).dim(3) * block);
    }

    private static TensorType resized(Operands in, int axis, long size) {
        in.require(size <= MOST_ELEMENTS, "axis " + axis + " gets " + size + " elements", "keep it below 2^31");
        return checked(in, in.type(0).withDim(axis, (int) size).dims());
    }

    static TensorType sized(Operands in, long images, long channels, long height, long width) {
        in.require(Math.max(channels, Math.max(height, width)) <= MOST_ELEMENTS,
                "its output has " + channels + " channels of " + height + "x" + width, "keep each below 2^31");
        return checked(in, List.of((int) images, (int) channels, (int) height, (int) width));
    }

    /** The output of the given shape, in the element type of the first input, if it is not too large. */
    private static TensorType checked(Operands in, List<Integer> dims) {
        boolean empty = dims.contains(0);
        long elements = 1;
        for (int dim : dims) {
            in.require(dim >= 0, "its output has the shape " + dims, "give no negative dimension");
            elements *= Math.max(dim, 1);
            in.require(empty || elements <= MOST_ELEMENTS, "its output " + dims + " has more than 2^31 elements",
                    "run with a smaller batch or image");
            elements = Math.min(elements, MOST_ELEMENTS + 1);
        }
        return new TensorType(in.type(0).element(), dims);
    }
}
