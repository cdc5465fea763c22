package dev.upscale.bench;

import dev.upscale.graph.Window;
import dev.upscale.runtime.natives.ConvolutionShape;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A convolution that benchmarks name by a text: {@code 56x56 64->64 3x3}, with {@code /2} for strides, {@code g32} for groups and
 * {@code N8} before it for a batch; {@code 56x56 144 depthwise 3x3}; {@code linear 2048->1000}. Padding keeps the image's size.
 */
record KernelShape(String name, ConvolutionShape convolution) {
    private static final Pattern IMAGE = Pattern.compile("(?:N(\\d+) )?(\\d+)x\\2 (\\d+)->(\\d+) (\\d+)x\\5(?: /(\\d+))?(?: g(\\d+))?");
    private static final Pattern DEPTHWISE = Pattern.compile("(?:N(\\d+) )?(\\d+)x\\2 (\\d+) depthwise (\\d+)x\\4(?: /(\\d+))?");
    private static final Pattern LINEAR = Pattern.compile("(?:N(\\d+) )?linear (\\d+)->(\\d+)");

    /** What the table of kernels shows: layers of residual, dense and mobile networks, and odd widths as pruning leaves them. */
    static final List<KernelShape> TABLE = List.of(
            "56x56 64->64 3x3", "28x28 128->128 3x3", "14x14 256->256 3x3", "7x7 512->512 3x3",
            "56x56 37->51 3x3", "28x28 83->83 3x3", "14x14 171->171 3x3", "28x28 128->32 3x3",
            "56x56 256->64 1x1", "56x56 64->256 1x1", "28x28 512->128 1x1", "14x14 1024->256 1x1", "7x7 2048->512 1x1",
            "14x14 417->128 1x1", "56x56 51->171 1x1", "28x28 171->83 1x1",
            "224x224 3->64 7x7 /2", "56x56 128->128 3x3 /2", "56x56 83->97 3x3 /2", "56x56 256->512 1x1 /2",
            "28x28 128->128 3x3 g32",
            "112x112 32 depthwise 3x3", "56x56 144 depthwise 3x3", "56x56 51 depthwise 3x3", "56x56 144 depthwise 3x3 /2",
            "14x14 480 depthwise 5x5", "7x7 960 depthwise 5x5",
            "linear 2048->1000",
            "N8 28x28 128->128 3x3", "N8 14x14 171->171 3x3", "N8 14x14 1024->256 1x1", "N8 28x28 171->83 1x1", "N8 linear 2048->1000")
            .stream().map(KernelShape::parse).toList();

    /** @throws IllegalArgumentException if the text names no convolution */
    static KernelShape parse(String name) {
        Matcher image = IMAGE.matcher(name);
        if (image.matches()) {
            return of(name, number(image, 1), number(image, 2), number(image, 3), number(image, 4), number(image, 5), number(image, 6),
                    number(image, 7));
        }
        Matcher depthwise = DEPTHWISE.matcher(name);
        if (depthwise.matches()) {
            int channels = number(depthwise, 3);
            return of(name, number(depthwise, 1), number(depthwise, 2), channels, channels, number(depthwise, 4), number(depthwise, 5),
                    channels);
        }
        Matcher linear = LINEAR.matcher(name);
        if (linear.matches()) {
            return of(name, number(linear, 1), 1, number(linear, 2), number(linear, 3), 1, 1, 1);
        }
        throw new IllegalArgumentException("no convolution: '" + name + "'; for example 'N8 56x56 64->64 3x3 /2 g32', '56x56 144 depthwise 3x3' or"
                + " 'linear 2048->1000'");
    }

    private static KernelShape of(String name, int batch, int side, int in, int out, int kernel, int stride, int groups) {
        return new KernelShape(name, new ConvolutionShape(batch, side, side, in, out, Window.square(kernel, stride, kernel / 2), groups));
    }

    /** What is not said is 1. */
    private static int number(Matcher matcher, int group) {
        return matcher.group(group) == null ? 1 : Integer.parseInt(matcher.group(group));
    }

    /** Multiply-adds, those on padding included. */
    long multiplyAdds() {
        return (long) convolution.batch() * convolution.outHeight() * convolution.outWidth() * convolution.weights();
    }

    /** Whether a matrix product computes it as well. */
    boolean isMatrixProduct() {
        Window window = convolution.window();
        return window.kernelH() == 1 && window.strideH() == 1 && convolution.groups() == 1;
    }
}
