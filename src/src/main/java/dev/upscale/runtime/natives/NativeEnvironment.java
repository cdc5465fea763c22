package dev.upscale.runtime.natives;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Variables of the process's environment as native libraries read it when they are loaded, for as long as this is open. Java and child
 * processes do not see them, and neither do libraries that are loaded afterwards: another runtime may want another setting.
 */
final class NativeEnvironment implements AutoCloseable {
    private static final Linker LINKER = Linker.nativeLinker();

    private final List<String> names = new ArrayList<>();

    /** Sets those variables that are not set. */
    NativeEnvironment(Map<String, String> defaults) {
        defaults.forEach((name, value) -> {
            if (!isSet(name)) {
                call("setenv", name, value);
                names.add(name);
            }
        });
    }

    /** Takes them back. */
    @Override
    public void close() {
        names.forEach(name -> call("unsetenv", name, null));
    }

    /** Whether the process has a variable, be it one that native code has set. */
    static boolean isSet(String name) {
        Optional<MemorySegment> getenv = LINKER.defaultLookup().find("getenv");
        if (getenv.isEmpty()) {
            return true;
        }
        MethodHandle handle = LINKER.downcallHandle(getenv.get(), FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS));
        try (Arena arena = Arena.ofConfined()) {
            return ((MemorySegment) handle.invokeExact(arena.allocateFrom(name))).address() != 0;
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("getenv cannot throw", e);
        }
    }

    private static void call(String function, String name, String value) {
        Optional<MemorySegment> address = LINKER.defaultLookup().find(function);
        if (address.isEmpty()) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocateFrom(name);
            if (value == null) {
                int unusedStatus = (int) LINKER.downcallHandle(address.get(), FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS))
                        .invokeExact(text);
            } else {
                int overwrite = 0;
                int unusedStatus = (int) LINKER.downcallHandle(address.get(),
                        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT))
                        .invokeExact(text, arena.allocateFrom(value), overwrite);
            }
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(function + " cannot throw", e);
        }
    }
}
