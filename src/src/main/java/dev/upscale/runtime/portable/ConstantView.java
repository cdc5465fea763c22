package dev.upscale.runtime.portable;

import dev.upscale.plan.Constant;
import dev.upscale.plan.View;

/** Constants that kernels repack while they are prepared. */
final class ConstantView {
    private ConstantView() {}

    /** The elements of a view of a constant, row-major. */
    static float[] floats(Constant constant, View view) {
        float[] all = constant.floats();
        float[] values = new float[Math.toIntExact(view.elements())];
        for (int i = 0; i < values.length; i++) {
            long at = view.offset() / View.ELEMENT_BYTES;
            int rest = i;
            for (int axis = view.rank() - 1; axis >= 0; axis--) {
                at += rest % view.dim(axis) * view.stride(axis);
                rest /= view.dim(axis);
            }
            values[i] = all[Math.toIntExact(at)];
        }
        return values;
    }
}
