package dev.upscale.runtime.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class WorkspacesTest {
    @Test
    void callsGetTheSmallestThatIsLargeEnough() {
        try (Arena owner = Arena.ofConfined()) {
            Workspaces workspaces = new Workspaces(owner);
            MemorySegment small = workspaces.atLeast(100);
            MemorySegment large = workspaces.atLeast(3000);
            assertTrue(large.byteSize() >= 3000 && large.address() % 64 == 0 && small.asOverlappingSlice(large).isEmpty());
            assertSame(small, workspaces.atLeast(1));
            assertSame(large, workspaces.atLeast(101));
            workspaces.fill((byte) 7);
            assertEquals(7, small.get(ValueLayout.JAVA_BYTE, 99));
            assertEquals(7, large.get(ValueLayout.JAVA_BYTE, 2999));
        }
    }

    @Test
    void nothingIsLentOnceTheOwnerIsClosed() {
        Arena owner = Arena.ofConfined();
        Workspaces workspaces = new Workspaces(owner);
        owner.close();
        assertThrows(IllegalStateException.class, () -> workspaces.atLeast(1));
    }
}
