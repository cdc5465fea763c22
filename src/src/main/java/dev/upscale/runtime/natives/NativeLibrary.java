package dev.upscale.runtime.natives;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A native library that the runtime can call: how its files are called, where an archive holds them, and what it must offer
 * before it is trusted.
 */
public enum NativeLibrary {
    /** oneDNN with the OpenMP runtime it runs on. */
    ONEDNN("oneDNN", "onednn", List.of("libdnnl.so.3"), List.of("libgomp.so.1"), new Archive("org.bytedeco", "dnnl", "org/bytedeco/dnnl", ""),
            List.of("dnnl_version", "dnnl_engine_create", "dnnl_memory_desc_create_with_strides", "dnnl_primitive_attr_create",
                    "dnnl_convolution_forward_primitive_desc_create", "dnnl_matmul_primitive_desc_create",
                    "dnnl_pooling_forward_primitive_desc_create", "dnnl_reorder_primitive_desc_create", "dnnl_primitive_desc_query",
                    "dnnl_primitive_execute", "dnnl_memory_set_data_handle", "omp_set_num_threads", "omp_get_max_threads"),
            Optional.empty()),

    /**
     * XNNPACK and pthreadpool, which TensorFlow Lite's library happens to export. It has no version function and its signatures
     * have changed in the past, so the archive's version is pinned and a function of December 2025 is asked for.
     */
    XNNPACK("XNNPACK", "xnnpack", List.of("libjnitensorflowlite.so"), List.of(),
            new Archive("org.bytedeco", "tensorflow-lite", "org/bytedeco/tensorflowlite", "2.21."),
            List.of("xnn_initialize", "xnn_create_convolution2d_nhwc_f32", "xnn_reshape_convolution2d_nhwc_f32",
                    "xnn_setup_convolution2d_nhwc_f32", "xnn_create_fully_connected_nc_f32", "xnn_reshape_fully_connected_nc_f32",
                    "xnn_setup_fully_connected_nc_f32", "xnn_run_operator", "xnn_delete_operator", "pthreadpool_create",
                    "pthreadpool_destroy", "xnn_create_fully_connected_nc_qd8_f32_qc2w"),
            Optional.empty()),

    /** Our own CPU kernels, built from {@code native/cpu}. */
    UPSCALE_CPU("upscale_cpu", "upscale", List.of("libupscale_cpu.so"), List.of(), new Archive("dev.upscale", "upscale", "dev/upscale/native", ""),
            List.of("up_abi_version", "up_last_error", "up_pool_create", "up_conv_create", "up_conv_run", "up_pointwise", "up_binary",
                    "up_window", "up_reduce", "up_softmax", "up_resize", "up_gather", "up_pad", "up_from_planes", "up_to_planes"),
            Optional.of(new Abi("up_abi_version", 1)));

    /**
     * The archive (jar) that holds a library under {@code folder/<platform>/}.
     *
     * @param versionPrefix how the archive's version must begin; empty: any version serves
     */
    record Archive(String group, String artifact, String folder, String versionPrefix) {
        String coordinates() {
            return group + ":" + artifact;
        }

        /** The module name of Bytedeco's archive for a platform, e.g. {@code org.bytedeco.dnnl.linux.x86_64}. */
        String moduleName(String platform) {
            return folder.replace('/', '.') + "." + platform.replace('-', '.');
        }
    }

    /** A function without arguments that returns the version of the binary interface, and the version we were built for. */
    record Abi(String function, int version) {}

    private final String title;
    private final String bindings;
    private final List<String> fileNames;
    private final List<String> companions;
    private final Archive archive;
    private final List<String> symbols;
    private final Optional<Abi> abi;

    NativeLibrary(String title, String bindings, List<String> fileNames, List<String> companions, Archive archive,
            List<String> symbols, Optional<Abi> abi) {
        this.title = title;
        this.bindings = bindings;
        this.fileNames = fileNames;
        this.companions = companions;
        this.archive = archive;
        this.symbols = symbols;
        this.abi = abi;
    }

    /** The library's own name. */
    public String title() {
        return title;
    }

    /** What to do when it is missing: one sentence. */
    public String cure() {
        String elsewhere = " or name a folder that holds " + fileNames.getFirst() + " with -Dupscale.natives or UPSCALE_NATIVES";
        return this == UPSCALE_CPU
                ? "build native/cpu (needs a C compiler) so that the jar holds " + resource(fileNames.getFirst()) + "," + elsewhere
                : "put the archive " + archive.coordinates() + " (classifier " + Platform.ofArchives()
                        + (archive.versionPrefix().isEmpty() ? "" : ", version " + archive.versionPrefix() + "*")
                        + ") on the class path," + elsewhere;
    }

    /** The package of the bindings that call it, below {@code dev.upscale.bindings}. */
    String bindings() {
        return bindings;
    }

    /** The library's file under its usual names, best first. */
    List<String> fileNames() {
        return fileNames;
    }

    /** Libraries that it needs beside it and that the archive brings. */
    List<String> companions() {
        return companions;
    }

    Archive archive() {
        return archive;
    }

    /** Functions without which the library is not used. */
    List<String> symbols() {
        return symbols;
    }

    /**
     * Variables that the library reads when it is loaded, for users who set none. libgomp's idle threads spin by default, for
     * milliseconds after each primitive, and take the cores from the other engines' threads.
     */
    Map<String, String> environment() {
        return this == ONEDNN ? Map.of("OMP_WAIT_POLICY", "passive") : Map.of();
    }

    Optional<Abi> abi() {
        return abi;
    }

    /** The resource path of a file of the archive on this platform. */
    String resource(String fileName) {
        return archive.folder() + "/" + (this == UPSCALE_CPU ? Platform.ofOwnBuild() : Platform.ofArchives()) + "/" + fileName;
    }
}
