package dev.upscale.runtime.cuda;

/**
 * Code of our kernels, as the driver loads it.
 *
 * @param origin for reports: {@code cubin sm_90}, {@code PTX}, {@code plan, NVRTC 13.0, sm_89}
 * @param code a cubin, or PTX with a zero behind it
 */
record KernelImage(String origin, byte[] code) {
    static final String PTX = "PTX";

    static String cubinOf(int capability) {
        return "cubin sm_" + capability;
    }
}
