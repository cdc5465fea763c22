package dev.upscale.plan;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Where a tensor lies. Dimensions and strides are in the graph's order, for images [N, C, H, W]; the layout is in the
 * strides: a channels-last image of C channels has strides [H·W·C, 1, W·C, C], a slice of a wider tensor the wider
 * tensor's strides and an offset. A stride of 0 repeats the same elements.
 *
 * @param place the memory it lies in
 * @param offset of its first element from the start of that memory, in bytes
 * @param dims sizes, as in the graph
 * @param strides distances in elements, one per dimension
 * @param halves what the elements are if they are narrower than f32
 */
public record View(Place place, long offset, List<Integer> dims, List<Long> strides, Optional<Element> halves) {

    /** The size of an f32 element. */
    public static final int ELEMENT_BYTES = Float.BYTES;

    /** A memory that views lie in: a kind, and the name of the input, output or constant ("" for the arena). */
    public record Place(Kind kind, String name) {
        /** Kinds of memory. */
        public enum Kind { ARENA, INPUT, OUTPUT, CONSTANT }

        public static final Place ARENA = new Place(Kind.ARENA, "");

        @Override
        public String toString() {
            return kind == Kind.ARENA ? "arena" : kind.name().toLowerCase(java.util.Locale.ROOT) + " " + name;
        }
    }

    public View {
        dims = List.copyOf(dims);
        strides = List.copyOf(strides);
        if (dims.size() != strides.size()) {
            throw new IllegalArgumentException(dims + " with strides " + strides);
        }
        if (halves.filter(element -> element == Element.F32).isPresent()) {
            throw new IllegalArgumentException("f32 is not named");
        }
        if (offset < 0 || offset % halves.orElse(Element.F32).bytes() != 0) {
            throw new IllegalArgumentException("offset " + offset);
        }
    }

    /** A view of f32 elements. */
    public View(Place place, long offset, List<Integer> dims, List<Long> strides) {
        this(place, offset, dims, strides, Optional.empty());
    }

    /** The same elements' memory read as elements of another type: same place, offset, dimensions and strides. */
    public View of(Element element) {
        return new View(place, offset, dims, strides, element == Element.F32 ? Optional.empty() : Optional.of(element));
    }

    /** What the elements are. */
    public Element element() {
        return halves.orElse(Element.F32);
    }

    /** Another view of the same memory and type. */
    public View with(long newOffset, List<Integer> newDims, List<Long> newStrides) {
        return new View(place, newOffset, newDims, newStrides, halves);
    }

    /** A dense view in row-major order of its dimensions. */
    public static View rowMajor(Place place, long offset, List<Integer> dims) {
        Long[] strides = new Long[dims.size()];
        long stride = 1;
        for (int axis = dims.size() - 1; axis >= 0; axis--) {
            strides[axis] = stride;
            stride *= dims.get(axis);
        }
        return new View(place, offset, dims, Arrays.asList(strides));
    }

    /**
     * A channels-last view of an image [N, C, H, W] (or of a matrix [N, C], whose rows are its pixels) with
     * {@code pixelStride} elements from pixel to pixel.
     */
    public static View channelsLast(Place place, long offset, List<Integer> dims, long pixelStride) {
        if (dims.size() == 2) {
            return new View(place, offset, dims, List.of(pixelStride, 1L));
        }
        long width = dims.get(3);
        return new View(place, offset, dims,
                List.of(dims.get(2) * width * pixelStride, 1L, width * pixelStride, pixelStride));
    }

    public int rank() {
        return dims.size();
    }

    public int dim(int axis) {
        return dims.get(axis);
    }

    public long stride(int axis) {
        return strides.get(axis);
    }

    /** The number of elements. */
    public long elements() {
        return dims.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
    }

    /** The size of the elements, in bytes, without what lies between them. */
    public long bytes() {
        return Math.multiplyExact(elements(), (long) element().bytes());
    }

    /** The bytes from the first element to the end of the last; an {@link ArithmeticException} if that is not a number. */
    public long extentBytes() {
        long last = 0;
        for (int axis = 0; axis < rank(); axis++) {
            if (dims.get(axis) == 0) {
                return 0;
            }
            last = Math.addExact(last, Math.multiplyExact(dims.get(axis) - 1L, strides.get(axis)));
        }
        return Math.multiplyExact(Math.addExact(last, 1), (long) element().bytes());
    }

    /**
     * Elements from pixel to pixel if this is an image [N, C, H, W] (or matrix [N, C]) whose channels are neighbours and
     * whose pixels follow each other at one distance; -1 otherwise.
     */
    public long pixelStride() {
        if (rank() == 2) {
            return dim(1) == 1 || stride(1) == 1 ? stride(0) : -1;
        }
        if (rank() != 4 || (dim(1) != 1 && stride(1) != 1)) {
            return -1;
        }
        int batch = dim(0);
        int height = dim(2);
        int width = dim(3);
        long pixel = width > 1 ? stride(3) : height > 1 ? stride(2) : batch > 1 ? stride(0) : Math.max(dim(1), stride(3));
        boolean rows = height <= 1 || stride(2) == pixel * width;
        boolean images = batch <= 1 || stride(0) == pixel * width * height;
        return rows && images ? pixel : -1;
    }

    /** Whether channels are neighbours and no memory lies between pixels. */
    public boolean isDenseChannelsLast() {
        return rank() >= 2 && pixelStride() == dim(1);
    }

    /** Whether elements lie in row-major order of the dimensions, without gaps. */
    public boolean isRowMajor() {
        long expected = 1;
        for (int axis = rank() - 1; axis >= 0; axis--) {
            if (dims.get(axis) != 1 && strides.get(axis) != expected) {
                return false;
            }
            expected *= dims.get(axis);
        }
        return true;
    }

    /** The part of this view at positions {@code start}, ..., {@code start + size - 1} of one axis. */
    public View slice(int axis, int start, int size) {
        Integer[] sliced = dims.toArray(new Integer[0]);
        sliced[axis] = size;
        return with(offset + start * strides.get(axis) * element().bytes(), Arrays.asList(sliced), strides);
    }

    @Override
    public String toString() {
        String shape = dims.stream().map(String::valueOf).collect(Collectors.joining(","));
        String steps = strides.stream().map(String::valueOf).collect(Collectors.joining(","));
        return place + "+" + offset + halves.map(element -> " " + element.label() + " ").orElse("") + "[" + shape + "|" + steps + "]";
    }
}
