package dev.upscale.runtime.natives;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a library made has one owner. */
class OwnedPointerTest {
    private final List<Long> destroyed = new ArrayList<>();

    private OwnedPointer create() {
        return OwnedPointer.create("the plan", out -> out.set(ValueLayout.ADDRESS, 0, MemorySegment.ofAddress(4096)), made -> destroyed.add(made.address()));
    }

    @Test
    void itIsWhatTheLibraryWroteUntilItIsClosed() {
        OwnedPointer owned = create();
        assertEquals(4096, owned.get().address());
        assertEquals(List.of(), destroyed);
        owned.close();
        assertEquals("the plan is closed", assertThrows(IllegalStateException.class, owned::get).getMessage());
    }

    @Test
    void itIsDestroyedOnce() {
        OwnedPointer owned = create();
        owned.close();
        owned.close();
        assertEquals(List.of(4096L), destroyed);
    }

    @Test
    void itIsNotDestroyedAgainAfterThatFailed() {
        OwnedPointer owned = OwnedPointer.create("the plan", out -> {}, made -> {
            destroyed.add(made.address());
            throw new NativeError("destroy", "status 1", "the plan");
        });
        assertThrows(NativeError.class, owned::close);
        owned.close();
        assertEquals(1, destroyed.size());
    }

    @Test
    void whatCouldNotBeMadeIsNobodys() {
        assertThrows(NativeError.class, () -> OwnedPointer.create("the plan", out -> {
            throw new NativeError("create", "status 1", "the plan");
        }, made -> destroyed.add(made.address())));
        assertEquals(List.of(), destroyed);
    }
}
