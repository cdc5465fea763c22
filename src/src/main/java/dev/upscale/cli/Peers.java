package dev.upscale.cli;

import dev.upscale.graph.InvalidInput;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/** The peers on the class path. */
final class Peers {
    private Peers() {}

    /** Those that can be loaded; a broken one is as good as absent. */
    static List<Peer> all() {
        List<Peer> peers = new ArrayList<>();
        Iterator<Peer> found = ServiceLoader.load(Peer.class, ClassLoader.getSystemClassLoader()).iterator();
        while (true) {
            try {
                if (!found.hasNext()) {
                    return peers;
                }
                peers.add(found.next());
            } catch (ServiceConfigurationError e) {
                continue;
            }
        }
    }

    static Peer named(String name) {
        List<Peer> all = all();
        return all.stream().filter(peer -> peer.name().equals(name)).findFirst().orElseThrow(() -> new InvalidInput(
                "there is no peer " + name + (name.equals("pytorch") ? " in this build; 'mvn -B -Ppytorch -Dmaven.test.skip=true package' adds it" : "") + "; " + (all.isEmpty() ? "none is on the class path: the launcher puts bench/target there once it is built"
                        : "there are " + String.join(", ", all.stream().map(Peer::name).toList()))));
    }
}
