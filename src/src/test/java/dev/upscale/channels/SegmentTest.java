package dev.upscale.channels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.upscale.graph.GraphText;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class SegmentTest {
    @Test
    void consumersThatShareChannelsAlsoThroughOthersAreOneSegment() {
        List<Segment> segments = Segment.of(ChannelFlow.of(GraphText.parse("""
                graph g(x: f32[1,3,4,4]) -> y {
                  w0: f32[4,3,1,1] = random(1)
                  w1: f32[4,4,1,1] = random(2)
                  w2: f32[4,8,1,1] = random(3)
                  w3: f32[2,4,1,1] = random(4)
                  a = Conv(x, w0) kernel=1
                  b = Conv(a, w1) kernel=1
                  c = Concat(a, b) axis=1
                  d = Conv(c, w2) kernel=1
                  y = Conv(d, w3) kernel=1
                }
                """)));
        assertEquals("""
                3 channels of [] read by [w0]
                8 channels of [a, b] read by [w1, w2]
                4 channels of [d] read by [w3]
                """, segments.stream().map(segment -> segment.labels().length + " channels of " + segment.producers() + " read by "
                + segment.consumers().stream().map(ChannelFlow.Consumer::weight).toList() + "\n").collect(Collectors.joining()));
    }
}
