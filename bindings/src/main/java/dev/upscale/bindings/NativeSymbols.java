package dev.upscale.bindings;

import java.lang.foreign.SymbolLookup;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Where the generated classes find their functions: in the libraries that the runtime's locator has opened. The only class of this
 * module that is written by hand. The loader's own lookup cannot serve: it sees what {@code System.load} has loaded, and that
 * runs the {@code JNI_OnLoad} of libraries (the one that holds XNNPACK) that were made for another Java binding.
 */
public final class NativeSymbols {
    private static final Map<String, SymbolLookup> OPENED = new ConcurrentHashMap<>();

    private NativeSymbols() {}

    /** Says which library the generated classes of a package ({@code onednn}, {@code xnnpack}, {@code upscale}) call, before their first use. */
    public static void provide(String packageName, SymbolLookup library) {
        OPENED.put(packageName, library);
    }

    /** The lookup of a package's generated classes. */
    public static SymbolLookup of(String packageName) {
        return symbol -> Optional.ofNullable(OPENED.get(packageName)).flatMap(library -> library.find(symbol));
    }
}
