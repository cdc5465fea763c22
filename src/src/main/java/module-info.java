/** The graph compiler, execution plan and runtime for networks pruned without constraints. */
module dev.upscale {
    requires dev.upscale.bindings;
    requires java.desktop;
    requires jdk.jfr;
    requires com.google.protobuf;
    requires ejml.core;
    requires ejml.ddense;
    requires info.picocli;
    requires tools.jackson.databind;

    uses dev.upscale.cli.Peer;
    uses dev.upscale.runtime.natives.ArchiveUnpacker;

    exports dev.upscale;
    exports dev.upscale.channels;
    exports dev.upscale.cli;
    exports dev.upscale.compile;
    exports dev.upscale.compress;
    exports dev.upscale.graph;
    exports dev.upscale.onnx;
    exports dev.upscale.plan;
    exports dev.upscale.runtime;
    exports dev.upscale.runtime.natives to dev.upscale.javacpp;
    exports dev.upscale.testing;

    opens dev.upscale.runtime.cuda to tools.jackson.databind;
    opens dev.upscale.runtime.cudnn to tools.jackson.databind;
    opens dev.upscale.cli to info.picocli, tools.jackson.databind;
    opens dev.upscale.compress to tools.jackson.databind;
    opens dev.upscale.report to tools.jackson.databind;
}
