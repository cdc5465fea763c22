/** Foreign-function bindings made by jextract. Nobody edits them, and only {@code dev.upscale} calls them. */
module dev.upscale.bindings {
}
