package dev.upscale.cli;

import dev.upscale.graph.InvalidInput;
import java.util.List;
import java.util.ServiceLoader;

/** The peers on the class path. */
final class Peers {
    private Peers() {}

    static List<Peer> all() {
        return ServiceLoader.load(Peer.class, ClassLoader.getSystemClassLoader()).stream().map(ServiceLoader.Provider::get).toList();
    }

    static Peer named(String name) {
        List<Peer> all = all();
        return all.stream().filter(peer -> peer.name().equals(name)).findFirst().orElseThrow(() -> new InvalidInput(
                "there is no peer " + name + "; " + (all.isEmpty() ? "none is on the class path: the launcher puts bench/target there once it is built"
                        : "there are " + String.join(", ", all.stream().map(Peer::name).toList()))));
    }
}
