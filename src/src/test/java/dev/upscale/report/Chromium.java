package dev.upscale.report;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A headless Chromium, driven by its DevTools protocol. To be closed. */
public final class Chromium implements AutoCloseable {
    private static final int PATIENCE_SECONDS = 30;

    private final Process process;
    private final Path profile;
    private final WebSocket socket;
    private final BlockingQueue<JsonNode> messages;
    private final List<JsonNode> events = new ArrayList<>();
    private String session = "";
    private int calls;

    private Chromium(Process process, Path profile, WebSocket socket, BlockingQueue<JsonNode> messages) {
        this.process = process;
        this.profile = profile;
        this.socket = socket;
        this.messages = messages;
    }

    /** Where a Chromium is, if one is installed. */
    public static Optional<Path> installed() {
        return Stream.of("chromium", "chromium-browser", "google-chrome")
                .flatMap(name -> Stream.of(System.getenv().getOrDefault("PATH", "").split(":")).map(folder -> Path.of(folder, name)))
                .filter(Files::isExecutable).findFirst();
    }

    /** Starts one with a profile of its own, without any traffic of the browser's own. */
    public static Chromium start(Path executable) throws IOException {
        Path profile = Files.createTempDirectory("upscale-browser");
        Process process = new ProcessBuilder(executable.toString(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--remote-debugging-port=0",
                "--user-data-dir=" + profile, "about:blank").redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        BufferedReader errors = new BufferedReader(new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8));
        for (String line = errors.readLine(); line != null; line = errors.readLine()) {
            if (line.startsWith("DevTools listening on ")) {
                Thread.ofVirtual().start(() -> discard(errors));
                BlockingQueue<JsonNode> messages = new LinkedBlockingQueue<>();
                WebSocket socket = HttpClient.newHttpClient().newWebSocketBuilder()
                        .buildAsync(URI.create(line.substring("DevTools listening on ".length()).strip()), new Reader(messages)).join();
                return new Chromium(process, profile, socket, messages);
            }
        }
        process.destroyForcibly();
        throw new IOException(executable + " ended before it listened");
    }

    /** Its errors must be read, or it stops at a full pipe. */
    private static void discard(BufferedReader errors) {
        try (errors) {
            while (errors.readLine() != null) {
                continue;
            }
        } catch (IOException e) {
            return; // it was closed
        }
    }

    private record Reader(BlockingQueue<JsonNode> messages, StringBuilder text) implements WebSocket.Listener {
        Reader(BlockingQueue<JsonNode> messages) {
            this(messages, new StringBuilder());
        }

        @Override
        public CompletionStage<?> onText(WebSocket socket, CharSequence data, boolean last) {
            text.append(data);
            if (last) {
                messages.add(JsonMapper.shared().readTree(text.toString()));
                text.setLength(0);
            }
            socket.request(1);
            return null;
        }
    }

    /** Loads a page in a new tab. */
    public void open(URI page, int width, int height, boolean dark) {
        session = "";
        events.clear();
        String target = call("Target.createTarget", Map.of("url", "about:blank")).get("targetId").stringValue();
        session = call("Target.attachToTarget", Map.of("targetId", target, "flatten", true)).get("sessionId").stringValue();
        for (String domain : List.of("Page", "Runtime", "Log", "Network")) {
            call(domain + ".enable", Map.of());
        }
        call("Emulation.setDeviceMetricsOverride", Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", width < 600));
        call("Emulation.setEmulatedMedia", Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light"))));
        events.clear();
        call("Page.navigate", Map.of("url", page.toString()));
        while (events.stream().noneMatch(event -> event.get("method").stringValue().equals("Page.loadEventFired"))) {
            events.add(next());
        }
        evaluate("new Promise(done => setTimeout(done, 100))");
    }

    /** What the console and the log have said, and what went wrong. */
    public List<String> complaints() {
        return events.stream().filter(event -> List.of("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
                .contains(event.get("method").stringValue())).map(JsonNode::toString).toList();
    }

    /** What the page has asked for, itself included. */
    public List<String> requests() {
        return events.stream().filter(event -> event.get("method").stringValue().equals("Network.requestWillBeSent"))
                .map(event -> event.get("params").get("request").get("url").stringValue()).toList();
    }

    /** The value of an expression, which may be a promise. */
    public JsonNode evaluate(String expression) {
        JsonNode answer = call("Runtime.evaluate", Map.of("expression", expression, "returnByValue", true, "awaitPromise", true));
        if (answer.has("exceptionDetails")) {
            throw new IllegalStateException(answer.toString());
        }
        return answer.get("result").path("value");
    }

    /** Presses a key. */
    public void press(String key, int code) {
        for (String type : List.of("keyDown", "keyUp")) {
            call("Input.dispatchKeyEvent", Map.of("type", type, "key", key, "code", key, "windowsVirtualKeyCode", code, "text",
                    type.equals("keyDown") && key.equals("Enter") ? "\r" : ""));
        }
    }

    /** A picture of the window as it is. */
    public byte[] screenshot() {
        return Base64.getDecoder().decode(call("Page.captureScreenshot", Map.of("format", "png")).get("data").stringValue());
    }

    private JsonNode call(String method, Map<String, Object> parameters) {
        int id = ++calls;
        Map<String, Object> message = new LinkedHashMap<>(Map.of("id", id, "method", method, "params", parameters));
        if (!session.isEmpty()) {
            message.put("sessionId", session);
        }
        socket.sendText(JsonMapper.shared().writeValueAsString(message), true).join();
        while (true) {
            JsonNode answer = next();
            if (answer.path("id").asInt(-1) == id) {
                if (answer.has("error")) {
                    throw new IllegalStateException(method + ": " + answer.get("error"));
                }
                return answer.get("result");
            }
            events.add(answer);
        }
    }

    private JsonNode next() {
        try {
            JsonNode message = messages.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (message == null) {
                throw new IllegalStateException("the browser says nothing for " + PATIENCE_SECONDS + " s");
            }
            return message;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        socket.abort();
        process.descendants().forEach(ProcessHandle::destroy);
        process.destroy();
        try {
            if (!process.waitFor(5, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
            try (Stream<Path> files = Files.walk(profile)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (InterruptedException | IOException e) {
            throw new IllegalStateException("the browser's profile in " + profile + " is left over", e);
        }
    }
}
