package dev.upscale.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.upscale.graph.InvalidInput;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxFileTest {
    private static final byte[] TWO_BY_THREE = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, (byte) 255};

    @TempDir
    private Path folder;

    @Test
    void plainAndGzippedFilesAreRead() throws IOException {
        ByteArrayOutputStream zipped = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(zipped)) {
            gzip.write(TWO_BY_THREE);
        }
        for (byte[] content : List.of(TWO_BY_THREE, zipped.toByteArray())) {
            Path file = Files.write(folder.resolve("images"), content);
            IdxFile images = IdxFile.read(file);
            assertEquals(List.of(2, 3), images.dims());
            assertEquals(2, images.count());
            assertArrayEquals(new byte[] {1, 2, 3, 4, 5, (byte) 255}, images.bytes());
        }
        Path cut = Files.write(folder.resolve("cut"), Arrays.copyOf(zipped.toByteArray(), zipped.size() - 9));
        assertTrue(assertThrows(InvalidInput.class, () -> IdxFile.read(cut)).getMessage().contains("damaged gzip"));
    }

    @Test
    void damagedFilesAreRefused() {
        for (int length = 0; length < TWO_BY_THREE.length; length++) {
            byte[] cut = Arrays.copyOf(TWO_BY_THREE, length);
            assertThrows(InvalidInput.class, () -> IdxFile.parse("x", cut), "cut to " + length);
        }
        for (int bit = 0; bit < 12 * 8; bit++) {
            byte[] flipped = TWO_BY_THREE.clone();
            flipped[bit / 8] ^= (byte) (1 << bit % 8);
            assertThrows(InvalidInput.class, () -> IdxFile.parse("x", flipped), "bit " + bit);
        }
    }
}
