package dev.upscale.runtime.kernel;

import dev.upscale.plan.View;
import dev.upscale.plan.View.Place;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** What invocations are bound to: the memory and the threads of one session. Used by one thread at a time. */
public final class Binding implements AutoCloseable {
    private final Arena owner;
    private final int threads;
    private final MemorySegment arena;
    private final Workspaces workspaces;
    private final Constants constants;
    private final Map<Place, List<Location>> callers = new HashMap<>();
    private final List<Runnable> entries = new ArrayList<>();
    private final Resources resources = new Resources();

    /**
     * @param owner      is closed with this
     * @param threads    how many threads a kernel may use, the caller's included
     * @param arena      the session's arena
     * @param workspaces the session's workspaces beside its arena
     */
    public Binding(Arena owner, int threads, MemorySegment arena, Workspaces workspaces, Constants constants) {
        this.owner = owner;
        this.threads = threads;
        this.arena = arena;
        this.workspaces = workspaces;
        this.constants = constants;
    }

    /** Whatever invocations make natively lives as long as this. */
    public Arena owner() {
        return owner;
    }

    public int threads() {
        return threads;
    }

    public Constants constants() {
        return constants;
    }

    /** Memory of at least so many bytes, aligned to 64, for what one call writes and reads again; other calls of the session use it too. */
    public MemorySegment workspace(long bytes) {
        return workspaces.atLeast(bytes);
    }

    /** Where a view lies. In the caller's memory it is not known before the first run: 0, or the view's offset. */
    public Location locate(View view) {
        return switch (view.place().kind()) {
            case ARENA -> new Location(view.offset(), arena.address());
            case CONSTANT -> new Location(view.offset(), constants.resident(view.place().name()).address());
            case INPUT, OUTPUT -> {
                Location location = new Location(view.offset(), 0);
                callers.computeIfAbsent(view.place(), place -> new ArrayList<>()).add(location);
                yield location;
            }
        };
    }

    /** The locations in an input or output that were asked for so far. */
    public Location[] locations(Place place) {
        return callers.getOrDefault(place, List.of()).toArray(Location[]::new);
    }

    /** Something that the session's invocations share, such as a thread pool; made when first asked for, closed after the owner. */
    public <R extends AutoCloseable> R shared(Class<R> kind, Supplier<R> maker) {
        return resources.get(kind, maker);
    }

    /** Has something done on the running thread before the first kernel of each run. */
    public void onEntry(Runnable entry) {
        entries.add(entry);
    }

    /** What is to be done at the start of each run. */
    public List<Runnable> entries() {
        return List.copyOf(entries);
    }

    @Override
    public void close() {
        owner.close();
        resources.close();
    }
}
