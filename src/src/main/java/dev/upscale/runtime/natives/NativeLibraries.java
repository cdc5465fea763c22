package dev.upscale.runtime.natives;

import dev.upscale.bindings.NativeSymbols;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Finds and loads the native libraries, each at most once per process. Looked at, in this order: the folder named by the system
 * property {@code upscale.natives} or else the environment variable {@code UPSCALE_NATIVES}; the archive on the class path or
 * module path, unpacked once into {@code $XDG_CACHE_HOME/upscale/natives} ({@code ~/.cache/upscale/natives}); the system's library
 * path. For the libraries of CUDA the names are {@code upscale.cuda} and {@code UPSCALE_CUDA}, and before the system's library path come
 * the Python packages {@code nvidia/*} and the CUDA toolkit ({@link CudaPlaces}). A library is taken only when it offers every function that is needed. A refusal is remembered with its reasons and the
 * cure; nothing is printed. The system property {@code upscale.natives.off} names libraries (e.g. {@code onednn,xnnpack}) that are
 * not to be used.
 *
 * <p>All methods may be called from any thread.
 */
public final class NativeLibraries {
    private static final Map<NativeLibrary, LibraryReport> KNOWN = new EnumMap<>(NativeLibrary.class);

    private NativeLibraries() {}

    /** Looks for the library and loads it if it was not looked for before; never throws. */
    public static LibraryReport find(NativeLibrary library) {
        synchronized (KNOWN) {
            LibraryReport known = KNOWN.get(library);
            if (known == null) {
                library.before().forEach(NativeLibraries::find);
                known = library == NativeLibrary.BUILD_DRIVER && isAvailable(NativeLibrary.CUDA_DRIVER)
                        ? new LibraryReport.Missing(library, List.of(new LibraryReport.PassedOver("all", "a GPU's driver is installed and serves")),
                                "do nothing")
                        : isSwitchedOff(library)
                        ? new LibraryReport.Missing(library, List.of(new LibraryReport.PassedOver("all", "switched off by upscale.natives.off")),
                                "take it out of upscale.natives.off")
                        : search(library, usualPlaces(library));
                KNOWN.put(library, known);
            }
            return known;
        }
    }

    /** Whether the library is there; loads it if it is. */
    public static boolean isAvailable(NativeLibrary library) {
        return find(library) instanceof LibraryReport.Loaded;
    }

    /**
     * The loaded library.
     *
     * @throws NativeLibraryMissing if it is not there, with the places looked at and the cure
     */
    public static LibraryReport.Loaded require(NativeLibrary library) {
        return switch (find(library)) {
            case LibraryReport.Loaded loaded -> loaded;
            case LibraryReport.Missing missing -> throw new NativeLibraryMissing(missing);
        };
    }

    /** What became of every library for the CPU; loads those that are there. */
    public static List<LibraryReport> findAll() {
        return Stream.of(NativeLibrary.values()).filter(library -> !library.isOfCuda()).map(NativeLibraries::find).toList();
    }

    /** What became of every library of CUDA, in the order of loading; loads those that are there. */
    public static List<LibraryReport> findAllOfCuda() {
        return Stream.of(NativeLibrary.values()).filter(NativeLibrary::isOfCuda).map(NativeLibraries::find).toList();
    }

    /** Whether this module and the bindings may call native code without a warning. */
    public static boolean isNativeAccessEnabled() {
        Module own = NativeLibraries.class.getModule();
        return own.isNativeAccessEnabled()
                && (own.getLayer() == null || own.getLayer().findModule("dev.upscale.bindings").map(Module::isNativeAccessEnabled).orElse(true));
    }

    private static boolean isSwitchedOff(NativeLibrary library) {
        return Stream.of(System.getProperty("upscale.natives.off", "").split(","))
                .anyMatch(name -> name.trim().equalsIgnoreCase(library.name()) || name.trim().equalsIgnoreCase(library.title()));
    }

    private static List<LibraryPlace> usualPlaces(NativeLibrary library) {
        List<LibraryPlace> places = new ArrayList<>();
        String name = library.isOfCuda() ? "upscale.cuda" : "upscale.natives";
        String property = System.getProperty(name, "");
        String variable = name.replace('.', '_').toUpperCase(Locale.ROOT);
        String value = Optional.ofNullable(System.getenv(variable)).orElse("");
        if (!property.isBlank()) {
            places.add(named(library, Path.of(property), "-D" + name));
        } else if (!value.isBlank()) {
            places.add(named(library, Path.of(value), variable));
        }
        if (library == NativeLibrary.BUILD_DRIVER) {
            return List.of(LibraryPlace.ArchiveOnPath.ofUser());
        }
        if (library != NativeLibrary.CUDA_DRIVER) {
            places.add(LibraryPlace.ArchiveOnPath.ofUser());
            if (library.isOfCuda()) {
                places.add(CudaPlaces.pythonPackages());
                places.add(CudaPlaces.toolkit());
            }
        }
        places.add(new LibraryPlace.SystemPath());
        return places;
    }

    private static LibraryPlace named(NativeLibrary library, Path folder, String namedBy) {
        return library.isOfCuda() ? CudaPlaces.named(folder, namedBy) : new LibraryPlace.Folder(folder, namedBy);
    }

    /** Takes the first place whose file can be loaded and offers what is needed. */
    static LibraryReport search(NativeLibrary library, List<LibraryPlace> places) {
        List<LibraryReport.PassedOver> passedOver = new ArrayList<>();
        for (LibraryPlace place : places) {
            String name = place.describe(library);
            switch (place.look(library)) {
                case LibraryPlace.Answer.NotHere(String reason) -> passedOver.add(new LibraryReport.PassedOver(name, reason));
                case LibraryPlace.Answer.Found(Path file, String version) -> {
                    Optional<String> refusal = load(library, file);
                    if (refusal.isEmpty()) {
                        return new LibraryReport.Loaded(library, file, name, version, passedOver);
                    }
                    passedOver.add(new LibraryReport.PassedOver(name, file + ": " + refusal.get()));
                }
            }
        }
        return new LibraryReport.Missing(library, passedOver, library.cure());
    }

    /** Opens the file for good and hands its functions to the bindings, or says why not. */
    private static Optional<String> load(NativeLibrary library, Path file) {
        if (!isElf(file)) {
            return Optional.of("is no ELF file"); // the JVM would print a warning about its stack before the linker refuses it
        }
        try (NativeEnvironment _ = new NativeEnvironment(library.environment()); Arena trial = Arena.ofConfined()) {
            Optional<String> refusal = probe(library, SymbolLookup.libraryLookup(file, trial));
            if (refusal.isPresent()) {
                return refusal;
            }
            for (String named : library.opensByName()) {
                Path beside = file.resolveSibling(named);
                if (Files.isRegularFile(beside)) {
                    SymbolLookup.libraryLookup(beside, Arena.global());
                }
            }
            NativeSymbols.provide(library.bindings(), SymbolLookup.libraryLookup(file, Arena.global()));
            return Optional.empty();
        } catch (IllegalCallerException e) {
            return Optional.of("native access is denied; start Java with --enable-native-access=dev.upscale,dev.upscale.bindings");
        } catch (IllegalArgumentException e) {
            return Optional.of(linkersReason(file).orElse(e.getMessage()));
        }
    }

    private static boolean isElf(Path file) {
        try (InputStream content = Files.newInputStream(file)) {
            return !Platform.ofArchives().startsWith("linux") || Arrays.equals(content.readNBytes(4), new byte[] {0x7f, 'E', 'L', 'F'});
        } catch (IOException e) {
            return false;
        }
    }

    /** Java's lookup keeps the dynamic linker's reason for itself, so the linker is asked once more. */
    private static Optional<String> linkersReason(Path file) {
        Linker linker = Linker.nativeLinker();
        Optional<MemorySegment> dlopen = linker.defaultLookup().find("dlopen");
        Optional<MemorySegment> dlerror = linker.defaultLookup().find("dlerror");
        if (dlopen.isEmpty() || dlerror.isEmpty()) {
            return Optional.empty();
        }
        MethodHandle open = linker.downcallHandle(dlopen.get(),
                FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        MethodHandle error = linker.downcallHandle(dlerror.get(), FunctionDescriptor.of(ValueLayout.ADDRESS));
        try (Arena arena = Arena.ofConfined()) {
            int lazily = 1;
            MemorySegment opened = (MemorySegment) open.invokeExact(arena.allocateFrom(file.toString()), lazily);
            MemorySegment reason = (MemorySegment) error.invokeExact();
            return opened.address() != 0 || reason.address() == 0 ? Optional.empty()
                    : Optional.of(reason.reinterpret(Long.MAX_VALUE).getString(0));
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("dlopen cannot throw", e);
        }
    }

    private static Optional<String> probe(NativeLibrary library, SymbolLookup symbols) {
        List<String> absent = library.symbols().stream().filter(symbol -> symbols.find(symbol).isEmpty()).toList();
        if (!absent.isEmpty()) {
            return Optional.of("lacks " + absent.getFirst() + (absent.size() > 1 ? " and " + (absent.size() - 1) + " more functions" : ""));
        }
        return library.abi().flatMap(abi -> {
            int version = callVersion(symbols, abi.function());
            return version == abi.version() ? Optional.empty()
                    : Optional.of("has interface version " + version + ", and the bindings are made for " + abi.version());
        });
    }

    private static int callVersion(SymbolLookup symbols, String function) {
        try {
            return (int) Linker.nativeLinker()
                    .downcallHandle(symbols.findOrThrow(function), FunctionDescriptor.of(ValueLayout.JAVA_INT)).invokeExact();
        } catch (Error | RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(function + " cannot throw", e);
        }
    }
}
