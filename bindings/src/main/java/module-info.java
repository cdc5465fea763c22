/** Foreign-function bindings made by jextract, and the place where they find their functions. Nobody edits them, and only {@code dev.upscale} calls them. */
module dev.upscale.bindings {
    exports dev.upscale.bindings to dev.upscale;
    exports dev.upscale.bindings.onednn to dev.upscale;
    exports dev.upscale.bindings.xnnpack to dev.upscale;
    exports dev.upscale.bindings.upscale to dev.upscale;
    exports dev.upscale.bindings.upscalecuda to dev.upscale;
    exports dev.upscale.bindings.cuda to dev.upscale;
    exports dev.upscale.bindings.cudnn to dev.upscale;
    exports dev.upscale.bindings.cublaslt to dev.upscale;
    exports dev.upscale.bindings.nvrtc to dev.upscale;
}
