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
            Optional.of(new Abi("up_abi_version", 2))),

    /** cuBLASLt: matrix products; cuDNN opens it as soon as it is asked for heuristics. */
    CUBLASLT("cuBLASLt", "cublaslt", List.of("libcublasLt.so.13"), List.of(),
            new Archive("org.bytedeco", "cuda-redist-cublas", "org/bytedeco/cuda", ""),
            List.of("cublasLtGetVersion", "cublasLtCreate", "cublasLtMatmulAlgoGetHeuristic", "cublasLtMatmul"), Optional.empty()),

    /** NVRTC: compiles our CUDA kernels where the build had no nvcc, and the engines that cuDNN compiles when it runs. */
    NVRTC("NVRTC", "nvrtc", List.of("libnvrtc.so.13"), List.of("libnvrtc-builtins.so.13.0", "libnvrtc-builtins.so.13.1", "libnvrtc-builtins.so.13.2",
            "libnvrtc-builtins.so.13.3"), new Archive("org.bytedeco", "cuda-redist", "org/bytedeco/cuda", ""),
            List.of("nvrtcVersion", "nvrtcCreateProgram", "nvrtcCompileProgram", "nvrtcGetCUBIN"), Optional.empty()),

    /** The CUDA driver, which comes with the GPU's driver and with nothing else. */
    CUDA_DRIVER("CUDA driver", "cuda", List.of("libcuda.so.1"), List.of(), new Archive("", "", "", ""),
            List.of("cuInit", "cuDriverGetVersion", "cuDeviceGet", "cuLaunchKernel", "cuGraphLaunch"), Optional.empty()),

    /**
     * In the driver's place where there is none: without a {@code libcuda.so.1} cuDNN offers none of the engines that it compiles
     * itself. Ours, from {@code native/cudabuild}; runs nothing.
     */
    BUILD_DRIVER("driver for building", "", List.of("libcuda.so.1"), List.of(), new Archive("dev.upscale", "upscale", "dev/upscale/native", ""),
            List.of("cuLibraryLoadData", "cuLibraryGetKernel"), Optional.empty()),

    /** cuDNN 9 for CUDA 13. Its own libraries lie beside it; it opens cuBLASLt and NVRTC by name, and the driver too, so these are loaded before it. */
    CUDNN("cuDNN", "cudnn", List.of("libcudnn.so.9"), List.of("libcudnn_graph.so.9", "libcudnn_ops.so.9", "libcudnn_cnn.so.9", "libcudnn_adv.so.9",
            "libcudnn_ext.so.9", "libcudnn_heuristic.so.9", "libcudnn_engines_precompiled.so.9", "libcudnn_engines_runtime_compiled.so.9",
            "libcudnn_engines_tensor_ir.so.9"), new Archive("org.bytedeco", "cuda-redist-cudnn", "org/bytedeco/cuda", ""),
            List.of("cudnnGetVersion", "cudnnGetLastErrorString", "cudnnBackendCreateDescriptor", "cudnnBackendSetAttribute",
                    "cudnnBackendGetAttribute", "cudnnBackendFinalize", "cudnnBackendExecute"),
            Optional.empty());

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
            String module = artifact.startsWith("cuda-") ? group + "." + artifact.replace('-', '.') : folder.replace('/', '.');
            return module + "." + platform.replace('-', '.');
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
        String elsewhere = " or name a folder that holds " + fileNames.getFirst() + " with "
                + (isOfCuda() ? "-Dupscale.cuda or UPSCALE_CUDA" : "-Dupscale.natives or UPSCALE_NATIVES");
        return switch (this) {
            case UPSCALE_CPU ->
                "build native/cpu (needs a C compiler) so that the jar holds " + resource(fileNames.getFirst()) + "," + elsewhere;
            case BUILD_DRIVER ->
                "build native/cudabuild (needs a C compiler): without it or a GPU's driver, cuDNN offers only engines that were compiled beforehand";
            case CUDA_DRIVER -> "install the driver of an NVIDIA GPU; compiling for a GPU does not need it, running on one does";
            case CUBLASLT -> "pip install nvidia-cublas," + elsewhere;
            case NVRTC -> "pip install nvidia-cuda-nvrtc, build with the Maven profile cuda," + elsewhere;
            case CUDNN -> "pip install nvidia-cudnn-cu13," + elsewhere;
            case ONEDNN, XNNPACK -> "put the archive " + archive.coordinates() + " (classifier " + Platform.ofArchives()
                    + (archive.versionPrefix().isEmpty() ? "" : ", version " + archive.versionPrefix() + "*")
                    + ") on the class path," + elsewhere;
        };
    }

    /** Whether it belongs to the GPU side: without a GPU nothing needs it, except compiling for one. */
    public boolean isOfCuda() {
        return ordinal() >= CUBLASLT.ordinal();
    }

    /** Whether our own build makes it. */
    boolean isOurs() {
        return this == UPSCALE_CPU || this == BUILD_DRIVER;
    }

    /** Libraries that it opens by name, which are therefore to be loaded before it. */
    List<NativeLibrary> before() {
        return switch (this) {
            case CUDNN -> List.of(CUBLASLT, NVRTC, CUDA_DRIVER, BUILD_DRIVER);
            case BUILD_DRIVER -> List.of(CUDA_DRIVER);
            default -> List.of();
        };
    }

    /** Files beside it that it opens by name when it is called, and that no path of its own leads to: they are loaded before it. */
    List<String> opensByName() {
        return this == NVRTC ? companions : List.of();
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
        return archive.folder() + "/" + (isOurs() ? Platform.ofOwnBuild() : Platform.ofArchives()) + "/" + fileName;
    }
}
