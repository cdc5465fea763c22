package dev.upscale.runtime.cuda;

import dev.upscale.plan.Element;
import dev.upscale.plan.Operand;
import dev.upscale.plan.View;

/**
 * An image in device memory, as kernels see it; rows of a linear layer are the pixels of an image of one row. Strides in elements.
 *
 * @param index of an index list of channels, or 0
 */
record DeviceImage(long address, long index, int batch, int height, int width, int channels, long imageStride, long rowStride,
        long pixelStride, long channelStride) {

    static DeviceImage of(Operand operand, Element element, DeviceAddresses memory) {
        DeviceImage image = of(operand.view(), element, memory);
        return operand.isIndexed()
                ? new DeviceImage(image.address, memory.index(operand.index()), image.batch, image.height, image.width,
                        memory.entries(operand.index()), image.imageStride, image.rowStride, image.pixelStride, image.channelStride)
                : image;
    }

    static DeviceImage of(View view, Element element, DeviceAddresses memory) {
        long address = memory.of(view, element);
        return switch (view.rank()) {
            case 1 -> new DeviceImage(address, 0, 1, 1, 1, view.dim(0), 0, 0, 0, view.stride(0));
            case 2 -> new DeviceImage(address, 0, 1, 1, view.dim(0), view.dim(1), 0, 0, view.stride(0), view.stride(1));
            case 3 -> new DeviceImage(address, 0, view.dim(0), 1, view.dim(1), view.dim(2), view.stride(0), 0, view.stride(1), view.stride(2));
            case 4 -> new DeviceImage(address, 0, view.dim(0), view.dim(2), view.dim(3), view.dim(1), view.stride(0), view.stride(2),
                    view.stride(3), view.stride(1));
            default -> throw new Unsuited("no image: " + view.dims());
        };
    }

    /** A destination [N, C, H, W]. */
    static DeviceImage requireImage(View view, DeviceAddresses memory) {
        Unsuited.unless(view.rank() == 4, "no image: " + view.dims());
        return of(view, view.element(), memory);
    }

    /** Whether threads may write and read vectors of so many channels, of so many bytes each. */
    boolean takesVectors(int vector, int bytes) {
        return index != 0 || channelStride != 1 && channels > 1 || address % Math.min(16, vector * bytes) == 0
                && (batch == 1 || imageStride % vector == 0) && (height == 1 || rowStride % vector == 0)
                && (width == 1 || pixelStride % vector == 0);
    }

    long pixels() {
        return (long) batch * height * width;
    }
}
