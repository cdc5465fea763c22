/** CUDA's libraries out of Bytedeco's archives, unpacked by JavaCPP's loader. Without this module {@code dev.upscale} unpacks them itself. */
module dev.upscale.javacpp {
    requires dev.upscale;
    requires org.bytedeco.cuda;
    requires org.bytedeco.javacpp;

    provides dev.upscale.runtime.natives.ArchiveUnpacker with dev.upscale.javacpp.LoaderUnpacker;
}
