package dev.upscale.runtime.cuda;

import dev.upscale.plan.View;

/** Where a plan's memories lie on the device. Addresses are bytes; a view's offset counts f32, so that it fits any storage. */
interface DeviceAddresses {

    /** The type of activations and of constants that are used like them. */
    Storage storage();

    /** The address of a view's first element. */
    long of(View view);

    /** A constant of weights in the given storage. */
    long constant(String name, Storage storage);

    /** An index list, i32. */
    long index(String name);

    /** Numbers that a kernel needs beside the plan's constants. */
    long table(int[] values);

    /** Numbers that a kernel needs beside the plan's constants. */
    long table(float[] values);

    /** How many entries an index list has. */
    int entries(String index);

    /** Made-up addresses, aligned as real ones are, to see whether a kernel takes a step. */
    static DeviceAddresses imagined(Storage storage) {
        return new DeviceAddresses() {
            private static final long BASE = 1L << 20;

            @Override
            public Storage storage() {
                return storage;
            }

            @Override
            public long of(View view) {
                return BASE + view.offset() / View.ELEMENT_BYTES * storage.bytes();
            }

            @Override
            public long constant(String name, Storage as) {
                return BASE;
            }

            @Override
            public long index(String name) {
                return BASE;
            }

            @Override
            public long table(int[] values) {
                return BASE;
            }

            @Override
            public long table(float[] values) {
                return BASE;
            }

            @Override
            public int entries(String index) {
                return 1;
            }
        };
    }
}
