package dev.upscale.runtime.cuda;

import dev.upscale.plan.Element;
import dev.upscale.plan.View;

/** Where a plan's memories lie on the device: addresses in bytes. */
interface DeviceAddresses {

    /** The address of a view's first element; a constant's elements are brought into the given element. */
    long of(View view, Element element);

    /** A whole constant of weights in the given element. */
    long constant(String name, Element element);

    /** An index list, i32. */
    long index(String name);

    /** How many entries an index list has. */
    int entries(String index);

    /** Numbers that a kernel needs beside the plan's constants. */
    long table(int[] values);

    /** Numbers that a kernel needs beside the plan's constants. */
    long table(float[] values);

    /** Made-up addresses, aligned as real ones are, to see whether a kernel takes a step. */
    DeviceAddresses IMAGINED = new DeviceAddresses() {
        private static final long BASE = 1L << 20;

        @Override
        public long of(View view, Element element) {
            return BASE + view.offset();
        }

        @Override
        public long constant(String name, Element element) {
            return BASE;
        }

        @Override
        public long index(String name) {
            return BASE;
        }

        @Override
        public int entries(String index) {
            return 1;
        }

        @Override
        public long table(int[] values) {
            return BASE;
        }

        @Override
        public long table(float[] values) {
            return BASE;
        }
    };
}
