package dev.upscale.runtime.cuda;

import dev.upscale.compile.KernelCatalog;
import dev.upscale.graph.Function;
import dev.upscale.graph.Op;
import dev.upscale.plan.Element;
import dev.upscale.plan.Operand;
import dev.upscale.plan.Step;
import dev.upscale.plan.View;
import dev.upscale.runtime.cublaslt.BoundProduct;
import dev.upscale.runtime.cublaslt.Compute;
import dev.upscale.runtime.cublaslt.Handle;
import dev.upscale.runtime.cublaslt.Matrix;
import dev.upscale.runtime.cublaslt.Product;
import dev.upscale.runtime.natives.NativeError;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * {@code cublaslt.matmul}: a convolution of one pixel, a linear layer, or a product of two activations, as a product of cuBLASLt. Slices
 * are matrices whose leading dimension is the pixel stride. cuBLASLt's matrices are column-major: a row-major result is the transposed
 * product of the factors in the opposite order.
 *
 * @param runs where the matrices lie: once, or once for each of those batches that lie at no common distance
 */
record MatrixCall(Product product, List<BoundProduct.Memory> runs) {
    static final String KERNEL = "cublaslt.matmul";

    /** What NVIDIA recommends as a workspace, on most devices. */
    private static final long MOST_WORKSPACE = 4L << 20;
    private static final int ALIGNMENT = 256;
    private static final int MOST_RUNS = 64;

    /**
     * @param compute in what f32 factors multiply
     * @throws Unsuited if it is no such step, or cuBLASLt has no such product
     */
    static MatrixCall of(Step step, Compute compute, DeviceAddresses memory) {
        Unsuited.unless(step.sources().stream().noneMatch(Operand::isIndexed), "cuBLASLt reads no channels by index");
        try {
            return switch (step) {
                case Step.Convolve convolve -> pixelwise(convolve, compute, memory);
                case Step.Compute product when product.op() instanceof Op.MatMul -> matMul(product, compute, memory);
                default -> throw new Unsuited("cuBLASLt multiplies matrices only");
            };
        } catch (IllegalArgumentException e) {
            throw new Unsuited("cuBLASLt has no such product: " + e.getMessage());
        }
    }

    /**
     * Whether cuBLASLt takes a step. Without a device it chooses no algorithm: that it has one for any product of these types is the word of its
     * documentation.
     */
    static KernelCatalog.Answer offer(Step step, Compute compute) {
        try {
            return new KernelCatalog.Offer(workspace(step), of(step, compute, DeviceAddresses.IMAGINED).product().toString());
        } catch (Unsuited e) {
            return new KernelCatalog.Refusal(e.getMessage());
        }
    }

    /**
     * The workspace to give a step, in bytes: smaller than any tensor that it reads or writes, so that none is repacked there.
     */
    static long workspace(Step step) {
        long smallest = Stream.concat(Stream.of(step.destination()), step.sources().stream().map(Operand::view)).mapToLong(View::bytes).min().orElse(0);
        long room = Math.min(MOST_WORKSPACE, (smallest - 1) / ALIGNMENT * ALIGNMENT);
        return room > ALIGNMENT ? room : 0;
    }

    /** Asks cuBLASLt for an algorithm on the device of a handle. */
    BoundProduct bind(String subject, Handle handle) {
        try {
            return BoundProduct.of(handle, subject, product, runs);
        } catch (NativeError e) {
            throw new NativeError(e.function(), e.status() + " on this device; compile with --engines cudnn", e.subject());
        }
    }

    private static MatrixCall pixelwise(Step.Convolve step, Compute compute, DeviceAddresses memory) {
        Unsuited.unless(step.conv().window().isPointwise() && step.conv().groups() == 1, "cuBLASLt has no windows and no groups");
        Element element = Elements.of(List.of(step.source()), step.destination());
        View from = step.source().view();
        View to = step.destination();
        Matrix source = pixels(from, element, memory.of(from, element));
        Matrix result = pixels(to, to.element(), memory.of(to, to.element()));
        long filter = memory.constant(step.weights(), element);
        long bias = step.bias().isEmpty() ? 0 : memory.constant(step.bias(), to.element());
        Matrix weights = new Matrix(element, source.rows(), result.rows(), source.rows(), 1, 0, alignment(filter));
        Optional<View> addend = step.addend().map(Operand::view);
        Unsuited.unless(addend.stream().allMatch(view -> view.element() == to.element()), "cuBLASLt adds what has the result's type");
        long added = addend.map(view -> memory.of(view, to.element())).orElse(0L);
        Space space = Space.of(step, memory);
        Product product = new Product(weights, true, source, false, addend.map(view -> pixels(view, to.element(), added)), result,
                rounding(compute, element), step.bias().isEmpty() ? 0 : alignment(bias), isRectified(step.activation()), space.bytes());
        return new MatrixCall(product, List.of(new BoundProduct.Memory(filter, memory.of(from, element), added, memory.of(to, to.element()), bias,
                space.address())));
    }

    /** The channels of an image's pixels, or of rows, as columns. */
    private static Matrix pixels(View view, Element element, long address) {
        Unsuited.unless(view.rank() == 2 || view.rank() == 4, "cuBLASLt multiplies rows and pixels, not " + view.dims());
        long channels = view.dim(1);
        long count = view.elements() / Math.max(1, channels);
        long stride = count == 1 ? channels : view.pixelStride();
        Unsuited.unless(channels == 1 || view.stride(1) == 1, "cuBLASLt reads and writes channels that lie side by side");
        Unsuited.unless(stride >= channels, "cuBLASLt reads and writes pixels at one distance");
        return new Matrix(element, channels, count, stride, 1, 0, alignment(address));
    }

    private static MatrixCall matMul(Step.Compute step, Compute compute, DeviceAddresses memory) {
        View left = step.sources().get(0).view();
        View right = step.sources().get(1).view();
        View to = step.destination();
        int rank = to.rank();
        Unsuited.unless(left.rank() >= 2 && right.rank() >= 2 && rank <= 4 && rank >= 2, "no product of " + left.dims() + " and " + right.dims());
        Element element = Elements.of(step.sources(), to);
        // A row-major result [M, N] is column-major [N, M]: the right factor comes first.
        boolean swapped = to.stride(rank - 1) == 1 || to.dim(rank - 1) == 1;
        Batches batches = Batches.of(left, right, to);
        View first = swapped ? right : left;
        View second = swapped ? left : right;
        long[] strides = swapped ? new long[] {batches.right(), batches.left()} : new long[] {batches.left(), batches.right()};
        long[] apart = swapped ? new long[] {batches.rightRun(), batches.leftRun()} : new long[] {batches.leftRun(), batches.rightRun()};
        Space space = Space.of(step, memory);
        List<BoundProduct.Memory> runs = LongStream.range(0, batches.runs()).mapToObj(run -> new BoundProduct.Memory(
                memory.of(first, element) + run * apart[0] * element.bytes(), memory.of(second, element) + run * apart[1] * element.bytes(), 0,
                memory.of(to, to.element()) + run * batches.toRun() * to.element().bytes(), 0, space.address())).toList();
        Factor a = Factor.of(first, swapped, element, batches.count(), strides[0], alignment(runs.stream().mapToLong(BoundProduct.Memory::a)));
        Factor b = Factor.of(second, swapped, element, batches.count(), strides[1], alignment(runs.stream().mapToLong(BoundProduct.Memory::b)));
        Factor d = Factor.of(to, swapped, to.element(), batches.count(), batches.to(), alignment(runs.stream().mapToLong(BoundProduct.Memory::d)));
        Unsuited.unless(!d.isTransposed(), "cuBLASLt writes rows or columns whose elements lie side by side");
        return new MatrixCall(new Product(a.matrix(), a.isTransposed(), b.matrix(), b.isTransposed(), Optional.empty(), d.matrix(),
                rounding(compute, element), 0, isRectified(step.activation()), space.bytes()), runs);
    }

    /** A view's last two dimensions as a column-major matrix, and whether it has to be transposed to be what is asked for. */
    private record Factor(Matrix matrix, boolean isTransposed) {

        /** @param swapped whether the last dimension counts rows, not columns */
        static Factor of(View view, boolean swapped, Element element, int batches, long batchStride, int alignment) {
            int rows = swapped ? view.rank() - 1 : view.rank() - 2;
            int columns = swapped ? view.rank() - 2 : view.rank() - 1;
            boolean isTransposed = view.dim(rows) > 1 && view.stride(rows) != 1;
            int inner = isTransposed ? columns : rows;
            int outer = isTransposed ? rows : columns;
            Unsuited.unless(view.dim(inner) == 1 || view.stride(inner) == 1, "cuBLASLt reads rows or columns whose elements lie side by side");
            long leading = view.dim(outer) == 1 ? view.dim(inner) : view.stride(outer);
            return new Factor(new Matrix(element, view.dim(inner), view.dim(outer), leading, batches, batchStride, alignment), isTransposed);
        }
    }

    /**
     * Batches at one distance, and runs over the others.
     *
     * @param left elements from matrix to matrix, 0 where one serves all
     * @param leftRun elements from run to run
     */
    private record Batches(int count, long left, long right, long to, int runs, long leftRun, long rightRun, long toRun) {

        static Batches of(View left, View right, View to) {
            int rank = to.rank();
            int outer = rank > 3 ? to.dim(0) : 1;
            int inner = rank > 2 ? to.dim(rank - 3) : 1;
            long[] across = {stride(left, 4), stride(right, 4), stride(to, 4)};
            long[] along = {stride(left, 3), stride(right, 3), stride(to, 3)};
            boolean regular = LongStream.range(0, 3).allMatch(k -> across[(int) k] == inner * along[(int) k]);
            if (outer == 1 || inner == 1 || regular) {
                long[] strides = inner == 1 ? across : along;
                return new Batches(Math.multiplyExact(outer, inner), strides[0], strides[1], strides[2], 1, 0, 0, 0);
            }
            boolean isWide = outer > inner;
            long[] batch = isWide ? across : along;
            long[] run = isWide ? along : across;
            Unsuited.unless(Math.min(outer, inner) <= MOST_RUNS, "more than " + MOST_RUNS + " batches at uneven distances");
            return new Batches(Math.max(outer, inner), batch[0], batch[1], batch[2], Math.min(outer, inner), run[0], run[1], run[2]);
        }

        private static long stride(View view, int fromTheEnd) {
            int axis = view.rank() - fromTheEnd;
            return axis < 0 || view.dim(axis) == 1 ? 0 : view.stride(axis);
        }
    }

    /** The aligned part of a step's workspace. */
    private record Space(long address, long bytes) {
        static Space of(Step step, DeviceAddresses memory) {
            Optional<View> view = step.workspace();
            if (view.isEmpty()) {
                return new Space(0, 0);
            }
            long begin = memory.of(view.get(), view.get().element());
            long aligned = Math.ceilDiv(begin, ALIGNMENT) * ALIGNMENT;
            return new Space(aligned, Math.max(0, begin + view.get().bytes() - aligned));
        }
    }

    private static boolean isRectified(Function activation) {
        Unsuited.unless(activation.isNone() || activation.kind() == Function.Kind.RELU, "cuBLASLt has no function " + activation.kind() + " to end with");
        return !activation.isNone();
    }

    private static Compute rounding(Compute compute, Element element) {
        return element == Element.F32 ? compute : Compute.AS_STORED;
    }

    private static int alignment(LongStream addresses) {
        return addresses.mapToInt(MatrixCall::alignment).min().orElse(ALIGNMENT);
    }

    private static int alignment(long address) {
        return address == 0 ? ALIGNMENT : (int) Math.min(ALIGNMENT, Long.lowestOneBit(address));
    }
}
